import { describe, expect, it } from "vitest";
import { fuse } from "../../src/fuse.js";
import { differentiate } from "../../src/gradient.js";
import { graphTensors, ONE, printGraph, type Graph } from "../../src/graph.js";
import { gather, dataTensor } from "../../src/ops/gather.js";
import { linear } from "../../src/ops/linear.js";
import { sumAll } from "../../src/ops/sum.js";
import { plan, printPlan } from "../../src/plan.js";
import { dense, dropout, residual } from "../../src/layers/json.js";
import { resolveSpec, type ModelSpec } from "../../src/spec.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import { defineModel, flats } from "../../src/parameters.js";
import { evaluationGraph, trainingGraph } from "../../src/vae.js";

const model = defineModel(
  resolveSpec({
    input: [6],
    encoder: [dense(5, { activation: "silu" })],
    latent: 2,
    decoder: [dense(4, { activation: "relu" }), dense(6)],
    likelihood: { type: "gaussian", variance: "learned" },
  }),
);
const data = dataTensor("floats", 100, 6);
const optimizer = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };
const training = trainingGraph(model, data, { batch: 3, shuffle: true }, optimizer);

describe("a model's training step", () => {
  it("as a graph", () =>
    expect(printGraph(training)).toMatchInlineSnapshot(`
      "x [3, 6] = gather_floats(floats; shuffle=true; binarise=false)
      encoder.0.output [3, 5], encoder.0.output.pre [3, 5] = linear(x, W=encoder.0.weight, b=encoder.0.bias; activation=silu)
      heads [3, 2, 2] = linear(x=encoder.0.output, W=heads.weight, b=heads.bias; activation=none)
      z [3, 2], kl [3, 2], clamped [3, 1] = reparameterize(heads; noise=true; noise=$noise)
      decoder.0.output [3, 4] = linear(x=z, W=decoder.0.weight, b=decoder.0.bias; activation=relu)
      mean [3, 6] = linear(x=decoder.0.output, W=decoder.1.weight, b=decoder.1.bias; activation=none)
      reconstruction [3, 1] = gaussian(mean, x, log_scale=log_sigma, saved=mean; learned=true)
      dmean [3, 6], dlog_sigma_parts [3, 1] = gaussian_grad(mean, x, log_scale=log_sigma, saved=mean; learned=true; weight=$one)
      dlog_sigma [1] = sum_all(values=dlog_sigma_parts)
      ddecoder.0.output [3, 4], ddecoder.1.weight [4, 6], ddecoder.1.bias [6] = linear_grad(x=decoder.0.output, W=decoder.1.weight, dy=dmean, saved=decoder.0.output; activation=relu)
      dz [3, 2], ddecoder.0.weight [2, 4], ddecoder.0.bias [4] = linear_grad(x=z, W=decoder.0.weight, dy=ddecoder.0.output, saved=z; activation=none)
      dheads [3, 2, 2] = reparameterize_grad(heads, z, dz; noise=true; weight=$beta)
      dencoder.0.output [3, 5], dheads.weight [5, 2, 2], dheads.bias [2, 2] = linear_grad(x=encoder.0.output, W=heads.weight, dy=dheads, saved=encoder.0.output.pre; activation=silu)
      dencoder.0.weight [6, 5], dencoder.0.bias [5] = linear_grad_weight(x, dy=dencoder.0.output)
      norms [64], health [2] = gradient_norm(gradients, reconstruction, kl)
      params [1152], moment1 [1152], moment2 [1152] = adam(gradients, norm, health; beta1=0.9; beta2=0.999; epsilon=1e-8; weightDecay=0; decoupled=false; clipNorm=0; rate=$learning_rate; correction1=$correction1; correction2=$correction2)"
    `));

  it("as a plan", () =>
    expect(printPlan(plan(training, { flats: flats(model), slots: 2 }).plan)).toMatchInlineSnapshot(`
      " 0 gather_floats x (gather, 1 workgroups): floats=floats+0 x=slot0+0
       1 linear encoder.0.output (linear, 1 workgroups): W=params+0 b=params+512 pre=slot2+0 x=slot0+0 y=slot1+0
       2 linear heads (linear, 1 workgroups): W=params+1024 b=params+1536 pre=- x=slot1+0 y=slot3+0
       3 reparameterize z (reparameterize, 1 workgroups): clamped=clamped+0 heads=slot3+0 kl=kl+0 z=slot6+0
       4 linear decoder.0.output (linear, 1 workgroups): W=params+2048 b=params+2560 pre=- x=slot6+0 y=slot7+0
       5 linear mean (linear, 1 workgroups): W=params+3072 b=params+3584 pre=- x=slot7+0 y=slot4+0
       6 gaussian reconstruction (gaussian, 1 workgroups): dlog_scale_parts=slot8+0 dmean=slot5+0 log_scale=params+4096 mean=slot4+0 reconstruction=reconstruction+0 saved=slot4+0 x=slot0+0
       7 sum_all dlog_sigma (sum, 1 workgroups): values=slot8+0 y=gradients+4096
       8 linear_grad ddecoder.0.output (linear, 3 workgroups): W=params+3072 dW=gradients+3072 db=gradients+3584 dx=slot4+0 dy=slot5+0 saved=slot7+0 x=slot7+0
       9 linear_grad dz (linear, 3 workgroups): W=params+2048 dW=gradients+2048 db=gradients+2560 dx=slot7+0 dy=slot4+0 saved=slot6+0 x=slot6+0
      10 reparameterize_grad dheads (reparameterize, 1 workgroups): dheads=slot4+0 dz=slot7+0 heads=slot3+0 z=slot6+0
      11 linear_grad dencoder.0.output (linear, 3 workgroups): W=params+1024 dW=gradients+1024 db=gradients+1536 dx=slot3+0 dy=slot4+0 saved=slot2+0 x=slot1+0
      12 linear_grad_weight dencoder.0.weight (linear, 2 workgroups): dW=gradients+0 db=gradients+512 dy=slot3+0 x=slot0+0
      13 gradient_norm norms (gradient_norm, 1 workgroups): gradients=gradients+0 health=health+0 kl=kl+0 norms=norms+0 reconstruction=reconstruction+0
      14 adam params (adam, 1 workgroups): gradients=gradients+0 health=health+0 moment1=moment1+0 moment2=moment2+0 norm=norm+0 params=params+0 weights=-
         params (param) 4608 bytes
         gradients (gradient) 4608 bytes
         moment1 (state) 4608 bytes
         moment2 (state) 4608 bytes
         floats (input) 3200 bytes
         kl (ring) 96 bytes
         clamped (ring) 24 bytes
         reconstruction (ring) 24 bytes
         norms (ring) 512 bytes
         health (state) 16 bytes
         norm (state) 16 bytes
         slot0 (slot) 96 bytes
         slot1 (slot) 96 bytes
         slot2 (slot) 96 bytes
         slot3 (slot) 96 bytes
         slot4 (slot) 96 bytes
         slot5 (slot) 96 bytes
         slot6 (slot) 48 bytes
         slot7 (slot) 48 bytes
         slot8 (slot) 16 bytes"
    `));

  it("sums the parts of a batch", () => {
    const large = trainingGraph(model, data, { batch: 1025, shuffle: true }, optimizer);
    const sums = printGraph(fuse(large))
      .split("\n")
      .filter((line) => line.includes("_pairs("));
    expect(sums).toMatchInlineSnapshot(`
      [
        "ddecoder.1.weight [4, 6], ddecoder.1.bias [6], ddecoder.0.weight [2, 4], ddecoder.0.bias [4] = sum_two_pairs(parts=ddecoder.1.weight.parts, parts2=ddecoder.1.bias.parts, parts3=ddecoder.0.weight.parts, parts4=ddecoder.0.bias.parts)",
        "dheads.weight [5, 2, 2], dheads.bias [2, 2], dencoder.0.weight [6, 5], dencoder.0.bias [5] = sum_two_pairs(parts=dheads.weight.parts, parts2=dheads.bias.parts, parts3=dencoder.0.weight.parts, parts4=dencoder.0.bias.parts)",
      ]
    `);
  });
});

