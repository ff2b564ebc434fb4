// Compares whole training steps of image models with the f64 twins and central differences, as in twin.test.ts: every
// kind of layer, in places where shapes, padding and merging gradients could go wrong.
import { describe } from "vitest";
import { Device } from "../../src/device.js";
import {
  avgPool2d,
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  flatten,
  groupNorm,
  maxPool2d,
  reshape,
  residual,
  upsample2d,
} from "../../src/layers/json.js";
import { schedules } from "../../src/ops/op.js";
import { testDevice } from "../support/gpu.js";
import { testTraining, type Setup } from "../support/training.js";

const device = await Device.open({ device: await testDevice() });
const [silu, gelu, elu, tanh, relu] = (["silu", "gelu", "elu", "tanh", "relu"] as const).map((activation) => ({
  activation,
})) as [
  { activation: "silu" },
  { activation: "gelu" },
  { activation: "elu" },
  { activation: "tanh" },
  { activation: "relu" },
];

const setups: Readonly<Record<string, Setup>> = {
  "strides on odd sizes, explicit and no padding, Bernoulli": {
    spec: {
      input: [9, 7, 1],
      encoder: [
        conv2d(5, 3, { stride: 2, ...silu }),
        conv2d(6, [3, 2], { stride: [1, 2], padding: "valid", ...silu }),
        conv2d(3, 3, { padding: [0, 2, 1, 0], ...silu }),
      ],
      latent: 3,
      decoder: [
        dense(36, elu),
        reshape(3, 2, 6),
        convTranspose2d(5, [3, 2], { stride: [1, 2], padding: "valid", ...silu }),
        convTranspose2d(1, 3, { stride: 2, padding: 1 }),
      ],
      likelihood: "bernoulli",
    },
    count: 30,
    gather: { batch: 6, shuffle: true },
    schedules,
  },
  "relu and padding like the input's, three channels, weight gradients in parts": {
    spec: {
      input: [8, 8, 3],
      encoder: [conv2d(6, 3, { stride: 2, ...relu }), conv2d(9, 4, { stride: 2, ...relu }), flatten(), dense(10, relu)],
      latent: 2,
      decoder: [
        dense(36, relu),
        reshape(2, 2, 9),
        convTranspose2d(6, 3, { stride: 2, ...relu }),
        convTranspose2d(3, 3, { stride: 2 }),
      ],
      likelihood: "bernoulli",
    },
    count: 120,
    gather: { batch: 40, shuffle: true, binarise: true },
    adam: { clipNorm: 1 },
    beta: 0.5,
    schedules,
  },
  "norms, dropout, residual layers, pooling and upsampling, Gaussian with learned sigma": {
    spec: {
      input: [8, 6, 2],
      encoder: [
        conv2d(6, 3),
        batchNorm(silu),
        residual([conv2d(6, 3, silu), dropout(0.3), conv2d(6, 3)], silu),
        maxPool2d(2),
        dropout(0.25),
        groupNorm(3),
      ],
      latent: 3,
      decoder: [
        dense(72, gelu),
        reshape(4, 3, 6),
        batchNorm({ momentum: 0.5 }),
        upsample2d(2, { mode: "bilinear" }),
        residual([conv2d(6, 3), batchNorm(silu), conv2d(6, 3)]),
        avgPool2d(3, { stride: 1, padding: "same" }),
        groupNorm(2, { epsilon: 1e-3, ...silu }),
        conv2d(2, 3, tanh),
      ],
      likelihood: { type: "gaussian", variance: "learned" },
    },
    count: 40,
    gather: { batch: 8, shuffle: true },
    schedules,
  },
  "dense encoder with a normalised vector, convolutional decoder": {
    spec: {
      input: [6, 5, 1],
      encoder: [dense(20, tanh), batchNorm(silu), dropout(0.2), dense(12, elu), groupNorm(4, gelu)],
      latent: 2,
      decoder: [
        dense(30, silu),
        reshape(3, 5, 2),
        convTranspose2d(3, 3, { stride: [2, 1], ...silu }),
        upsample2d([1, 2]),
        avgPool2d([1, 2]),
        conv2d(1, 3),
      ],
      likelihood: "bernoulli",
    },
    count: 30,
    gather: { batch: 10 },
    schedules,
  },
  "convolutional encoder, dense decoder, fixed variance": {
    spec: {
      input: [5, 6, 1],
      encoder: [dropout(0.1), conv2d(5, 3, { stride: 2, ...silu }), flatten(), dropout(0.2), dense(8, gelu)],
      latent: 2,
      decoder: [dropout(0.1), dense(15, elu), groupNorm(5), batchNorm(), dense(30, tanh), reshape(3, 10), flatten()],
      likelihood: { type: "gaussian", variance: 0.5 },
    },
    count: 30,
    gather: { batch: 10 },
    adam: { weightDecay: 0.1, decoupled: true },
    schedules,
  },
  // Large enough that a layer's gradients are two dispatches, and dx overwrites the tensor its slope is computed from.
  "gradients in place, over a value and over what was before its activation": {
    spec: {
      input: [64, 64, 1],
      encoder: [conv2d(4, 1, elu), conv2d(2, 2, { stride: 8, ...silu })],
      latent: 2,
      decoder: [
        dense(128, tanh),
        reshape(8, 8, 2),
        convTranspose2d(4, 8, { stride: 8, ...silu }),
        convTranspose2d(1, 1),
      ],
      likelihood: "bernoulli",
    },
    count: 32,
    gather: { batch: 32, shuffle: true },
    difference: 1e-4,
    // Each takes two passes over 131,072 pixels in f64.
    differences: 8,
  },
  "reshapes that move padding": {
    spec: {
      input: [7, 5, 3],
      encoder: [
        flatten(),
        reshape(5, 7, 3),
        conv2d(7, 2, { padding: "valid", ...silu }),
        reshape(7, 6, 4),
        reshape(8, 3, 7),
        avgPool2d([3, 2], { stride: [2, 1], padding: [1, 0, 0, 1] }),
        reshape(7, 3, 4),
        dropout(0.1),
        reshape(42, 2),
        groupNorm(2, tanh),
        residual([flatten(), reshape(6, 14), dense(9, silu), dense(84), reshape(2, 42), reshape(42, 2)], gelu),
      ],
      latent: 5,
      decoder: [
        dense(105, silu),
        reshape(3, 5, 7),
        batchNorm(),
        flatten(),
        dropout(0.1),
        reshape(7, 5, 3),
        conv2d(4, 1, elu),
        reshape(5, 4, 7),
        conv2d(3, [1, 2], { padding: [0, 0, 4, 0] }),
        reshape(7, 3, 5),
        conv2d(5, [3, 1]),
        reshape(7, 15),
        flatten(),
      ],
      likelihood: "bernoulli",
    },
    count: 24,
    gather: { batch: 8, shuffle: true },
  },
  "nested residual layers, and around layers that do nothing": {
    spec: {
      input: [6],
      encoder: [
        residual([residual([residual([dense(6, silu)])])], tanh),
        residual([residual([residual([dropout(0)])], gelu), residual([reshape(6, 1), flatten()])], tanh),
        residual([dropout(0.2)], silu),
        dense(7, relu),
        residual([dropout(0)]),
        residual([residual([dropout(0.2)])], tanh),
      ],
      latent: 2,
      decoder: [residual([residual([dropout(0)])], tanh), residual([residual([residual([dense(2)])])], tanh), dense(6)],
      likelihood: { type: "gaussian", variance: "learned" },
    },
    count: 40,
    gather: { batch: 8, shuffle: true },
  },
};

describe.each(Object.entries(setups))("%s", (name, setup) => testTraining(device, name, setup));
