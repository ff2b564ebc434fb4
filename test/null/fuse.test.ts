// What rewrites a graph, and that planning it is the one time when that happens.
import { describe, expect, it } from "vitest";
import { fuse, fusions } from "../../src/fuse.js";
import type { Graph, Node } from "../../src/graph.js";
import { conv2d, convTranspose2d, dense, reshape, type ModelSpec } from "../../src/index.js";
import { dataTensor } from "../../src/ops/gather.js";
import { schedulesOf } from "../../src/ops/index.js";
import type { Schedule } from "../../src/ops/op.js";
import { defineModel, flats } from "../../src/parameters.js";
import { plan } from "../../src/plan.js";
import { resolveSpec } from "../../src/spec.js";
import { trainingGraph } from "../../src/vae.js";
import { planFaults } from "../support/plan_faults.js";

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };
const kernel = { stride: 2, activation: "relu" } as const;

/** A decoder that doubles an image and halves it again, by two kernels of one geometry. */
const spec: ModelSpec = {
  input: [8, 8, 4],
  encoder: [],
  latent: 2,
  decoder: [dense(8 * 8 * 4), reshape(8, 8, 4), convTranspose2d(4, 4, kernel), conv2d(4, 4, { stride: 2 })],
  likelihood: "bernoulli",
};
const model = defineModel(resolveSpec(spec));
const graph: Graph = trainingGraph(model, dataTensor("bytes", 40, 256), { batch: 20 }, adam);
const winograd = (node: Node): Schedule => (schedulesOf(node).includes("winograd") ? "winograd" : "direct");
const count = ({ nodes }: Pick<Graph, "nodes">, pattern: RegExp) => nodes.filter(({ op }) => pattern.test(op)).length;

it("the rules have names, each its own", () =>
  expect(fusions().map(({ name }) => name)).toEqual(["loss_with_gradient", "joined_sums", "winograd"]));

it("a model's graph has a node for each thing that is computed; its plan has those that run", () => {
  const kinds = [/^bernoulli_grad$/, /^sum_pairs$/, /^sum_two_pairs$/, /^conv2d/, /^winograd_/];
  const counts = (of: Pick<Graph, "nodes">) => kinds.map((kind) => count(of, kind));
  expect(counts(graph)).toEqual([1, 2, 0, 6, 0]);
  const direct = plan(graph, { flats: flats(model) }).plan;
  expect(counts(direct)).toEqual([0, 0, 1, 6, 0]);
  const { plan: planned } = plan(graph, { flats: flats(model), schedule: winograd });
  expect(counts(planned)).toEqual([0, 0, 1, 0, expect.any(Number)]);
  expect(fuse(graph, winograd).nodes).toEqual(planned.nodes);
  for (const { nodes, dispatches } of [direct, planned]) expect(nodes).toHaveLength(dispatches.length);
});

describe("what was written over has a form of its own", () => {
  const planned = plan(graph, { flats: flats(model), schedule: winograd });
  const image = "decoder.2.output";

  it("though both images meet kernels of one geometry", () => {
    const forms = planned.plan.nodes.filter(
      ({ op, inputs }) => op === "winograd_large" && inputs.image!.name === image,
    );
    expect(forms).toHaveLength(2);
    // The gradient is written over what it is the gradient of.
    expect(count({ nodes: graph.nodes.filter(({ outputs }) => outputs.result?.name === image) }, /./)).toBe(2);
  });

  it("and the plan is sound", () => expect(planFaults(planned)).toEqual([]));
});

it("a gradient's parts are told by its shape, not by its name", () => {
  const renamed = (node: Node): Node =>
    node.outputs.dW ? { ...node, outputs: { ...node.outputs, dW: { ...node.outputs.dW, name: "other" } } } : node;
  const parts = (nodes: readonly Node[]) =>
    fuse({ nodes }, winograd)
      .nodes.filter(({ op }) => op === "winograd_to_weight")
      .map(({ attributes }) => attributes.parts);
  const gradients = graph.nodes.filter(({ op }) => /^conv2d.*_grad_weight$/.test(op));
  expect(parts(gradients)).toEqual([3, 3]);
  expect(parts(gradients.map(renamed))).toEqual([3, 3]);
});