it("no two dropouts share a mask, and dropouts with a rate of 0 are omitted", () => {
  const layers = [dropout(0.1), residual([dropout(0.2), dense(6), dropout(0)]), dropout(0.1)];
  const spec: ModelSpec = {
    input: [6],
    encoder: layers,
    latent: 6,
    decoder: [...layers, dense(6)],
    likelihood: "bernoulli",
  };
  const { nodes } = trainingGraph(defineModel(resolveSpec(spec)), data, { batch: 3 }, optimizer);
  const masks = (op: string) =>
    nodes.filter((node) => node.op === op).map(({ attributes }) => Number(attributes.layer));
  expect(masks("dropout")).toEqual([0, 1, 2, 3, 4, 5]);
  // Nothing before the first weights needs a gradient.
  expect(masks("dropout_grad").sort()).toEqual([2, 3, 4, 5]);
});

it("the rows of a ring are contiguous, even if a step leaves less than a vec4", () => {
  const { plan: planned } = plan(evaluationGraph(model, data, { batch: 1 }), { flats: flats(model), slots: 5 });
  expect(planned.places.reconstruction!.bytes).toBe(5 * 4);
  expect(planned.places.kl!.bytes).toBe(5 * 16);
  // Which only training reads.
  expect(planned.places.clamped).toBeUndefined();
});

