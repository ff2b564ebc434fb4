// Complete normalizations with their twins: statistics, application and gradients together, compared with their
// definition and with central differences.
import { describe, expect, it } from "vitest";
import { differentiate } from "../../src/gradient.js";
import { ONE, printGraph, type Node } from "../../src/graph.js";
import { batchNorm, batchNormInference } from "../../src/ops/batch_norm.js";
import { bernoulli } from "../../src/ops/bernoulli.js";
import { groupNorm } from "../../src/ops/group_norm.js";
import { opNamed } from "../../src/ops/index.js";
import { linear } from "../../src/ops/linear.js";
import { plan } from "../../src/plan.js";

import { size, tensor, weightTensor, type Activation, type Tensor, activations } from "../../src/tensor.js";
import { activate, saved, slope } from "../reference/activation.js";
import { tensorsOf } from "../support/losses.js";
import { expectGradient } from "../support/differences.js";
import { affineTensors, backwardNodes, inputTensor, runTwins, type Named } from "../support/norms.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const EPSILON = 1e-3;

type Build = (x: Tensor, activation: Activation) => Node[];

function batchTensors({ shape }: Tensor) {
  const channels = shape.slice(-1);
  return {
    ...affineTensors(shape),
    runningMean: tensor("running_mean", "state", channels),
    runningVariance: tensor("running_variance", "state", channels),
  };
}

const batch: Build = (x, activation) => batchNorm("y", x, affineTensors(x.shape), { epsilon: EPSILON }, activation);
const grouped =
  (groups: number): Build =>
  (x, activation) =>
    groupNorm("y", x, affineTensors(x.shape), { groups, epsilon: EPSILON }, activation);

const builds: Record<string, Build> = { batch, "2 groups": grouped(2), layer: grouped(1), instance: grouped(6) };

/** Values for all inputs of the nodes of a normalization of x. */
function given(random: RandomValues, x: Tensor): Named {
  const channels = x.shape.at(-1)!;
  return new Map([
    ["x", random.normal(size(x.shape))],
    ["gamma", random.normal(channels)],
    ["beta", random.normal(channels)],
  ]);
}

