// Compares the twins' gradients with central differences of their own forward passes, so that the rules are right
// before any kernel is compared with them.
import { describe, expect, it } from "vitest";
import type { Node } from "../../src/graph.js";
import { bernoulli } from "../../src/ops/bernoulli.js";
import { gaussian } from "../../src/ops/gaussian.js";
import { laplace } from "../../src/ops/laplace.js";
import { opNamed, opNames } from "../../src/ops/index.js";
import { linear } from "../../src/ops/linear.js";
import { avgPool2d, maxPool2d } from "../../src/ops/pool.js";
import { reparameterize } from "../../src/ops/reparameterize.js";
import { upsample2d } from "../../src/ops/upsample.js";

import { size, slopeNeedsInput, tensor, weightTensor, activations } from "../../src/tensor.js";
import { activate, derivative, saved, slope } from "../reference/activation.js";
import { twinNames, twinOf } from "../reference/index.js";
import { minimised } from "../support/losses.js";
import { centralDifference, expectGradient, gradientError } from "../support/differences.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((total, value, i) => total + value * b[i]!, 0);
const run = (node: Node, values: Record<string, Float64Array>, step = defaultStep) =>
  twinOf(node.op)(node, values, step);

it("every op has a twin", () => expect([...twinNames].sort()).toEqual(opNames().sort()));

describe.each(activations)("%s", (activation) => {
  it("has the derivative of its definition, and the same slope from what is saved", () => {
    for (let a = -6.03; a < 6; a += 0.17) {
      const x = Float64Array.of(a);
      const difference = centralDifference(() => activate(activation, x[0]!), x, 0);
      expect(gradientError(derivative(activation, a), difference)).toBeLessThan(1e-9);
      expect(slope(activation, saved(activation, a))).toBeCloseTo(derivative(activation, a), 9);
    }
  });

  it("linear: gradients with respect to x before its activation, W and b", () => {
    const random = new RandomValues(activation);
    const [B, I, O] = [5, 4, 3];
    const pre = slopeNeedsInput(activation) ? { pre: tensor("x.pre", "activation", [B, I]) } : {};
    const x = tensor("x", "activation", [B, I], { activation, ...pre });
    const forward = linear("y", x, weightTensor("W", "param", [I], [O]), tensor("b", "param", [O]), activation);
    const dy = tensor("dy", "activation", [B, O]);
    const backward = opNamed("linear").gradient!(forward, { y: dy }, () => true).nodes[0]!;
    const [a, W, b, weights] = [random.normal(B * I), random.normal(I * O), random.normal(O), random.normal(B * O)];
    const inputs = () => ({ x: a.map((value) => activate(activation, value)), W, b });
    const objective = () => dot(run(forward, inputs()).y!, weights);
    const { y, pre: kept = y! } = run(forward, inputs());
    const gradients = run(backward, {
      ...inputs(),
      saved: a.map((value) => saved(activation, value)),
      dy: weights.map((weight, i) => weight * slope(activation, kept[i]!)),
    });
    expectGradient(gradients.dx!, objective, a);
    expectGradient(gradients.dW!, objective, W);
    expectGradient(gradients.db!, objective, b);
  });
});

describe.each(activations)("of an image made by %s", (activation) => {
  const shape = [2, 5, 4, 3];
  const pre = slopeNeedsInput(activation) ? { pre: tensor("x.pre", "activation", shape) } : {};
  const x = tensor("x", "activation", shape, { activation, ...pre });
  const overlapping = { window: [3, 2], stride: [2, 1], pad: [1, 1], size: [3, 5] } as const;
  const apart = { window: [1, 2], stride: [2, 3], pad: [0, 1], size: [3, 2] } as const;
  it.each([
    ...[overlapping, apart].flatMap((one) => [maxPool2d("y", x, one), avgPool2d("y", x, one)]),
    ...(["nearest", "bilinear"] as const).map((mode) => upsample2d("y", x, [2, 3], mode)),
  ])("$op: $attributes", (forward) => {
    const dy = tensor("dy", "activation", forward.outputs.y!.shape);
    const backward = opNamed(forward.op).gradient!(forward, { y: dy }, () => true).nodes[0]!;
    const random = new RandomValues(activation);
    // Far enough apart that no difference quotient changes which of two is larger.
    const places = new Float64Array(size(shape)).map((_, i) => ((i * 47) % size(shape)) - 60);
    const [a, weights] = [places.map((place) => place / 25 + 0.01), random.normal(size(dy.shape))];
    const made = () => a.map((value) => activate(activation, value));
    const { y } = run(forward, { x: made() });
    const kept = a.map((value) => saved(activation, value));
    const { dx } = run(backward, { x: made(), y: y!, saved: kept, dy: weights });
    expectGradient(dx!, () => dot(run(forward, { x: made() }).y!, weights), a);
  });
});

