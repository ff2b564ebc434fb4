// Shared by the fault-injection walks: a VAE whose every call to WebGPU can be made to fail, concurrent cases, and what
// must hold after each.
import type { VAE } from "../../src/index.js";
import { Device } from "../../src/device.js";
import { open } from "../support/gpu.js";
import { errorOf, textOf } from "./errors.js";
import { asynchronous, hooked, type Hook } from "./gpu_calls.js";
import { create, vaeCalls, type Call } from "./vae_calls.js";

export interface FaultWalk {
  readonly name: string;
  /** Cases in which a fault was injected. */
  runs: number;
  /** The number of those in which the call succeeded all the same. */
  unharmed: number;
  readonly untyped: string[];
  readonly leaks: string[];
  readonly unusable: string[];
  /** Impossible results, forbidden submits, or uncaptured errors. */
  readonly wrong: string[];
}

export interface FaultOptions {
  /** Runs one in this many cases. 1: all. */
  readonly every: number;
  /** Which ones to run. */
  readonly seed: number;
}

export const newWalk = (name: string): FaultWalk => ({
  name,
  runs: 0,
  unharmed: 0,
  untyped: [],
  leaks: [],
  unusable: [],
  wrong: [],
});

interface Case {
  readonly vae: VAE;
  readonly device: GPUDevice;
  /** The library's buffers on the device. */
  readonly buffers: () => number;
  /** Uncaptured errors, which a page would receive. */
  readonly heard: string[];
  hook: Hook;
}

/** A GPU that returns this device, so that the VAE requests and owns it. */
function gpuWith(device: GPUDevice): GPU {
  const { features, limits, adapterInfo: info } = device;
  const adapter = { features, limits, info, requestDevice: () => Promise.resolve(device) };
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

/** A VAE whose every call to WebGPU goes through `case.hook`, on the page's device or its own. */
export async function prepared(call: Call, owned = false): Promise<Case> {
  const device = await open({ backend: "null" });
  const made = { hook: ((_, use) => use()) as Hook };
  hooked(device, (name, use) => made.hook(name, use));
  const heard: string[] = [];
  device.addEventListener("uncapturederror", ({ error }) => void heard.push(error.message));
  const vae = await create(owned ? { gpu: gpuWith(device) } : { device });
  await call.before?.(vae);
  const view = await Device.open({ device });
  return Object.assign(made, { vae, device, heard, buffers: () => view.allocated.buffers });
}

/** Number of concurrent cases, each on its own device; they mostly wait. */
const AT_ONCE = 16;

export async function sideBySide(cases: Iterable<() => Promise<void>>): Promise<void> {
  const source = cases[Symbol.iterator]();
  const worker = async () => {
    for (let next = source.next(); !next.done; next = source.next()) await next.value();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export const settled = () => new Promise((done) => setTimeout(done, 20));

/** How often `call` makes each call to WebGPU. */
async function counted(call: Call): Promise<Map<string, number>> {
  const one = await prepared(call);
  const counts = new Map<string, number>();
  one.hook = (name, use) => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return use();
  };
  await call.run(one.vae);
  one.device.destroy();
  return counts;
}

export function* sampled(total: number, { every, seed }: FaultOptions, salt: number): Generator<number> {
  for (let n = 1; n <= total; n++) if ((n * 7 + salt * 3 + seed) % every === 0) yield n;
}

/** Once the VAE is disposed of none of the library's buffers is left. */
export async function checkEmpty(walk: FaultWalk, what: string, one: Case): Promise<void> {
  await settled();
  if (one.buffers() !== 0) walk.leaks.push(`${what}: ${one.buffers()} buffers after dispose()`);
}

/** No uncaptured error may reach the page; the library reports errors itself. */
export function checkUnheard(walk: FaultWalk, what: string, one: Case): void {
  if (one.heard.length > 0) walk.wrong.push(`${what}: a page heard ${one.heard[0]}`);
}

/** Every buffer of a failed call is gone; the weights, and buffers kept by earlier calls, stay. */
export async function checkAfter(walk: FaultWalk, what: string, one: Case, call: Call): Promise<void> {
  one.hook = (_, use) => use();
  const again = await errorOf(call.run(one.vae));
  if (again) walk.unusable.push(`${what}: ${textOf(again)}`);
  await settled();
  const used = one.buffers();
  // The same call again keeps no more than the first time.
  const twice = await errorOf(call.run(one.vae));
  if (twice && !again) walk.unusable.push(`${what}, once more: ${textOf(twice)}`);
  await settled();
  if (one.buffers() > used) walk.leaks.push(`${what}: ${one.buffers() - used} buffers more at each call`);
  one.vae.dispose();
  await checkEmpty(walk, what, one);
  checkUnheard(walk, what, one);
  one.device.destroy();
}

/**
 * A call for which `fails` throws, or rejects if it returns a promise. It is made first, since scopes must be popped.
 */
export function failingAt(fails: (name: string) => boolean): Hook {
  return (name, use) => {
    if (!fails(name)) return use();
    const failure = new Error(`${name} was made to fail`);
    if (!asynchronous.has(name)) throw failure;
    return Promise.resolve(use()).then(() => Promise.reject(failure));
  };
}

/** From the n-th call that returns a promise, none is answered; at that point `then` is called, one turn later. */
export function silentFrom(n: number, then: () => void): Hook {
  let left = n;
  return (name, use) => {
    const made = use();
    if (!asynchronous.has(name) || --left > 0) return made;
    Promise.resolve(made).catch(() => {});
    if (left === 0) setTimeout(then);
    return new Promise(() => {});
  };
}

/** A public call, its index among all, and how often it makes each call to WebGPU. */
interface Counted {
  readonly name: string;
  readonly call: Call;
  readonly index: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** Calls to WebGPU that return a promise. */
export const answersIn = (counts: ReadonlyMap<string, number>) =>
  [...asynchronous].reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0);

/** A walk over every public call, through the cases that `casesOf` returns for each. */
export async function walkCalls(
  title: string,
  casesOf: (walk: FaultWalk, counted: Counted) => Iterable<() => Promise<void>>,
): Promise<FaultWalk> {
  const walk = newWalk(title);
  const cases: (() => Promise<void>)[] = [];
  for (const [index, [name, call]] of Object.entries(vaeCalls).entries()) {
    cases.push(...casesOf(walk, { name, call, index, counts: await counted(call) }));
  }
  await sideBySide(cases);
  return walk;
}
