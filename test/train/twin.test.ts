// Compares whole training steps of dense layers with the f64 twins, and the twins' gradients of the whole objective
// with central differences of the forward pass alone, so that a wrong gradient rule is caught whatever the kernels do.
import { describe } from "vitest";
import { Device } from "../../src/device.js";
import { dense } from "../../src/layers/json.js";
import { opNamed } from "../../src/ops/index.js";
import type { Schedule } from "../../src/ops/op.js";
import type { ModelSpec } from "../../src/spec.js";
import { testDevice } from "../support/gpu.js";
import { testTraining, type Setup } from "../support/training.js";

const device = await Device.open({ device: await testDevice() });

const mlp = (
  units: number,
  activation: "relu" | "gelu" | "elu",
  likelihood: ModelSpec["likelihood"],
  input: number[],
  latent: number,
) => {
  const hidden = [dense(units, { activation })];
  const output = dense(input.reduce((product, n) => product * n, 1));
  return { input, encoder: hidden, latent, decoder: [...hidden, output], likelihood };
};

const schedules = Object.keys(opNamed("linear").schedules!) as Schedule[];

const setups: Readonly<Record<string, Setup>> = {
  "relu, Bernoulli, images": {
    spec: mlp(64, "relu", "bernoulli", [28, 28, 1], 5),
    count: 100,
    gather: { batch: 32, shuffle: true },
    kinks: true,
    schedules,
  },
  "silu, Gaussian with learned sigma, points": {
    spec: {
      input: [2],
      encoder: [dense(20, { activation: "silu" }), dense(10, { activation: "silu" })],
      latent: 2,
      decoder: [dense(10, { activation: "silu" }), dense(20, { activation: "silu" }), dense(2)],
      likelihood: { type: "gaussian", variance: "learned" },
    },
    count: 320,
    gather: { batch: 32, shuffle: true },
  },
  "gelu, binarised, clipped, beta, a batch in parts": {
    spec: mlp(20, "gelu", "bernoulli", [5, 3, 1], 3),
    count: 2000,
    gather: { batch: 521, shuffle: true, binarise: true },
    adam: { clipNorm: 1, weightDecay: 0.01, decoupled: true },
    beta: 0.3,
    schedules,
  },
  "less noise": {
    spec: mlp(20, "elu", "bernoulli", [5, 3, 1], 3),
    count: 90,
    gather: { batch: 30 },
    noise: 0.4,
  },
  "no noise, a plain autoencoder": {
    spec: mlp(20, "elu", "bernoulli", [5, 3, 1], 3),
    count: 90,
    gather: { batch: 30 },
    beta: 0,
    noise: 0,
  },
  "elu, Gaussian with fixed variance and an activation on its mean": {
    spec: {
      ...mlp(10, "elu", { type: "gaussian", variance: 0.25 }, [7], 6),
      decoder: [dense(9, { activation: "softplus" }), dense(7, { activation: "tanh" })],
    },
    count: 50,
    gather: { batch: 25, shuffle: true },
  },
  "Laplace with a learned scale and an activation on its mean": {
    spec: {
      ...mlp(10, "elu", { type: "laplace", scale: "learned" }, [7], 6),
      decoder: [dense(9, { activation: "softplus" }), dense(7, { activation: "tanh" })],
    },
    count: 50,
    gather: { batch: 25, shuffle: true },
  },
  "importance weighting, five draws": {
    spec: mlp(20, "elu", "bernoulli", [5, 3, 1], 3),
    count: 90,
    gather: { batch: 30, shuffle: true, binarise: true },
    objective: { type: "iwae", samples: 5 },
  },
  "importance weighting, Gaussian with learned sigma": {
    spec: mlp(12, "gelu", { type: "gaussian", variance: "learned" }, [7], 6),
    count: 50,
    gather: { batch: 25 },
    objective: { type: "iwae", samples: 3 },
  },
  "a mixture prior": {
    spec: { ...mlp(20, "elu", "bernoulli", [5, 3, 1], 3), prior: { type: "mixture", components: 4 } },
    count: 90,
    gather: { batch: 30, shuffle: true },
    beta: 0.7,
  },
  "importance weighting and a mixture prior": {
    spec: { ...mlp(20, "elu", "bernoulli", [5, 3, 1], 3), prior: { type: "mixture", components: 4 } },
    count: 90,
    gather: { batch: 30 },
    objective: { type: "iwae", samples: 3 },
  },
  "conditional on labels": {
    spec: { ...mlp(20, "elu", "bernoulli", [5, 3, 1], 3), condition: { type: "label", classes: 6 } },
    count: 90,
    gather: { batch: 30, shuffle: true },
  },
  "conditional, importance-weighted, with a mixture prior, Laplace": {
    spec: {
      ...mlp(10, "elu", { type: "laplace", scale: "learned" }, [7], 6),
      prior: { type: "mixture", components: 2 },
      condition: { type: "label", classes: 3 },
    },
    count: 50,
    gather: { batch: 25, shuffle: true },
    objective: { type: "iwae", samples: 2 },
  },
  "no hidden layer at all": {
    spec: { input: [9], encoder: [], latent: 1, decoder: [dense(9)], likelihood: "bernoulli" },
    count: 30,
    gather: { batch: 3 },
    adam: { weightDecay: 0.1 },
  },
};

describe.each(Object.entries(setups))("%s", (name, setup) => testTraining(device, name, setup));
