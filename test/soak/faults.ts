// Walks over every public call, on the null backend: each call to WebGPU fails once, the n-th for every n; the
// device is lost at each; the VAE is disposed of as each answers, or as none answers any more. What must hold: every error
// is typed, none hangs, no buffer is left over, and what has failed once works afterwards.
import { VAE } from "../../src/index.js";
import { Device } from "../../src/device.js";
import { open } from "../support/gpu.js";
import { errorOf, errorWithin, isTyped, textOf } from "./errors.js";
import { asynchronous, gpuCalls, hooked, type Hook } from "./gpu_calls.js";
import { create, savedOn, vaeCalls, type Call } from "./vae_calls.js";

export interface FaultWalk {
  readonly name: string;
  /** Cases in which something was made to happen. */
  runs: number;
  /** Of them those in which the call gave its result all the same. */
  unharmed: number;
  readonly untyped: string[];
  readonly leaks: string[];
  readonly unusable: string[];
  /** A result although it cannot be one, work submitted although it must not be, or errors that a page hears of. */
  readonly wrong: string[];
}

export interface FaultOptions {
  /** Of all cases one in so many is walked. 1: all. */
  readonly every: number;
  /** Which of them. */
  readonly seed: number;
}

const newWalk = (name: string): FaultWalk => ({
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
  /** Buffers of the library on the device. */
  readonly buffers: () => number;
  /** Errors that no scope caught, as a page hears of them. */
  readonly heard: string[];
  hook: Hook;
}

/** A GPU that gives this device: the VAE has asked for it, and owns it. */
function gpuWith(device: GPUDevice): GPU {
  const { features, limits, adapterInfo: info } = device;
  const adapter = { features, limits, info, requestDevice: () => Promise.resolve(device) };
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

/** A VAE whose every call to WebGPU goes through `case.hook`; on the page's device, or on one of its own. */
async function prepared(call: Call, owned = false): Promise<Case> {
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

/** Cases that run side by side, each on a device of its own: most of their time they wait. */
const AT_ONCE = 16;

async function sideBySide(cases: Iterable<() => Promise<void>>): Promise<void> {
  const source = cases[Symbol.iterator]();
  const worker = async () => {
    for (let next = source.next(); !next.done; next = source.next()) await next.value();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const settled = () => new Promise((done) => setTimeout(done, 20));

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

function* sampled(total: number, { every, seed }: FaultOptions, salt: number): Generator<number> {
  for (let n = 1; n <= total; n++) if ((n * 7 + salt * 3 + seed) % every === 0) yield n;
}

/** Every buffer of what failed is gone: the weights, and what a call before it keeps, stay. */
async function checkAfter(walk: FaultWalk, what: string, one: Case, call: Call): Promise<void> {
  one.hook = (_, use) => use();
  const again = await errorOf(call.run(one.vae));
  if (again) walk.unusable.push(`${what}: ${textOf(again)}`);
  await settled();
  const used = one.buffers();
  // The same once more keeps no more than it kept the first time.
  const twice = await errorOf(call.run(one.vae));
  if (twice && !again) walk.unusable.push(`${what}, once more: ${textOf(twice)}`);
  await settled();
  if (one.buffers() > used) walk.leaks.push(`${what}: ${one.buffers() - used} buffers more at each call`);
  one.vae.dispose();
  await settled();
  if (one.buffers() !== 0) walk.leaks.push(`${what}: ${one.buffers()} buffers after dispose()`);
  if (one.heard.length > 0) walk.wrong.push(`${what}: a page heard ${one.heard[0]}`);
  one.device.destroy();
}

/** A call for which `fails` throws, or rejects where it answers by a promise. It is made first, for a scope must be popped. */
function failingAt(fails: (name: string) => boolean): Hook {
  return (name, use) => {
    if (!fails(name)) return use();
    const failure = new Error(`${name} was made to fail`);
    if (!asynchronous.has(name)) throw failure;
    return Promise.resolve(use()).then(() => Promise.reject(failure));
  };
}

/** Milliseconds after which a call hangs: no answer that it waits for will come, and its patience is minutes. */
const HANGS_MS = 10_000;

/** From the n-th call on that answers by a promise, none is answered; at it `then` is called, a turn later. */
function silentFrom(n: number, then: () => void): Hook {
  let left = n;
  return (name, use) => {
    const made = use();
    if (!asynchronous.has(name) || --left > 0) return made;
    Promise.resolve(made).catch(() => {});
    if (left === 0) setTimeout(then);
    return new Promise(() => {});
  };
}

/** No answer comes any more as the VAE is disposed of, or its device lost: what waits must end by itself. */
export async function walkSilences(options: FaultOptions): Promise<FaultWalk> {
  const walk = newWalk("no answer comes from the n-th on, then dispose() or a loss");
  const cases: (() => Promise<void>)[] = [];
  for (const [index, [name, call]] of Object.entries(vaeCalls).entries()) {
    const counts = await counted(call);
    const answers = [...asynchronous].reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0);
    for (const n of sampled(answers, options, index)) {
      for (const lost of [false, true]) {
        cases.push(async () => {
          const what = `${name}: no answer from ${n} on, then it is ${lost ? "lost" : "disposed of"}`;
          const one = await prepared(call);
          // Counted from then on: what comes before takes its time on a busy machine.
          const ended = new Promise<void>((done) => {
            one.hook = silentFrom(n, () => {
              if (lost) one.device.destroy();
              else one.vae.dispose();
              done();
            });
          });
          const pending = call.run(one.vae);
          await Promise.race([ended, errorOf(pending)]);
          const error = await errorWithin(HANGS_MS, pending);
          walk.runs++;
          if (error === "hangs") walk.wrong.push(`${what}: it hangs`);
          else if (error && !isTyped(error, [lost ? "DEVICE_LOST" : "DISPOSED"])) {
            walk.untyped.push(`${what}: ${textOf(error)}`);
          } else if (!error) walk.unharmed++;
          one.vae.dispose();
          await settled();
          if (one.buffers() !== 0) walk.leaks.push(`${what}: ${one.buffers()} buffers are left`);
          one.device.destroy();
        });
      }
    }
  }
  await sideBySide(cases);
  return walk;
}

/** The n-th call of each kind throws, or rejects where it answers by a promise. */
export async function walkFailures(options: FaultOptions): Promise<FaultWalk> {
  const walk = newWalk("the n-th call to WebGPU fails");
  const cases: (() => Promise<void>)[] = [];
  for (const [index, [name, call]] of Object.entries(vaeCalls).entries()) {
    const counts = await counted(call);
    for (const [salt, kind] of gpuCalls.entries()) {
      for (const n of sampled(counts.get(kind) ?? 0, options, salt + 5 * index)) {
        cases.push(async () => {
          const what = `${name}: ${kind} ${n}`;
          const one = await prepared(call);
          let left = n;
          one.hook = failingAt((of) => of === kind && --left === 0);
          const error = await errorOf(call.run(one.vae));
          walk.runs++;
          if (!error) walk.unharmed++;
          else if (!isTyped(error)) walk.untyped.push(`${what}: ${textOf(error)}`);
          await checkAfter(walk, what, one, call);
        });
      }
    }
  }
  await sideBySide(cases);
  return walk;
}

/** The device is lost as the n-th call of all is made. */
export async function walkLosses(options: FaultOptions): Promise<FaultWalk> {
  const walk = newWalk("the device is lost at the n-th call");
  const cases: (() => Promise<void>)[] = [];
  for (const [index, [name, call]] of Object.entries(vaeCalls).entries()) {
    const total = [...(await counted(call)).values()].reduce((sum, count) => sum + count, 0);
    for (const n of sampled(total, options, index)) {
      cases.push(async () => {
        const one = await prepared(call, n % 2 === 0);
        let left = n;
        let kind = "";
        one.hook = (of, use) => {
          if (--left === 0) {
            kind = of;
            one.device.destroy();
          }
          return use();
        };
        const error = await errorOf(call.run(one.vae));
        walk.runs++;
        const what = `${name}: lost at call ${n}, ${kind}`;
        if (!error) walk.unharmed++;
        else if (!isTyped(error, ["DEVICE_LOST"])) walk.untyped.push(`${what}: ${textOf(error)}`);
        one.vae.dispose();
        await settled();
        if (one.buffers() !== 0) walk.leaks.push(`${what}: ${one.buffers()} buffers after dispose()`);
      });
    }
  }
  await sideBySide(cases);
  return walk;
}

/** The VAE is disposed of: at once, and as the n-th call that answers by a promise answers. */
export async function walkDisposals(options: FaultOptions): Promise<FaultWalk> {
  const walk = newWalk("dispose() at every await");
  const cases: (() => Promise<void>)[] = [];
  for (const [index, [name, call]] of Object.entries(vaeCalls).entries()) {
    const counts = await counted(call);
    const answers = [...asynchronous].reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0);
    for (const [n, owned] of [0, ...sampled(answers, options, index)].flatMap((n) => [
      [n, false] as const,
      [n, true] as const,
    ])) {
      cases.push(async () => {
        const what = `${name}: ${owned ? "its own device" : "a page's device"}, disposed of at answer ${n}`;
        const one = await prepared(call, owned);
        let [left, late, disposed] = [n, 0, false];
        const dispose = () => {
          one.vae.dispose();
          disposed = true;
        };
        one.hook = (of, use) => {
          if (disposed && (of === "submit" || of === "writeBuffer")) late++;
          const made = use();
          if (!asynchronous.has(of)) return made;
          return Promise.resolve(made).then((value) => {
            if (--left === 0) dispose();
            return value;
          });
        };
        const pending = errorOf(call.run(one.vae));
        if (n === 0) dispose();
        const error = await pending;
        walk.runs++;
        if (!error) walk.unharmed++;
        // What was there already may be a result: only after the last answer.
        if (!error && left > 0) walk.wrong.push(`${what}: it never was, and the call gave a result`);
        if (error && !isTyped(error, ["DISPOSED"])) walk.untyped.push(`${what}: ${textOf(error)}`);
        await settled();
        if (late > 0) walk.wrong.push(`${what}: ${late} submits or writes afterwards`);
        if (one.buffers() !== 0) walk.leaks.push(`${what}: ${one.buffers()} buffers are left`);
        if (one.heard.length > 0) walk.wrong.push(`${what}: a page heard ${one.heard[0]}`);
        one.device.destroy();
      });
    }
  }
  await sideBySide(cases);
  return walk;
}

/** `create` and `load` on a GPU whose n-th call fails; nothing of them is left. */
export async function walkOpenings(options: FaultOptions): Promise<FaultWalk> {
  const walk = newWalk("create and load: the n-th call fails");
  const bytes = await savedOn(await open({ backend: "null" }));
  const opening = {
    create: (device: GPUDevice) => create({ device }),
    load: (device: GPUDevice) => VAE.load(bytes, { device, tuning: false }),
  };
  const cases = Object.entries(opening).flatMap(([name, make]) =>
    gpuCalls.map((kind, salt) => async () => {
      for (let n = 1; ; n++) {
        const device = await open({ backend: "null" });
        let left = n;
        hooked(
          device,
          failingAt((of) => of === kind && --left === 0),
        );
        const made = make(device);
        const error = await errorOf(made);
        const what = `${name}: ${kind} ${n}`;
        // It makes fewer than n such calls.
        if (left > 0) return (await made).dispose();
        // The first of each kind always.
        if (n > 1 && (n + salt + options.seed) % options.every !== 0) continue;
        walk.runs++;
        if (!error) walk.unharmed++;
        else if (!isTyped(error)) walk.untyped.push(`${what}: ${textOf(error)}`);
        const again = await errorOf(make(device).then((vae) => vae.dispose()));
        if (again) walk.unusable.push(`${what}: ${textOf(again)}`);
        if (!error) (await made).dispose();
        await settled();
        const rest = (await Device.open({ device })).allocated.buffers;
        if (rest > 0) walk.leaks.push(`${what}: ${rest} buffers`);
        device.destroy();
      }
    }),
  );
  await sideBySide(cases);
  return walk;
}

export const faultWalks = [walkFailures, walkLosses, walkDisposals, walkSilences, walkOpenings] as const;
