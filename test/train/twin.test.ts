// Whole training steps against the f64 twins, and the twins' gradients of the whole objective against central
// differences of its forward pass alone: a wrong gradient rule is caught whatever the kernels do.
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { Executable, type StepValues } from "../../src/executable.js";
import type { AdamOptions } from "../../src/ops/adam.js";
import { dataTensor, type GatherOptions } from "../../src/ops/gather.js";
import { schedules, type Schedule } from "../../src/ops/op.js";
import { plan } from "../../src/plan.js";
import { readRanges } from "../../src/readback.js";
import { dense } from "../../src/layers.js";
import { resolveSpec, type ModelSpec } from "../../src/spec.js";
import type { Tensor } from "../../src/tensor.js";
import { defineModel, flats, type Model } from "../../src/parameters.js";
import { evaluationGraph, trainingGraph } from "../../src/vae.js";
import { initialWeights } from "../../src/weights.js";
import { centralDifference } from "../support/differences.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { Interpreter } from "../support/interpreter.js";
import { toStorage } from "../support/layout.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });
const STEPS = 10;

interface Setup {
  readonly spec: ModelSpec;
  readonly count: number;
  readonly gather: GatherOptions;
  readonly adam?: Partial<AdamOptions>;
  readonly beta?: number;
  /**
   * Some units of a relu lie so near zero that the 6e-5 by which a software adapter's noise is off turns them on or
   * off; their gradients, and with them the small KL term of these first steps, then differ by more than rounding.
   */
  readonly kinks?: boolean;
  /** Default: direct. The epilogues, which depend on the model, are the same in all. */
  readonly schedules?: readonly Schedule[];
}

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
  "elu, Gaussian with fixed variance and an activation on its mean": {
    spec: {
      ...mlp(10, "elu", { type: "gaussian", variance: 0.25 }, [7], 6),
      decoder: [dense(9, { activation: "softplus" }), dense(7, { activation: "tanh" })],
    },
    count: 50,
    gather: { batch: 25, shuffle: true },
  },
  "no hidden layer at all": {
    spec: { input: [9], encoder: [], latent: 1, decoder: [dense(9)], likelihood: "bernoulli" },
    count: 30,
    gather: { batch: 3 },
    adam: { weightDecay: 0.1 },
  },
};

const adamDefaults: AdamOptions = {
  beta1: 0.9,
  beta2: 0.999,
  // At 1e-8 a step has one size however small the gradient, and the f32 noise decides the signs of the smallest.
  epsilon: 1e-3,
  weightDecay: 0,
  decoupled: false,
  clipNorm: 0,
};

function build({ spec, count, gather, adam, beta = 1 }: Setup, name: string) {
  const model = defineModel(resolveSpec(spec));
  const kind = spec.likelihood === "bernoulli" ? "bytes" : "floats";
  const data = dataTensor(kind, count, model.resolved.inputSize);
  const random = new RandomValues(name);
  const size = count * model.resolved.inputSize;
  const values = kind === "bytes" ? random.integers(size, 0, 256) : random.normal(size);
  const options = { ...adamDefaults, ...adam };
  const batches = Math.floor(count / gather.batch);
  const steps = Array.from({ length: STEPS }, (_, t): StepValues => {
    const [correction1, correction2] = [1 / (1 - options.beta1 ** (t + 1)), 1 / (1 - options.beta2 ** (t + 1))];
    const place = { epoch: Math.floor(t / batches), first_row: (t % batches) * gather.batch, rows: gather.batch };
    return { ...defaultStep, step: t, slot: t, ...place, learning_rate: 1e-3, beta, correction1, correction2 };
  });
  return {
    model,
    data,
    values,
    steps,
    weights: initialWeights(model, 1, "torch"),
    training: trainingGraph(model, data, gather, options),
    evaluation: evaluationGraph(model, data, gather),
  };
}
type Built = ReturnType<typeof build>;

function start(interpreter: Interpreter, { model, data, values, weights }: Built): void {
  interpreter.setFlat(model.params, weights);
  interpreter.set(data.name, values);
  if (model.logSigma?.role === "state") interpreter.set(model.logSigma.name, [fixedLogSigma(model)]);
}

function fixedLogSigma(model: Model): number {
  const { likelihood } = model.resolved.spec;
  return likelihood !== "bernoulli" && likelihood.variance !== "learned" ? 0.5 * Math.log(likelihood.variance) : 0;
}

