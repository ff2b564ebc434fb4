// Compares the gradients of the twins of several draws, of a mixture and of an importance-weighted bound with central
// differences of their own forward passes.
import { describe, expect, it } from "vitest";
import type { Node } from "../../src/graph.js";
import { concat } from "../../src/ops/concat.js";
import { draws } from "../../src/ops/draws.js";
import { importance } from "../../src/ops/importance.js";
import { opNamed } from "../../src/ops/index.js";
import type { Adjoints } from "../../src/ops/op.js";
import { mixture } from "../../src/ops/mixture.js";
import { tensor } from "../../src/tensor.js";
import { activate } from "../reference/activation.js";
import { twinOf } from "../reference/index.js";
import { expectGradient } from "../support/differences.js";
import { gradientBy, minimised, weightsTensor } from "../support/losses.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const dot = (a: Float64Array, b: Float64Array) => a.reduce((total, value, i) => total + value * b[i]!, 0);
const run = (node: Node, values: Record<string, Float64Array>, step = defaultStep) =>
  twinOf(node.op)(node, values, step);

describe.each([true, false])("draws, of which the prior is part of the ratio: %s", (standard) => {
  const [B, Z, copies] = [3, 5, 4];
  const step = { ...defaultStep, rows: B, knobs: { beta: 0.7, noise: 1 } };
  const forward = draws(tensor("heads", "activation", [B, 2, Z]), copies, standard);
  const dz = tensor("dz", "activation", [B * copies, Z]);
  const over = weightsTensor(B * copies);
  const gradientOf = (upstream: Adjoints) => opNamed("draws").gradient!(forward, upstream, () => true).nodes[0]!;
  const random = new RandomValues("draws");
  const [heads, weights, weigh] = [random.normal(B * 2 * Z), random.normal(B * copies * Z), random.uniform(B * copies)];

  it.each([true, false])("the ratio, with weights of the draws: %s", (weighted) => {
    const ratio = { knob: "beta", ...(weighted ? { over } : {}) };
    const backward = gradientOf({ z: dz, ratio });
    const objective = () => {
      const { z, ratio } = run(forward, { heads }, step);
      const losses = ratio!.map((value, i) => value * (weighted ? weigh[Math.floor(i / Z)]! : 1));
      return dot(z!, weights) + (0.7 * losses.reduce((sum, value) => sum + value, 0)) / (B * copies);
    };
    const values = { heads, z: run(forward, { heads }, step).z!, dz: weights, ...(weighted ? { over: weigh } : {}) };
    expectGradient(run(backward, values, step).dheads!, objective, heads);
  });

  it("the KL terms", () => {
    const backward = gradientOf({ z: dz, kl: { knob: "beta" } });
    const objective = () => {
      const { z, kl } = run(forward, { heads }, step);
      return dot(z!, weights) + (0.7 * kl!.reduce((sum, value) => sum + value, 0)) / B;
    };
    const values = { heads, z: run(forward, { heads }, step).z!, dz: weights };
    expectGradient(run(backward, values, step).dheads!, objective, heads);
  });
});

describe("a mixture", () => {
  const [B, Z, C, copies] = [3, 4, 5, 2];
  const rows = B * copies;
  const step = { ...defaultStep, rows: B, knobs: { weight: 0.7 } };
  const random = new RandomValues("mixture");
  const [z, heads, weigh] = [random.normal(rows * Z), random.normal(C * 2 * Z), random.uniform(rows)];
  const forward = mixture(tensor("z", "activation", [rows, Z]), tensor("heads", "param", [C, 2, Z]), copies);

  it.each([true, false])("with respect to z and to its components, with weights of the rows: %s", (weighted) => {
    const weight = { knob: "weight", ...(weighted ? { over: weightsTensor(rows) } : {}) };
    const [first, second] = opNamed("mixture").gradient!(forward, { prior: weight }, () => true).nodes;
    const made = weighted ? first! : minimised(forward, "weight", "prior");
    const objective = () => {
      const { prior } = run(forward, { z, heads }, step);
      return (0.7 * prior!.reduce((sum, value, row) => sum + value * (weighted ? weigh[row]! : 1), 0)) / rows;
    };
    const { dz, shares } = run(made, { z, heads, ...(weighted ? { over: weigh } : {}) }, step);
    expectGradient(dz!, objective, z);
    expectGradient(run(second!, { z, heads, shares: shares! }, step).dheads!, objective, heads);
  });
});

it("the weights of a bound are its derivatives", () => {
  const [B, copies, R] = [3, 4, 2];
  const rows = B * copies;
  const random = new RandomValues("bound");
  const losses = [tensor("reconstruction", "input", [rows, R]), tensor("ratio", "input", [rows, 1])];
  const node = importance(losses, B);
  const [reconstruction, ratio] = [random.normal(rows * R), random.normal(rows)];
  const step = { ...defaultStep, rows: B };
  const bound = () => run(node, { reconstruction, ratio }, step).bound!.reduce((sum, value) => sum + value, 0) / B;
  const { weights } = run(node, { reconstruction, ratio }, step);
  // A loss's own gradient is a mean over its rows.
  const expected = (parts: number) =>
    Float64Array.from({ length: rows * parts }, (_, i) => weights![Math.floor(i / parts)]! / rows);
  expectGradient(expected(R), bound, reconstruction);
  expectGradient(expected(1), bound, ratio);
});

it("concat: with respect to its first part, before its activation", () => {
  const [rows, P, Q] = [4, 3, 2];
  const random = new RandomValues("concat");
  const p = tensor("p", "activation", [rows, P], { activation: "tanh" });
  const forward = concat("y", p, tensor("q", "activation", [rows, Q]));
  const dy = tensor("dy", "activation", [rows, P + Q]);
  const backward = opNamed("concat").gradient!(forward, { y: dy }, () => true).nodes[0]!;
  const [a, q, weights] = [random.normal(rows * P), random.normal(rows * Q), random.normal(rows * (P + Q))];
  const made = () => a.map((value) => activate("tanh", value));
  const objective = () => dot(run(forward, { p: made(), q }).y!, weights);
  expectGradient(run(backward, { dy: weights, saved: made() }).dp!, objective, a);
});

it("the gradient of a loss takes its weight's tensor as an input", () => {
  const forward = mixture(tensor("z", "activation", [2, 3]), tensor("heads", "param", [1, 2, 3]), 1);
  expect(gradientBy(forward, { knob: "one", over: weightsTensor(2) }, "prior").inputs.over).toBeDefined();
});