describe("reparameterize", () => {
  const [B, Z, LIMIT] = [3, 5, 10];
  const step = { ...defaultStep, rows: B, knobs: { beta: 0.7, noise: 1 }, first_row: 4 };
  const forward = reparameterize(tensor("heads", "activation", [B, 2, Z]));
  const dz = tensor("dz", "activation", [B, Z]);
  const backward = opNamed("reparameterize").gradient!(forward, { z: dz, kl: { knob: "beta" } }, () => true).nodes[0]!;
  const random = new RandomValues("reparameterize");
  // As large as the KL term's gradient at the limits, so that either may dominate there.
  const weights = random.normal(B * Z, 200);
  const objective = (heads: Float64Array) => {
    const { z, kl } = run(forward, { heads }, step);
    return dot(z!, weights) + (step.knobs.beta * sum(kl!)) / B;
  };
  const gradient = (heads: Float64Array) =>
    run(backward, { heads, z: run(forward, { heads }, step).z!, dz: weights }, step).dheads!;

  it("of the mean, the log variance and both parts of the loss", () => {
    const heads = random.normal(B * 2 * Z, 2);
    expectGradient(gradient(heads), () => objective(heads), heads);
  });

  it("beyond a limit is the gradient at the limit if it leads back, else 0", () => {
    const heads = random.normal(B * 2 * Z);
    let [passed, stopped] = [0, 0];
    for (let row = 0; row < B; row++) {
      for (let j = 0; j < Z; j++) {
        const at = (row * 2 + 1) * Z + j;
        for (const limit of [-LIMIT, LIMIT]) {
          const h = 1e-5;
          heads[at] = limit - Math.sign(limit) * h;
          const atLimit = centralDifference(() => objective(heads), heads, at, h);
          heads[at] = 1.5 * limit;
          const found = gradient(heads)[at]!;
          const leadsBack = Math.sign(atLimit) === Math.sign(limit);
          if (leadsBack) passed++;
          else stopped++;
          if (leadsBack) expect(Math.abs(found / atLimit - 1)).toBeLessThan(1e-3);
          else expect(found).toBe(0);
        }
        heads[at] = 0;
      }
    }
    expect(passed).toBeGreaterThan(3);
    expect(stopped).toBeGreaterThan(3);
  });
});

describe.each([1, 70])("reconstruction terms of %i values", (D) => {
  const [B, rows] = [4, 3];
  const step = { ...defaultStep, rows };
  const random = new RandomValues(`terms ${D}`);
  const x = random.uniform(B * D);
  const shape = [B, D];

  it("bernoulli: with respect to the logits", () => {
    const node = minimised(bernoulli(tensor("logits", "activation", shape), tensor("x", "activation", shape)));
    const logits = random.normal(B * D, 2);
    const terms = () => run(node, { logits, x }, step);
    expectGradient(terms().dlogits!, () => sum(terms().reconstruction!) / rows, logits);
  });

  const scaled = { gaussian, laplace };
  const made = activations.flatMap(
    (activation) =>
      [
        ["gaussian", activation],
        ["laplace", activation],
      ] as const,
  );
  it.each(made)("%s: with respect to a mean made by %s, and the log scale", (name, activation) => {
    const pre = slopeNeedsInput(activation) ? { pre: tensor("mean.pre", "activation", shape) } : {};
    const mean = tensor("mean", "activation", shape, { activation, ...pre });
    const node = minimised(scaled[name](mean, tensor("x", "activation", shape), tensor("log_scale", "param", [1])));
    const a = random.normal(B * D);
    for (const level of [0.3, -5.5]) {
      const log_scale = Float64Array.of(level);
      const terms = () => {
        const made = a.map((value) => activate(activation, value));
        return run(node, { mean: made, saved: a.map((value) => saved(activation, value)), x, log_scale }, step);
      };
      const objective = () => sum(terms().reconstruction!) / rows;
      const scale = 1 + Math.abs(objective());
      const { dmean, dlog_scale_parts: parts } = terms();
      // Relative to the whole objective, which near the floor is about 1e5, so that its rounding affects differences.
      dmean!.forEach((g, i) => {
        expect(Math.abs(g - centralDifference(objective, a, i)) / scale).toBeLessThan(1e-8);
      });
      const along = centralDifference(objective, log_scale, 0);
      expect(Math.abs(sum(parts!) - along) / scale).toBeLessThan(1e-8);
    }
  });
});