/** Both terms per example, of one step. */
function terms(reconstruction: ArrayLike<number>, kl: ArrayLike<number>, rows: number): [number, number] {
  const sum = (values: ArrayLike<number>, stride: number) => {
    let total = 0;
    for (let i = 0; i < values.length; i += stride) total += values[i]!;
    return total / rows;
  };
  return [sum(reconstruction, 1), sum(kl, 2)];
}

function trainOnTwins(built: Built) {
  const interpreter = new Interpreter(built.training);
  start(interpreter, built);
  const losses = built.steps.map((step) => {
    interpreter.run(step);
    return terms(interpreter.get("reconstruction"), interpreter.get("kl"), step.rows);
  });
  return { losses, params: interpreter.flat(built.model.params) };
}

async function trainOnGpu({ model, data, values, weights, training, steps }: Built, schedule: Schedule) {
  const planned = plan(training, { flats: flats(model), slots: STEPS, schedule: () => schedule });
  const executable = await Executable.create(device, planned);
  try {
    const write = (tensor: Tensor, bytes: Uint8Array<ArrayBuffer>) => {
      const { buffer, offset } = executable.locate(tensor.name);
      device.gpu.queue.writeBuffer(buffer, offset, bytes);
    };
    write(model.params, new Uint8Array(weights.buffer));
    write(data, toStorage(data, values));
    if (model.logSigma?.role === "state")
      write(model.logSigma, toStorage(model.logSigma, Float64Array.of(fixedLogSigma(model))));
    executable.writeSteps(steps);
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    steps.forEach((_, index) => executable.encode(pass, index));
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const read = async (name: string) => new Float32Array(await readRanges(device, [executable.locate(name)]));
    const [reconstruction, kl] = [await read("reconstruction"), await read("kl")];
    const row = (all: Float32Array, index: number) =>
      all.subarray((index * all.length) / STEPS, ((index + 1) * all.length) / STEPS);
    const losses = steps.map((step, index) => terms(row(reconstruction, index), row(kl, index), step.rows));
    return { losses, params: Float64Array.from(await read("params")) };
  } finally {
    executable.dispose();
  }
}

const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

describe.each(Object.entries(setups))("%s", (name, setup) => {
  const built = build(setup, name);
  const twin = trainOnTwins(built);
  const { schedules = ["direct"], kinks = false } = setup;
  const here = schedules.filter((schedule) => schedule !== "subgroups" || device.gpu.features.has("subgroups"));

  it.each(here)("ten steps on the GPU are the twins' ten steps: %s", async (schedule) => {
    const gpu = await withErrorScopes(device.gpu, () => trainOnGpu(built, schedule));
    gpu.losses.forEach(([reconstruction, kl], step) => {
      const expected = twin.losses[step]!;
      expect(Math.abs(reconstruction / expected[0] - 1), `reconstruction of step ${step}`).toBeLessThan(1e-4);
      expect(Math.abs(kl / expected[1] - 1), `KL of step ${step}`).toBeLessThan(kinks ? 2e-3 : 1e-4);
    });
    const moved = norm(twin.params.map((value, i) => value - built.weights[i]!));
    const apart = norm(twin.params.map((value, i) => value - gpu.params[i]!));
    expect(moved).toBeGreaterThan(1e-3);
    expect(apart / moved).toBeLessThan(kinks ? 5e-2 : 1e-3);
  });

  it("gradients of the objective are its central differences", () => {
    const { model, steps } = built;
    const step = { ...steps[1]!, learning_rate: 0 };
    const backward = new Interpreter(built.training);
    start(backward, built);
    backward.run(step);
    const forward = new Interpreter(built.evaluation);
    start(forward, built);
    const objective = () => {
      forward.run(step);
      const [reconstruction, kl] = terms(forward.get("reconstruction"), forward.get("kl"), step.rows);
      return reconstruction + step.beta * kl;
    };
    const random = new RandomValues(`differences, ${name}`);
    for (const { tensor } of model.parameters) {
      const gradient = backward.get(`d${tensor.name}`);
      const values = forward.get(tensor.name);
      const scale = norm(gradient) / Math.sqrt(gradient.length);
      expect(scale, `d${tensor.name} is all zero`).toBeGreaterThan(0);
      const chosen = random.integers(Math.min(30, gradient.length), 0, gradient.length);
      for (const i of gradient.length <= 30 ? gradient.keys() : chosen) {
        const difference = centralDifference(objective, values, i, 1e-6);
        // The objective is some hundreds: its last bits are 1e-7 of a gradient of 1 at this step.
        expect(Math.abs(gradient[i]! - difference), `d${tensor.name}[${i}]`).toBeLessThan(1e-6 + 1e-4 * scale);
      }
    }
  });
});