describe.each(Object.entries(builds))("%s", (name, build) => {
  it.each([[[7, 6]], [[3, 4, 5, 6]]])("of %j normalizes the set that its statistics describe", (shape) => {
    const x = inputTensor(shape, "none");
    const named = given(new RandomValues(name), x);
    const values = named.get("x")!;
    const y = runTwins(build(x, "none"), named).get("y")!;
    const [B, C] = [shape[0]!, shape.at(-1)!];
    const groupSize = { batch: 1, "2 groups": 3, layer: 6, instance: 1 }[name]!;
    const setOf = (i: number) => {
      const example = name === "batch" ? 0 : Math.floor((i * B) / values.length);
      return example * C + Math.floor((i % C) / groupSize);
    };
    for (const set of new Set([...values.keys()].map(setOf))) {
      const own = [...values.keys()].filter((i) => setOf(i) === set);
      const mean = own.reduce((sum, i) => sum + values[i]!, 0) / own.length;
      const variance = own.reduce((sum, i) => sum + (values[i]! - mean) ** 2, 0) / own.length;
      for (const i of own) {
        const xhat = (values[i]! - mean) / Math.sqrt(variance + EPSILON);
        expect(y[i]).toBeCloseTo(named.get("gamma")![i % C]! * xhat + named.get("beta")![i % C]!, 10);
      }
    }
  });

  it.each(activations)("gradients with respect to x before its activation, gamma and beta: %s", (activation) => {
    for (const [from, to] of [
      [activation, "none"],
      ["silu", activation],
    ] as const) {
      const x = inputTensor([3, 2, 2, 6], from);
      const forward = build(x, to);
      const random = new RandomValues(`${name} ${from} ${to}`);
      const named = given(random, x);
      const a = random.normal(size(x.shape));
      const weights = random.normal(a.length);
      const made = () => {
        named.set(
          "x",
          a.map((value) => activate(from, value)),
        );
        named.set(
          "x.pre",
          a.map((value) => saved(from, value)),
        );
        return runTwins(forward, named);
      };
      const objective = () =>
        made()
          .get("y")!
          .reduce((sum, value, i) => sum + value * weights[i]!, 0);
      const after = made();
      const kept = after.get("y.pre") ?? after.get("y")!;
      after.set(
        "dy",
        weights.map((weight, i) => weight * slope(to, kept[i]!)),
      );
      const gradients = runTwins(backwardNodes(forward), after);
      expectGradient(gradients.get("dx")!, objective, a);
      expectGradient(gradients.get("dgamma")!, objective, named.get("gamma")!);
      expectGradient(gradients.get("dbeta")!, objective, named.get("beta")!);
    }
  });

  const alone =
    name === "batch" || name === "instance"
      ? [
          [1, 6],
          [1, 1, 1, 6],
        ]
      : [];
  for (const shape of alone) {
    it(`of ${shape.join("x")}: a value alone in its set passes no gradient to x`, () => {
      const x = inputTensor(shape, "none");
      const forward = build(x, "none");
      const named = given(new RandomValues(name), x);
      const after = runTwins(forward, named);
      expect(after.get("y")).toEqual(named.get("beta"));
      after.set("dy", new Float64Array(6).fill(1));
      const gradients = runTwins(backwardNodes(forward), after);
      for (const value of gradients.get("dx")!) expect(Math.abs(value)).toBe(0);
      expect([...gradients.get("dbeta")!]).toEqual([1, 1, 1, 1, 1, 1]);
    });
  }

  describe("between two dense layers", () => {
    const [B, I, D] = [4, 3, 6];
    const x = tensor("data", "input", [B, I]);
    const first = linear("h", x, weightTensor("W", "param", [I], [D]), tensor("b", "param", [D]), "tanh");
    const middle = build(first.outputs.y!, "silu");
    const y = middle.at(-1)!.outputs.y!;
    const last = linear("logits", y, weightTensor("V", "param", [D], [2]), tensor("c", "param", [2]));
    const term = bernoulli(last.outputs.y!, tensor("target", "input", [B, 2]));
    const terms = [{ name: "reconstruction", value: term.outputs.reconstruction!, knob: ONE }];
    const graph = differentiate({ nodes: [first, ...middle, last, term], terms });

    it("is differentiated by only its last node's rule", () => {
      const op = name === "batch" ? "batch_norm" : "group_norm";
      expect(graph.nodes.map((node) => node.op)).toEqual([
        ...["linear", `${op}_moments`, `${op}_combine`, op, "linear", "bernoulli", "bernoulli_grad"],
        ...["linear_grad", `${op}_sums`, `${op}_grad_params`, `${op}_grad`, "linear_grad_weight"],
      ]);
      expect(() => plan(graph)).not.toThrow();
    });

    it("has the gradients of the whole loss", () => {
      const random = new RandomValues(`graph ${name}`);
      const named: Named = new Map([
        ...given(random, first.outputs.y!),
        ["data", random.normal(B * I)],
        ["target", random.uniform(B * 2)],
        ["W", random.normal(I * D)],
        ["b", random.normal(D)],
        ["V", random.normal(D * 2)],
        ["c", random.normal(2)],
      ]);
      const step = { ...defaultStep, rows: B };
      const run = () => runTwins(graph.nodes, named, step);
      const objective = () =>
        run()
          .get("reconstruction")!
          .reduce((a, b) => a + b, 0) / B;
      const gradients = run();
      for (const param of ["W", "b", "gamma", "beta", "V", "c"]) {
        expectGradient(gradients.get(`d${param}`)!, objective, named.get(param)!);
      }
    });
  });
});

describe("a batch normalization", () => {
  const x = tensor("x", "input", [5, 2, 3, 6]);

  it("has a readable graph", () =>
    expect(printGraph({ nodes: [...batch(x, "relu"), ...backwardNodes(batch(x, "relu"))] })).toMatchInlineSnapshot(`
      "y.parts [1, 4, 2, 6] = batch_norm_moments(x)
      y.mean [6], y.variance [6] = batch_norm_combine(all_parts=y.parts; rows=30)
      y [5, 2, 3, 6] = batch_norm(x, gamma, beta, mean=y.mean, variance=y.variance; epsilon=0.001; activation=relu)
      dy.parts [1, 4, 2, 6] = batch_norm_sums(x, dy, mean=y.mean, variance=y.variance; epsilon=0.001)
      dgamma [6], dbeta [6], dy.means [1, 2, 6] = batch_norm_grad_params(all_parts=dy.parts, gamma; rows=30)
      dx [5, 2, 3, 6] = batch_norm_grad(x, gamma, mean=y.mean, variance=y.variance, dy, means=dy.means, saved=x; epsilon=0.001; activation=none)"
    `));

  it("computes no gradient of its input if none is needed", () => {
    const node = batch(x, "none").at(-1)!;
    const dy = tensor("dy", "activation", x.shape);
    const { nodes, of } = opNamed("batch_norm").gradient!(node, { y: dy }, (input) => input !== "x");
    expect(nodes.map(({ op }) => op)).toEqual(["batch_norm_sums", "batch_norm_grad_params"]);
    expect(Object.values(tensorsOf(of)).map(({ name, role }) => [name, role])).toEqual([
      ["dgamma", "gradient"],
      ["dbeta", "gradient"],
    ]);
  });

  it("with running statistics has no gradient", () => {
    const node = batchNormInference("y", x, batchTensors(x), { epsilon: EPSILON });
    const dy = tensor("dy", "activation", x.shape);
    expect(() => opNamed("batch_norm").gradient!(node, { y: dy }, () => true)).toThrow(
      "batch_norm: no gradient passes running statistics (running_mean)",
    );
  });
});
