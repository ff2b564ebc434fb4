// What the tests of whole training steps share: ten steps on the GPU against the same on the f64 twins, and the twins'
// gradients of the whole objective against central differences of its forward pass alone.
import { forced } from "./forced.js";
import { expect, it } from "vitest";
import type { Device } from "../../src/device.js";
import { Executable, type StepValues } from "../../src/executable.js";
import { ONE, type Graph } from "../../src/graph.js";
import { objectiveOf } from "../../src/objectives/index.js";
import type { Objective } from "../../src/objectives/json.js";
import type { AdamOptions } from "../../src/ops/adam.js";
import { dataTensor, type GatherOptions } from "../../src/ops/gather.js";
import { labelsTensor } from "../../src/ops/labels.js";
import type { Schedule } from "../../src/ops/op.js";
import { defineModel, flats } from "../../src/parameters.js";
import { plan } from "../../src/plan.js";
import { readRanges } from "../../src/readback.js";
import { resolveSpec, type ModelSpec } from "../../src/spec.js";
import type { Tensor } from "../../src/tensor.js";
import { runnable } from "../../src/products.js";
import { evaluationGraph, trainingGraph } from "../../src/vae.js";
import { initialStatistics, initialWeights, type Initialisation } from "../../src/weights.js";
import { centralDifference } from "./differences.js";
import { withErrorScopes } from "./gpu.js";
import { Interpreter } from "./interpreter.js";
import { toStorage } from "./layout.js";
import { RandomValues } from "./random_values.js";
import { defaultStep } from "./run_node.js";

const STEPS = 10;

export interface Setup {
  readonly spec: ModelSpec;
  readonly count: number;
  /** The data's values, count of them; random ones by default. */
  readonly values?: Float64Array;
  /** Default: torch. */
  readonly initialisation?: Initialisation;
  readonly gather: GatherOptions;
  readonly adam?: Partial<AdamOptions>;
  /** Default: the ELBO. */
  readonly objective?: Objective;
  readonly beta?: number;
  readonly noise?: number;
  /** Step of the central differences; of a sum of very many pixels the last bits need a longer one. Default 1e-6. */
  readonly difference?: number;
  /** Values of each parameter that have one. Default 30. */
  readonly differences?: number;
  /**
   * Some units of a relu lie so near zero that the 6e-5 by which a software adapter's noise is off turns them on or
   * off; their gradients, and with them the small KL term of these first steps, then differ by more than rounding.
   */
  readonly kinks?: boolean;
  /** Default: direct. The epilogues, which depend on the model, are the same in all. */
  readonly schedules?: readonly Schedule[];
}

const adamDefaults: AdamOptions = {
  beta1: 0.9,
  beta2: 0.999,
  // At 1e-8 a step has one size however small the gradient, and the f32 noise decides the signs of the smallest.
  epsilon: 1e-3,
  weightDecay: 0,
  decoupled: false,
  clipNorm: 0,
};

export function build(setup: Setup, name: string) {
  const { spec, count, gather, adam, beta = 1, noise = 1, initialisation = "torch" } = setup;
  const model = defineModel(resolveSpec(spec));
  const kind = spec.likelihood === "bernoulli" ? "bytes" : "floats";
  const data = dataTensor(kind, count, model.resolved.inputSize);
  const random = new RandomValues(name);
  const size = count * model.resolved.inputSize;
  const values = setup.values ?? (kind === "bytes" ? random.integers(size, 0, 256) : random.normal(size));
  const { condition } = spec;
  const labels = condition && labelsTensor(count);
  const options = { ...adamDefaults, ...adam };
  const perEpoch = Math.floor(count / gather.batch);
  const steps = Array.from({ length: STEPS }, (_, t): StepValues => {
    const [correction1, correction2] = [1 / (1 - options.beta1 ** (t + 1)), 1 / (1 - options.beta2 ** (t + 1))];
    const place = { epoch: Math.floor(t / perEpoch), first_row: (t % perEpoch) * gather.batch, rows: gather.batch };
    const knobs = { learning_rate: 1e-3, beta, noise, correction1, correction2 };
    return { ...defaultStep, step: t, slot: t, ...place, knobs };
  });
  const batches = {
    ...gather,
    labels,
    objective: objectiveOf({ objective: setup.objective, beta: setup.beta, noise: setup.noise }),
  };
  const training = trainingGraph(model, data, batches, options);
  const losses = training.terms!.map(({ value }) => value);
  const last = training.nodes.findLastIndex(({ outputs }) =>
    losses.some((loss) => Object.values(outputs).includes(loss)),
  );
  return {
    model,
    data,
    given: [
      [data, values],
      ...(labels ? [[labels, random.integers(count, 0, condition.classes)] as const] : []),
    ] as const,
    batches,
    steps,
    weights: initialWeights(model, 1, initialisation),
    training,
    /** The training step's own forward pass: evaluation has neither dropout nor the batch's statistics. */
    forward: { nodes: training.nodes.slice(0, last + 1) },
  };
}
export type Built = ReturnType<typeof build>;

