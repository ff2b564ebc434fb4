// The tests' actions in the browser, on a page or in a worker. Each returns plain data for the test to check.
import { models, VAE, WebvaeError, type TrainingReport } from "webvae";
import * as datasets from "webvae/datasets";

const spec = models.mlp([28, 28, 1], 20);
const digits = (split: "train" | "test", count: number) => datasets.digits({ split, count, seed: 3 });

/** How a promise fails: the error's class, code and message, and the time until then. */
async function failure(promise: Promise<unknown>) {
  const began = performance.now();
  try {
    await promise;
  } catch (error) {
    const known = error instanceof WebvaeError;
    return {
      ms: performance.now() - began,
      name: (error as Error).name,
      code: known ? error.code : undefined,
      message: String(error),
    };
  }
  return { ms: performance.now() - began, name: "no error", code: undefined, message: "" };
}

async function reportsOf(run: AsyncIterable<TrainingReport>): Promise<TrainingReport[]> {
  const reports: TrainingReport[] = [];
  for await (const report of run) reports.push(report);
  return reports;
}

const extremes = (values: Float32Array) => ({
  count: values.length,
  finite: values.every((value) => Number.isFinite(value)),
  least: values.reduce((a, b) => Math.min(a, b)),
  most: values.reduce((a, b) => Math.max(a, b)),
});

export async function trains() {
  const began = performance.now();
  const [train, test] = [digits("train", 512), digits("test", 200)];
  const vae = await VAE.create(spec, { seed: 1 });
  const created = performance.now();
  const reports: TrainingReport[] = [];
  let firstMs = 0;
  for await (const report of vae.train(train, { epochs: 3, batchSize: 64, test })) {
    firstMs ||= performance.now() - created;
    reports.push(report);
  }
  const { trained, adapter } = vae;
  const elbos = [
    await vae.elbo(test, { seed: 5 }),
    await vae.elbo(test, { seed: 5 }),
    await vae.elbo(test, { seed: 6 }),
  ];
  const samples = await vae.sample(100, { seed: 9 });
  const again = await vae.sample(100, { seed: 9 });
  const bytes = await vae.save();
  const loaded = await VAE.load(bytes);
  const reloaded = await loaded.elbo(test, { seed: 5 });
  const reloadedSpec = loaded.spec;
  loaded.dispose();
  const epochs = reports.flatMap(({ epochEnd }) => (epochEnd ? [epochEnd] : []));
  const { deviceBuffers } = vae.memory();
  vae.dispose();
  vae.dispose();
  const disposed = await failure(vae.sample(1));
  return {
    adapter,
    createMs: created - began,
    firstMs,
    first: reports[0]!,
    last: reports.at(-1)!,
    epochs,
    trained,
    elbos,
    samples: extremes(samples),
    repeats: samples.every((value, i) => value === again[i]),
    bytes: bytes.length,
    reloaded,
    reloadedSpec,
    deviceBuffers,
    disposed,
  };
}

/** One step of a convolutional model, whose WGSL is loaded on demand. */
export async function convolves() {
  const vae = await VAE.create(models.conv([28, 28, 1], 2), { seed: 1 });
  const data = digits("train", 8);
  const before = await vae.elbo(data, { seed: 5 });
  const reports = await reportsOf(vae.train(data, { epochs: 1, batchSize: 8, learningRate: 0.01 }));
  const after = await vae.elbo(data, { seed: 5 });
  const sample = extremes(await vae.sample(3));
  const { trained } = vae;
  vae.dispose();
  return { trained, losses: reports.map(({ elbo }) => -elbo), before: before.elbo, after: after.elbo, sample };
}

/** A convolutional model samples while its WGSL cannot be loaded, twice, and again when it can. */
export async function offline() {
  const create = () => VAE.create(models.conv([28, 28, 1], 2), { seed: 1 });
  const failures = [await failure(create()), await failure(create())];
  await fetch("/online");
  const vae = await create();
  const sample = extremes(await vae.sample(1));
  vae.dispose();
  return { failures, sample };
}

