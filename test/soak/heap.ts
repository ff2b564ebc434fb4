// Measures what many calls of each kind leave on the JavaScript heap, on the null backend, and what many VAEs leave on
// the device. A leaked wait, signal listener or map entry shows as bytes that each call adds.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Device } from "../../src/device.js";
import type { VAE } from "../../src/index.js";
import { open } from "../support/gpu.js";
import { create, data } from "./vae_calls.js";

export interface HeapWalk {
  readonly name: string;
  /** Calls, or steps of training. */
  readonly runs: number;
  /**
   * Bytes that each call adds to the heap: the median over the walk's parts, since one-time work shows in one part
   * only.
   */
  readonly bytes: number;
  /** Bytes that each call adds in array buffers, likewise. */
  readonly arrayBytes: number;
  /** Additional buffers on the device. */
  readonly buffers: number;
}

/** Parts of a walk that are measured separately. */
const PARTS = 5;

type Times = (vae: VAE, count: number) => Promise<unknown>;

const collect = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** The engine does not know the GPU memory behind its objects, so by itself it would collect them too late. */
async function collected(): Promise<void> {
  collect();
  await new Promise((done) => setTimeout(done));
}

/** One call after another, with a signal that outlives them all, so that a leaked listener would show. */
const calls = (call: (vae: VAE, signal: AbortSignal) => Promise<unknown>): Times => {
  const { signal } = new AbortController();
  return async (vae, count) => {
    for (let i = 0; i < count; i++) {
      await call(vae, signal);
      if (i % 100 === 99) await collected();
    }
  };
};

const few = { ...data, count: 10, values: data.values.subarray(0, 60) };
const z = new Float32Array(20);

/** Kinds of calls, each repeated. */
const kinds: Readonly<Record<string, Times>> = {
  decode: calls((vae, signal) => vae.decode(z, { signal })),
  encode: calls((vae, signal) => vae.encode(few, { signal })),
  reconstruct: calls((vae, signal) => vae.reconstruct(few, { signal })),
  sample: calls((vae, signal) => vae.sample(10, { signal })),
  elbo: calls((vae, signal) => vae.elbo(few, { signal })),
  score: calls((vae, signal) => vae.score(few, { signal })),
  logLikelihood: calls((vae, signal) => vae.logLikelihood(few, { signal, samples: 2 })),
  save: calls((vae) => vae.save()),
  "save with its training state": calls((vae) => vae.save({ trainingState: true })),
  "a refused call": calls((vae) => vae.sample(-1).catch(() => {})),
  "train, a run of one step": calls((vae, signal) => vae.train(data, { steps: 1, batchSize: 35, signal })),
  "train, steps of one run": (vae, count) => vae.train(data, { batchSize: 35, epochs: count, steps: count }),
};

export const heapKinds: readonly string[] = Object.keys(kinds);

/** Bytes in use after a full collection; the native module's finalizers run between two collections. */
async function used(): Promise<{ heap: number; arrays: number }> {
  for (let pass = 0; pass < 4; pass++) {
    collect();
    await new Promise((done) => setTimeout(done, 10));
  }
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, arrays: arrayBuffers };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** What each of `count` calls adds, after as many to warm up, during which the engine compiles and drops code. */
async function measured(name: string, count: number, view: Device, times: (count: number) => Promise<unknown>) {
  const part = Math.ceil(count / PARTS);
  await times(part * PARTS);
  const { buffers } = view.allocated;
  const heap: number[] = [];
  const arrays: number[] = [];
  let before = await used();
  for (let i = 0; i < PARTS; i++) {
    await times(part);
    const now = await used();
    heap.push((now.heap - before.heap) / part);
    arrays.push((now.arrays - before.arrays) / part);
    before = now;
  }
  const more = view.allocated.buffers - buffers;
  return { name, runs: part * PARTS, bytes: median(heap), arrayBytes: median(arrays), buffers: more };
}

/** Calls of one kind. */
export async function walkHeap(kind: string, count: number): Promise<HeapWalk> {
  const device = await open({ backend: "null" });
  const vae = await create({ device });
  await vae.train(data, { steps: 1, batchSize: 35 });
  const walk = await measured(kind, count, await Device.open({ device }), (times) => kinds[kind]!(vae, times));
  vae.dispose();
  device.destroy();
  return walk;
}

/** VAEs made on one device, each of which trains a step and is disposed of. */
export async function walkLives(count: number): Promise<HeapWalk> {
  const device = await open({ backend: "null" });
  const walk = await measured("create, train and dispose", count, await Device.open({ device }), async (times) => {
    for (let i = 0; i < times; i++) {
      using vae = await create({ device });
      await vae.train(data, { steps: 1, batchSize: 35 });
      if (i % 100 === 99) await collected();
    }
  });
  device.destroy();
  return walk;
}