function start(interpreter: Interpreter, { model, given, weights }: Built, running = true): void {
  interpreter.setFlat(model.params, weights);
  for (const [tensor, values] of given) interpreter.set(tensor.name, values);
  if (running && model.statistics.length > 0) interpreter.setFlat(model.running, initialStatistics(model));
  const { tensor, fixed } = model.likelihood;
  if (tensor && fixed !== undefined) interpreter.set(tensor.name, [fixed]);
}

/** The mean of each term of a graph, per example of one step, by the term's name. */
function means(graph: Graph, valuesOf: (name: string) => ArrayLike<number>, batch: number, rows: number) {
  const entries = graph.terms!.map(({ name, value }) => {
    const copies = value.shape[0]! / batch;
    const total = Array.from(valuesOf(value.name)).reduce((sum, nats) => sum + nats, 0);
    return [name, total / (rows * copies)] as const;
  });
  return Object.fromEntries(entries);
}

export function trainOnTwins(built: Built) {
  const { model, steps, training, batches } = built;
  const interpreter = new Interpreter(training);
  start(interpreter, built);
  const losses = steps.map((step) => {
    interpreter.run(step);
    return means(training, (name) => interpreter.get(name), batches.batch, step.rows);
  });
  const running = model.statistics.length > 0 ? interpreter.flat(model.running) : new Float64Array();
  return { losses, params: interpreter.flat(model.params), running };
}

/** What `steps` of `graph` leave on the GPU, from the given weights and running statistics. */
export async function runOnGpu(
  device: Device,
  { model, given, batches }: Built,
  { graph, steps, schedule }: { graph: Graph; steps: readonly StepValues[]; schedule: Schedule },
  from: { readonly params: Float32Array<ArrayBuffer>; readonly running: Float32Array<ArrayBuffer> },
) {
  const planned = plan(graph, { flats: flats(model), slots: steps.length, schedule: forced(device, schedule) });
  const executable = await Executable.create(device, planned);
  try {
    const write = (tensor: Tensor, bytes: Uint8Array<ArrayBuffer>) => {
      const { buffer, offset } = executable.locate(tensor.name);
      device.gpu.queue.writeBuffer(buffer, offset, bytes);
    };
    write(model.params, new Uint8Array(from.params.buffer));
    for (const [tensor, values] of given) write(tensor, toStorage(tensor, values));
    if (from.running.length > 0) write(model.running, new Uint8Array(from.running.buffer));
    const { tensor, fixed } = model.likelihood;
    if (tensor && fixed !== undefined) write(tensor, toStorage(tensor, Float64Array.of(fixed)));
    executable.writeSteps(steps);
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    steps.forEach((_, index) => executable.encode(pass, index));
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const read = async (name: string) => new Float32Array(await readRanges(device, [executable.locate(name)]));
    const rings = new Map<string, Float32Array>();
    for (const { value } of graph.terms!) rings.set(value.name, await read(value.name));
    const row = (name: string, index: number) => {
      const all = rings.get(name)!;
      return all.subarray((index * all.length) / steps.length, ((index + 1) * all.length) / steps.length);
    };
    const losses = steps.map((step, index) => means(graph, (name) => row(name, index), batches.batch, step.rows));
    const running = from.running.length > 0 ? await read("running") : [];
    return { losses, params: Float64Array.from(await read("params")), running: Float64Array.from(running) };
  } finally {
    executable.dispose();
  }
}

const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** How far the trained values are apart, over how far training moved them. */
export function distance(start: ArrayLike<number>, twin: Float64Array, gpu: Float64Array): number {
  const moved = norm(twin.map((value, i) => value - start[i]!));
  expect(moved).toBeGreaterThan(1e-3);
  return norm(twin.map((value, i) => value - gpu[i]!)) / moved;
}

/**
 * How far apart the GPU and the twins may be. z is off by 6e-5 times its deviation on a software adapter, and all that
 * it makes with it. The most seen: 8e-6 of a reconstruction, 1.2e-5 of a KL term (9e-4 at a kink), 3e-4 of what
 * training moved (1.4e-2 at a kink), 5e-5 of what the running statistics moved. log q(z|x) of a draw has the square of its
 * noise: 5.5e-5.
 */
export const apart = { reconstruction: 5e-5, kl: 5e-5, draws: 2e-4, params: 1e-3, running: 2e-4 };
const apartAtKinks = { ...apart, kl: 2e-3, params: 5e-2 };

