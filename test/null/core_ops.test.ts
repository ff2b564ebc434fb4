// A dense Bernoulli model trains, evaluates and samples with the core alone: its graphs have no op of layers.js, not even
// before neighbours are made one. Here all ops are loaded, so a page would be the first to miss one.
import { expect, test } from "vitest";
import { models } from "../../src/index.js";
import { adamOps } from "../../src/ops/adam.js";
import { bernoulliOps } from "../../src/ops/bernoulli.js";
import { gatherOps, dataTensor } from "../../src/ops/gather.js";
import { gradientNormOps } from "../../src/ops/gradient_norm.js";
import { linearOps } from "../../src/ops/linear.js";
import { reparameterizeOps } from "../../src/ops/reparameterize.js";
import { sumOps } from "../../src/ops/sum.js";
import { defineModel } from "../../src/parameters.js";
import { resolveSpec } from "../../src/spec.js";
import * as vae from "../../src/vae.js";
import { textOf } from "../support/sources.js";

const core = [gatherOps, linearOps, reparameterizeOps, bernoulliOps, sumOps, gradientNormOps, adamOps];
const names = core.flat().map(({ name }) => name);
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 1 };

test("these are the core's ops", () => {
  const imported = [...textOf("src/ops/index.ts").matchAll(/^import \{ (\w+Ops) \}/gm)].map(([, name]) => name);
  expect(imported).toHaveLength(core.length);
});

test.each(["mlp", "mlp-deep", "minimal"] as const)("%s", (name) => {
  const model = defineModel(resolveSpec(models[name]([28, 28, 1], 20)));
  const data = dataTensor("bytes", 2000, 784);
  const graphs = [
    // Also a batch whose sums are made in parts.
    ...[128, 1100].map((batch) => vae.trainingGraph(model, data, { batch, shuffle: true, binarise: true }, adam)),
    vae.evaluationGraph(model, data, { batch: 256 }),
    vae.encodingGraph(model, 8),
    vae.decodingGraph(model, 8),
    ...[true, false].flatMap((noise) => [vae.samplingGraph(model, 8, noise), vae.reconstructionGraph(model, 8, noise)]),
  ];
  const ops = new Set(graphs.flatMap(({ nodes }) => nodes.map(({ op }) => op)));
  expect([...ops].filter((op) => !names.includes(op))).toEqual([]);
});