/** A model is saved while the code for that cannot be loaded, twice, and saved and loaded again when it can. */
export async function offlineFiles() {
  const vae = await VAE.create(spec, { seed: 1 });
  const failures = [await failure(vae.save()), await failure(vae.save())];
  await fetch("/online");
  const bytes = await vae.save();
  const data = digits("test", 50);
  const loaded = await VAE.load(bytes);
  const elbos = [await vae.elbo(data, { seed: 5 }), await loaded.elbo(data, { seed: 5 })];
  const cut = await failure(VAE.load(bytes.slice(0, -1)));
  const other = await failure(VAE.load(bytes, { spec: models.mlp([28, 28, 1], 2) }));
  vae.dispose();
  loaded.dispose();
  return { failures, elbos, cut, other };
}

export async function ownDevice() {
  const adapter = await navigator.gpu.requestAdapter();
  // With the default limits, like most pages' devices.
  const device = await adapter!.requestDevice();
  let lost = false;
  void device.lost.then(() => (lost = true));
  const data = digits("train", 128);
  const first = await VAE.create(spec, { device });
  const second = await VAE.create(spec, { device, seed: 2 });
  const losses = (await reportsOf(first.train(data, { epochs: 1, batchSize: 64 }))).map(({ elbo }) => -elbo);
  const { software } = first.adapter;
  first.dispose();
  const sample = extremes(await second.sample(4));
  const left = second.memory().deviceBytes;
  second.dispose();
  // The page keeps using its device.
  device.pushErrorScope("validation");
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(buffer, 0, new Uint32Array([1, 2, 3, 4]));
  await buffer.mapAsync(GPUMapMode.READ);
  const words = [...new Uint32Array(buffer.getMappedRange())];
  const error = await device.popErrorScope();
  device.destroy();
  return { losses, software, sample, left, words, error: error?.message, lost };
}

/** A device requested by the library is destroyed with the VAE. */
export async function libraryDevice() {
  const vae = await VAE.create(spec);
  const { lastDevice } = globalThis as unknown as { lastDevice: GPUDevice };
  vae.dispose();
  return (await lastDevice.lost).reason;
}

/** VAE.create with a property of WebGPU replaced. */
async function createWith(prototype: object, name: string, replacement: PropertyDescriptor) {
  const found = Object.getOwnPropertyDescriptor(prototype, name)!;
  Object.defineProperty(prototype, name, { configurable: true, ...replacement });
  try {
    return await failure(VAE.create(spec));
  } finally {
    Object.defineProperty(prototype, name, found);
  }
}

export function withoutWebgpu() {
  return createWith(Navigator.prototype, "gpu", { get: () => undefined });
}

export function withoutAdapter() {
  return createWith(GPU.prototype, "requestAdapter", { value: () => Promise.resolve(null) });
}

export function refusedDevice() {
  const value = () => Promise.reject(new DOMException("no more devices", "OperationError"));
  return createWith(GPUAdapter.prototype, "requestDevice", { value });
}

/**
 * Counts turns of this thread's event loop. An immediate answer takes a few of them, however busy the machine is;
 * waiting for the GPU or a timer takes many.
 */
function countTurns(): () => number {
  const { port1, port2 } = new MessageChannel();
  let turns = 0;
  port1.onmessage = () => {
    turns++;
    port2.postMessage(0);
  };
  port2.postMessage(0);
  return () => {
    port1.close();
    return turns;
  };
}

export async function lostDevice() {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const vae = await VAE.create(spec, { device });
  let destroyedAt = 0;
  let turns = () => 0;
  void device.lost.then(() => (turns = countTurns()));
  const loop = async () => {
    for await (const report of vae.train(digits("train", 512), { epochs: 1000, batchSize: 64 })) {
      if (report.step < 8 || destroyedAt) continue;
      destroyedAt = performance.now();
      device.destroy();
    }
  };
  const run = await failure(loop());
  const [ms, turnsAfter] = [performance.now() - destroyedAt, turns()];
  const after = await failure(vae.sample(1));
  const create = await failure(VAE.create(spec, { device }));
  vae.dispose();
  return { run, ms, turns: turnsAfter, after, create };
}

