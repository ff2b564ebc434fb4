// Two more walks on the null backend: a response that never comes, and too little memory.
import { globals } from "webgpu";
import { WebvaeError } from "../../src/errors.js";
import { Device } from "../../src/device.js";
import { open } from "../support/gpu.js";
import { asynchronous, hooked } from "./gpu_calls.js";
import { create, vaeCalls } from "./vae_calls.js";

export interface Walk {
  runs: number;
  /** A case's outcome, if it is wrong. */
  readonly wrong: string[];
}

/** The cases of each call that `every` selects. */
export interface WalkOptions {
  readonly every: number;
}

const TIMEOUT_MS = 150;
/** A page has it as a global; nodeGpu sets none but flags. */
const { GPUOutOfMemoryError: OutOfMemory } = globals as { GPUOutOfMemoryError: typeof GPUOutOfMemoryError };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return error instanceof WebvaeError ? error.code : `untyped: ${String((error as Error).stack)}`;
  }
}

/** The n-th response of each kind never comes: TIMEOUT, or a result that does not need it. */
export async function walkHangs({ every }: WalkOptions): Promise<Walk> {
  const walk: Walk = { runs: 0, wrong: [] };
  const cases: Promise<void>[] = [];
  for (const [name, call] of Object.entries(vaeCalls)) {
    for (const kind of asynchronous) {
      for (let n = 1; n <= 12; n += every) {
        cases.push(
          (async () => {
            const device = await open({ backend: "null" });
            let left = Infinity;
            hooked(device, (of, use) => (of === kind && --left === 0 ? (use(), new Promise(() => {})) : use()));
            const vae = await create({ device, timeoutMs: TIMEOUT_MS });
            await call.before?.(vae);
            left = n;
            const code = await codeOf(call.run(vae));
            if (left > 0) return;
            walk.runs++;
            if (!["TIMEOUT", "none"].includes(code)) walk.wrong.push(`${name}: ${kind} ${n}: ${code}`);
            vae.dispose();
          })(),
        );
      }
    }
  }
  await Promise.all(cases);
  return walk;
}

/** The n-th buffer fails for lack of memory: OUT_OF_MEMORY with bytes, no uncaptured error, everything released. */
export async function walkMemory({ every }: WalkOptions): Promise<Walk> {
  const walk: Walk = { runs: 0, wrong: [] };
  const cases: Promise<void>[] = [];
  // Without those whose first buffer is the page's.
  for (const [name, call] of Object.entries(vaeCalls).filter(([name]) => !/to a buffer/.test(name))) {
    for (let n = 1; n <= 24; n += every) {
      cases.push(
        (async () => {
          const device = await open({ backend: "null" });
          const heard: string[] = [];
          device.addEventListener("uncapturederror", ({ error }) => void heard.push(error.message));
          let [left, missing] = [Infinity, false];
          const createBuffer = device.createBuffer.bind(device);
          device.createBuffer = (descriptor) => {
            if (--left !== 0) return createBuffer(descriptor);
            missing = true;
            // A buffer without memory is invalid, for which its scope would report another error.
            return createBuffer({ ...descriptor, usage: 0 });
          };
          const scopes: string[] = [];
          hooked(device, (of, use) => {
            if (of !== "popErrorScope") return use();
            const filter = scopes.pop();
            const answer = use() as Promise<GPUError | null>;
            if (!missing || filter !== "out-of-memory") return answer;
            missing = false;
            return answer.then(() => new OutOfMemory("no memory"));
          });
          const push = device.pushErrorScope.bind(device);
          device.pushErrorScope = (filter) => {
            scopes.push(filter);
            return push(filter);
          };
          const vae = await create({ device });
          await call.before?.(vae);
          left = n;
          const error: unknown = await call.run(vae).catch((found: unknown) => found);
          if (left > 0) return;
          walk.runs++;
          const what = `${name}: buffer ${n}`;
          const oom = error instanceof WebvaeError && error.code === "OUT_OF_MEMORY";
          // A safe point's buffers do not belong to the call.
          if (error instanceof Error && !(oom && /\d+ bytes/.test(error.message)))
            walk.wrong.push(`${what}: ${error.stack}`);
          const again = await codeOf(call.run(vae));
          if (again !== "none") walk.wrong.push(`${what}, afterwards: ${again}`);
          vae.dispose();
          await new Promise((done) => setTimeout(done, 20));
          const { buffers } = (await Device.open({ device })).allocated;
          if (buffers > 0) walk.wrong.push(`${what}: ${buffers} buffers are left`);
          if (heard.length > 0) walk.wrong.push(`${what}: a page heard ${heard[0]}`);
        })(),
      );
    }
  }
  await Promise.all(cases);
  return walk;
}
