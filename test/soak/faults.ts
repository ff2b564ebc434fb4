// Walks over every public call, on the null backend: each call to WebGPU fails once, the n-th for every n; the device
// is lost at each; the VAE is disposed of as each answers, or as none answers any more. Every error must be typed, no
// call may hang, no buffer may be left over, and a call that failed once must work afterwards.
import { VAE } from "../../src/index.js";
import { Device } from "../../src/device.js";
import { open } from "../support/gpu.js";
import { errorOf, errorWithin, isTyped, textOf } from "./errors.js";
import {
  answersIn,
  checkAfter,
  checkEmpty,
  checkUnheard,
  failingAt,
  newWalk,
  prepared,
  sampled,
  settled,
  sideBySide,
  silentFrom,
  walkCalls,
  type FaultOptions,
  type FaultWalk,
} from "./fault_cases.js";
import { asynchronous, gpuCalls, hooked } from "./gpu_calls.js";
import { create, savedOn } from "./vae_calls.js";

/** Milliseconds after which a call counts as hanging, since its own timeout is minutes. */
const HANGS_MS = 10_000;

/** No more answers come when the VAE is disposed of or its device is lost, so waits must end by themselves. */
export function walkSilences(options: FaultOptions): Promise<FaultWalk> {
  return walkCalls(
    "no answer comes from the n-th on, then dispose() or a loss",
    function* (walk, { name, call, index, counts }) {
      for (const n of sampled(answersIn(counts), options, index)) {
        for (const lost of [false, true]) {
          yield async () => {
            const what = `${name}: no answer from ${n} on, then it is ${lost ? "lost" : "disposed of"}`;
            const one = await prepared(call);
            // Timed from then on, because earlier work takes longer on a busy machine.
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
            await checkEmpty(walk, what, one);
            one.device.destroy();
          };
        }
      }
    },
  );
}

/** The n-th call of each kind throws, or rejects if it returns a promise. */
export function walkFailures(options: FaultOptions): Promise<FaultWalk> {
  return walkCalls("the n-th call to WebGPU fails", function* (walk, { name, call, index, counts }) {
    for (const [salt, kind] of gpuCalls.entries()) {
      for (const n of sampled(counts.get(kind) ?? 0, options, salt + 5 * index)) {
        yield async () => {
          const what = `${name}: ${kind} ${n}`;
          const one = await prepared(call);
          let left = n;
          one.hook = failingAt((of) => of === kind && --left === 0);
          const error = await errorOf(call.run(one.vae));
          walk.runs++;
          if (!error) walk.unharmed++;
          else if (!isTyped(error)) walk.untyped.push(`${what}: ${textOf(error)}`);
          await checkAfter(walk, what, one, call);
        };
      }
    }
  });
}

/** The device is lost at the n-th call overall. */
export function walkLosses(options: FaultOptions): Promise<FaultWalk> {
  return walkCalls("the device is lost at the n-th call", function* (walk, { name, call, index, counts }) {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    for (const n of sampled(total, options, index)) {
      yield async () => {
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
        await checkEmpty(walk, what, one);
      };
    }
  });
}

/** The VAE is disposed of at once, and when the n-th call that returns a promise answers. */
export function walkDisposals(options: FaultOptions): Promise<FaultWalk> {
  return walkCalls("dispose() at every await", function* (walk, { name, call, index, counts }) {
    for (const [n, owned] of [0, ...sampled(answersIn(counts), options, index)].flatMap((n) => [
      [n, false] as const,
      [n, true] as const,
    ])) {
      yield async () => {
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
        // A call may only succeed after the last answer.
        if (!error && left > 0) walk.wrong.push(`${what}: it never was, and the call gave a result`);
        if (error && !isTyped(error, ["DISPOSED"])) walk.untyped.push(`${what}: ${textOf(error)}`);
        await checkEmpty(walk, what, one);
        if (late > 0) walk.wrong.push(`${what}: ${late} submits or writes afterwards`);
        checkUnheard(walk, what, one);
        one.device.destroy();
      };
    }
  });
}

/** `create` and `load` on a GPU whose n-th call fails; nothing of them may remain. */
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
        // Always includes the first of each kind.
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