describe("throws", () => {
  const W = weightTensor("W", "param", [4], [4]);
  const b = tensor("b", "param", [4]);
  const x = tensor("x", "input", [2, 4]);

  it("if a gradient passes through an op without a rule", () => {
    const first = linear("y", x, W, b);
    const total = tensor("total", "ring", [1]);
    const terms = [{ name: "total", value: total, knob: ONE }];
    const graph: Graph = { nodes: [first, sumAll(first.outputs.y!, total)], terms };
    expect(() => differentiate(graph)).toThrow("op sum_all has no gradient rule, and total = sum_all needs one");
  });

  it("if no gradient reaches a parameter", () => {
    expect(() => differentiate({ nodes: [linear("y", x, W, b)] })).toThrow("no gradient reaches the parameter W");
  });

  it("if two tensors share a name", () => {
    const nodes = [linear("y", x, W, b), linear("y", tensor("x2", "input", [3, 4]), W, b)];
    expect(() => graphTensors({ nodes })).toThrow("two tensors are named y: [2,4] and [3,4]");
    expect(() => plan({ nodes })).toThrow("two tensors are named y");
  });

  it("if a node reads a tensor that no node makes", () => {
    expect(() => plan({ nodes: [linear("y", tensor("h", "activation", [2, 4]), W, b)] })).toThrow(
      "linear reads h, which no node makes",
    );
  });

  it("if there is no such op, or the shader has no such tensor", () => {
    const node = gather(data, { batch: 2 });
    expect(() => plan({ nodes: [{ ...node, op: "gather_bits" }] })).toThrow("no op is named gather_bits");
    expect(() => plan({ nodes: [{ ...node, outputs: { ...node.outputs, extra: b } }] })).toThrow(
      "gather_floats: the shader uses no tensor named extra",
    );
    expect(() => plan({ nodes: [{ ...node, inputs: {} }] })).toThrow("gather_floats: data or x is missing");
    expect(() => plan({ nodes: [{ ...linear("y", x, W, b), inputs: { x, W } }] })).toThrow(
      "linear: no tensor is given for b",
    );
  });
});
