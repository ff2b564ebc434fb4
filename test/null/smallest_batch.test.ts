// If a layer divides by a count of 1, its output would silently not depend on its input. Every kind of layer on every
// smallest shape either passes on something of its input or is rejected by name.
import { describe, expect, it } from "vitest";
import { fromArray } from "../../src/datasets.js";
import * as made from "../../src/layers/json.js";
import { VAE, type Layer, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import { dataTensor } from "../../src/ops/gather.js";
import { defineModel } from "../../src/parameters.js";
import { smallestBatch } from "../../src/smallest_batch.js";
import { resolveSpec } from "../../src/spec.js";
import { trainingGraph } from "../../src/vae.js";
import { initialWeights } from "../../src/weights.js";
import { fault } from "../support/fault.js";
import { nullDevice } from "../support/gpu.js";
import { Interpreter } from "../support/interpreter.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };
const specOf = (input: readonly number[], layer: Layer): ModelSpec => ({
  input: [...input],
  encoder: [layer],
  latent: 2,
  decoder: [made.dense(input.reduce((a, b) => a * b))],
  likelihood: { type: "gaussian", variance: 1 },
});

/** Every kind of layer, for an input with this many channels and values. */
const layers = (channels: number, values: number, image: boolean): Record<string, Layer> => ({
  dense: made.dense(3),
  batchNorm: made.batchNorm(),
  "groupNorm of one group": made.groupNorm(1),
  "groupNorm of a group a channel": made.groupNorm(channels),
  dropout: made.dropout(0.01),
  flatten: made.flatten(),
  reshape: made.reshape(1, values),
  ...(image
    ? {
        conv2d: made.conv2d(2, 1),
        convTranspose2d: made.convTranspose2d(2, 1),
        maxPool2d: made.maxPool2d(1),
        avgPool2d: made.avgPool2d(1),
        "avgPool2d, padded": made.avgPool2d(2, { stride: 1, padding: 1 }),
        upsample2d: made.upsample2d(2),
      }
    : {}),
});

/** Whether another batch gives other heads; the error message if the spec is rejected. */
function passes(spec: ModelSpec, batch: number): boolean | string {
  let model;
  try {
    model = defineModel(resolveSpec(spec));
  } catch (error) {
    return (error as Error).message;
  }
  const { rows, layer } = smallestBatch(model);
  const data = dataTensor("floats", batch, model.resolved.inputSize);
  const graph = trainingGraph(model, data, { batch }, adam);
  const heads = (seed: string) => {
    const interpreter = new Interpreter(graph);
    interpreter.setFlat(model.params, initialWeights(model, 1, "torch"));
    interpreter.set("floats", new RandomValues(seed).normal(batch * model.resolved.inputSize));
    interpreter.run({ ...defaultStep, rows: batch });
    return [...interpreter.get("heads")];
  };
  const [one, other] = [heads("one"), heads("other")];
  const differs = one.some((value, i) => Math.abs(value - other[i]!) > 1e-9);
  if (batch < rows) expect(differs, "a batch is refused that would do").toBe(false);
  return batch < rows ? `${layer!.path} needs ${rows}` : differs;
}

const shapes: readonly (readonly number[])[] = [[1], [4], [1, 1, 1], [1, 1, 4], [1, 2, 1], [2, 1, 4]];

describe.each(shapes.map((shape) => [shape.join("x"), shape] as const))("an input of %s", (_, shape) => {
  const values = shape.reduce((a, b) => a * b);
  const all = Object.entries(layers(shape.at(-1)!, values, shape.length === 3));
  it.each(all)("%s passes it on, or is rejected", (name, layer) => {
    for (const batch of [1, 2]) {
      const found = passes(specOf(shape, layer), batch);
      expect(found, `batch ${batch}`).not.toBe(false);
      const pixels = values / shape.at(-1)!;
      const alone = name.startsWith("batchNorm") ? batch * pixels : name.startsWith("groupNorm") ? groupOf(name) : 2;
      expect(typeof found === "string", `batch ${batch}: ${found}`).toBe(alone === 1);
    }
    function groupOf(of: string) {
      return of.endsWith("channel") ? values / shape.at(-1)! : values;
    }
  });
});

it("the smallest batch names the first layer that requires it, however deep", () => {
  const of = (...encoder: Layer[]) =>
    smallestBatch(defineModel(resolveSpec({ ...specOf([4], made.dense(4)), encoder })));
  expect(of(made.dense(4))).toEqual({ rows: 1 });
  expect(of(made.dense(4), made.residual([made.dense(4), made.batchNorm()]), made.batchNorm())).toMatchObject({
    rows: 2,
    layer: { path: "encoder.1.1", type: "batch_norm" },
  });
});

it("training with one example is rejected with layer, batch and remedy before anything is allocated", async () => {
  const device = await nullDevice();
  using vae = await VAE.create(specOf([4], made.batchNorm()), { device });
  const before = vae.memory().deviceBuffers;
  const data = fromArray(new Float32Array(32), { shape: [4] });
  const train = async (options: TrainingOptions) => {
    for await (const report of vae.train(data, options)) return report.step;
    return 0;
  };
  await expect(train({ batchSize: 1 })).rejects.toThrow(
    fault(
      "INVALID_OPTION",
      /^batchSize 1: encoder\.0 \(batch_norm\) would normalise 1 value of each of its 4 channels.* at least 2, or groupNorm/,
    ),
  );
  expect(vae.memory().deviceBuffers).toBe(before);
});