/** The time from abort() to the rejection, at several points in several calls, in milliseconds and event loop turns. */
export async function aborts() {
  const data = digits("train", 1024);
  const vae = await VAE.create(spec, { seed: 1 });
  const latency: Record<string, { ms: number; turns: number }[]> = {};
  const reasons: boolean[] = [];
  const measure = async (name: string, afterMs: number, call: (signal: AbortSignal) => Promise<unknown>) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let at = Infinity;
    let turns = () => Infinity;
    const timer = setTimeout(() => {
      at = performance.now();
      turns = countTurns();
      controller.abort(reason);
    }, afterMs);
    const error: unknown = await call(controller.signal).then(
      () => undefined,
      (found: unknown) => found,
    );
    clearTimeout(timer);
    (latency[name] ??= []).push({ ms: performance.now() - at, turns: turns() });
    reasons.push(error === reason);
  };
  const train = (signal: AbortSignal) => reportsOf(vae.train(data, { epochs: 1000, batchSize: 128, signal }));
  // The first run compiles, tunes and uploads before its first step.
  await measure("preparing", 60, train);
  await reportsOf(vae.train(data, { epochs: 1, batchSize: 128 }));
  await vae.elbo(data);
  await vae.sample(1);
  for (const ms of [400, 730, 1190]) await measure("training", ms, train);
  await measure("elbo", 300, (signal) => vae.elbo(data, { samples: 10_000, signal }));
  // Work submitted to the GPU runs to its end. This waits for it, as no rejection may.
  const waiting = countTurns();
  await vae.sample(1);
  const waited = waiting();
  await measure("sample", 300, (signal) => vae.sample(100_000, { signal }));
  const steps = vae.trained.steps;
  // The weights are those after the previous steps, and the next run continues from there.
  const [next] = await reportsOf(vae.train(data, { epochs: 1, batchSize: 128 }));
  const already = AbortSignal.abort(new Error("enough"));
  const before = await failure(reportsOf(vae.train(data, { signal: already })));
  vae.dispose();
  return { latency, waited, reasons, steps, loss: -next!.elbo, before };
}

/**
 * The tuner's submits while evaluating a model with one product worth measuring, and the resulting IndexedDB contents.
 */
export async function tunes() {
  const prototype = GPUDevice.prototype;
  const found = Object.getOwnPropertyDescriptor(prototype, "createCommandEncoder")!;
  const create = found.value as (this: GPUDevice, of?: GPUCommandEncoderDescriptor) => GPUCommandEncoder;
  let runs = 0;
  prototype.createCommandEncoder = function (descriptor) {
    if (descriptor?.label === "tune") runs++;
    return create.call(this, descriptor);
  };
  const vae = await VAE.create(models.minimal([28, 28, 1], 20), { seed: 1 });
  const { elbo } = await vae.elbo(digits("test", 256));
  vae.dispose();
  Object.defineProperty(prototype, "createCommandEncoder", found);
  return { runs, elbo };
}

/** What the tuner has stored, once there is something. */
export async function kept(): Promise<Record<string, Record<string, string>>> {
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error!);
    });
  for (let wait = 0; wait < 50; wait++) {
    const database = await result(indexedDB.open("webvae", 1));
    const store = database.transaction("tuning").objectStore("tuning");
    const [names, values] = await Promise.all([result(store.getAllKeys()), result(store.getAll())]);
    database.close();
    if (names.length > 0) return Object.fromEntries(names.map((name, i) => [name, values[i]])) as never;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {};
}

async function tunesWith(open: () => unknown) {
  const found = Object.getOwnPropertyDescriptor(IDBFactory.prototype, "open")!;
  Object.defineProperty(IDBFactory.prototype, "open", { ...found, value: open });
  try {
    return await tunes();
  } finally {
    Object.defineProperty(IDBFactory.prototype, "open", found);
  }
}

/** As in a private window of some browsers. */
export function tunesDenied() {
  return tunesWith(() => {
    throw new DOMException("denied", "SecurityError");
  });
}

/** As if another page blocked opening: nothing ever happens. */
export function tunesBlocked() {
  return tunesWith(() => ({}));
}

/** A control: what the policy forbids must fail. */
export async function evaluates(): Promise<string> {
  // In a separate task, because calls from the debugger are exempt.
  await new Promise((resolve) => setTimeout(resolve));
  try {
    return String((0, eval)("1"));
  } catch (error) {
    return (error as Error).name;
  }
}

/** A control: an error outside all scopes must reach the tests. */
export async function misuses(): Promise<void> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  device.createBuffer({ size: 16, usage: 0xffff });
  await device.queue.onSubmittedWorkDone();
  await new Promise((resolve) => setTimeout(resolve, 200));
}