type Means = Readonly<Record<string, number>>;

/** Whether two sets of terms are alike. */
function expectTerms(found: Means, expected: Means, most: typeof apart, where: string): void {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    const limit = name === "kl" ? most.kl : name.startsWith("kl.") ? most.draws : most.reconstruction;
    expect(Math.abs(found[name]! / value - 1), `${name} of ${where}`).toBeLessThan(limit);
  }
}

/** Ten steps of one setup on the GPU, schedule by schedule, against the same on the twins. */
function testSteps(device: Device, setup: Setup, built: Built, twin: ReturnType<typeof trainOnTwins>): void {
  const { model, steps, weights } = built;
  const { schedules = ["direct"] } = setup;
  const most = setup.kinks ? apartAtKinks : apart;
  const here = schedules.filter((schedule) => runnable(device).includes(schedule));

  it.each(here)("ten steps on the GPU are the twins' ten steps: %s", async (schedule) => {
    const from = { params: weights, running: initialStatistics(model) };
    const run = { graph: built.training, steps, schedule };
    const gpu = await withErrorScopes(device.gpu, () => runOnGpu(device, built, run, from));
    gpu.losses.forEach((found, step) => expectTerms(found, twin.losses[step]!, most, `step ${step}`));
    expect(distance(weights, twin.params, gpu.params)).toBeLessThan(most.params);
    expect(gpu.running.length).toBe(twin.running.length);
    if (model.statistics.length > 0) {
      expect(distance(initialStatistics(model), twin.running, gpu.running)).toBeLessThan(most.running);
    }
  });
}

/** For a model too large for the twins to do more with: its ten steps alone. */
export function testTrainingSteps(device: Device, name: string, setup: Setup): void {
  const built = build(setup, name);
  testSteps(device, setup, built, trainOnTwins(built));
}

/** The tests of one setup. */
export function testTraining(device: Device, name: string, setup: Setup): void {
  const built = build(setup, name);
  const { model, steps } = built;
  const twin = trainOnTwins(built);
  const most = setup.kinks ? apartAtKinks : apart;
  testSteps(device, setup, built, twin);

  it("evaluation on the GPU, of what was trained, is the twins'", async () => {
    const evaluation = evaluationGraph(model, built.data, built.batches);
    const from = { params: Float32Array.from(twin.params), running: Float32Array.from(twin.running) };
    const run = { graph: evaluation, steps: [steps[0]!], schedule: "direct" as const };
    const [found] = (await withErrorScopes(device.gpu, () => runOnGpu(device, built, run, from))).losses;
    const interpreter = new Interpreter(evaluation);
    start(interpreter, built);
    interpreter.setFlat(model.params, twin.params);
    if (model.statistics.length > 0) interpreter.setFlat(model.running, twin.running);
    interpreter.run(steps[0]!);
    const { batch } = built.batches;
    expectTerms(
      found!,
      means(evaluation, (name) => interpreter.get(name), batch, steps[0]!.rows),
      most,
      "evaluation",
    );
  });

  it("gradients of the objective are its central differences", () => {
    const { knobs } = steps[1]!;
    const step = { ...steps[1]!, knobs: { ...knobs, learning_rate: 0 } };
    const backward = new Interpreter(built.training);
    start(backward, built);
    backward.run(step);
    const forward = new Interpreter(built.forward);
    // Running statistics are updated after the gradients, and read by no forward pass of training.
    start(forward, built, false);
    const objective = () => {
      forward.run(step);
      const found = means(built.training, (name) => forward.get(name), built.batches.batch, step.rows);
      return built.training.terms!.reduce(
        (sum, { name, knob }) => sum + (knob ? ({ ...knobs, [ONE]: 1 }[knob] ?? NaN) * found[name]! : 0),
        0,
      );
    };
    const random = new RandomValues(`differences, ${name}`);
    const most = setup.differences ?? 30;
    for (const { tensor } of model.parameters) {
      const gradient = backward.get(`d${tensor.name}`);
      const values = forward.get(tensor.name);
      const scale = norm(gradient) / Math.sqrt(gradient.length);
      expect(scale, `d${tensor.name} is all zero`).toBeGreaterThan(0);
      const chosen = random.integers(Math.min(most, gradient.length), 0, gradient.length);
      for (const i of gradient.length <= most ? gradient.keys() : chosen) {
        const difference = centralDifference(objective, values, i, setup.difference ?? 1e-6);
        // The objective is some hundreds: its last bits are 1e-7 of a gradient of 1 at this step.
        expect(Math.abs(gradient[i]! - difference), `d${tensor.name}[${i}]`).toBeLessThan(1e-6 + 1e-4 * scale);
      }
    }
  });
}
