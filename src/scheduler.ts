// Runs an Executable's steps: K in a submit, at most two submits in flight, what they leave in the rings of outputs
// read back once a submit. Nothing waits for the GPU but the reading of the oldest submit, and that is the pace.
import { abortable } from "./abort.js";
import type { Device } from "./device.js";
import { STEP_STRIDE } from "./shader.js";
import type { Executable, StepValues } from "./executable.js";
import { Staging } from "./readback.js";

/** A submit long enough to hide its cost, short enough that a page stays live and no driver's watchdog bites. */
const TARGET_MS = 50;
const LONGEST_MS = 500;
/** Steps a submit holds at least, where LONGEST_MS allows: a slow adapter shouldn't pay for a submit per step. */
const FEWEST_STEPS = 4;
const IN_FLIGHT = 2;
/** Submits over which a step's time is averaged: two that end while the host is busy seem to end at once. */
const RECENT = 4;

/** One step's values for the shaders, without its place in the rings. */
export type Step = Omit<StepValues, "slot">;

export interface Chunk {
  readonly steps: readonly Step[];
  /** What the steps left in each ring: a row per step. */
  readonly rows: Readonly<Record<string, readonly Float32Array[]>>;
  /** Milliseconds a step takes, the mean over the last submits. */
  readonly stepMs: number;
}

interface Submitted {
  readonly steps: readonly Step[];
  readonly staging: Staging;
  readonly read: Promise<ArrayBuffer>;
  readonly at: number;
}

/** Submits and the time to encode them, for benchmarks. */
export interface SchedulerCounts {
  submits: number;
  steps: number;
  /** Milliseconds of host time spent on making and submitting commands. */
  hostMs: number;
}

export class Scheduler {
  readonly counts: SchedulerCounts = { submits: 0, steps: 0, hostMs: 0 };
  #perSubmit = 1;
  #inFlight = IN_FLIGHT;
  #disposed = false;
  /** Read-backs of a run that was broken off. */
  #leftover: Promise<void>[] = [];
  readonly #staging: Staging[];
  readonly #rings: readonly { name: string; buffer: GPUBuffer; offset: number; rowBytes: number }[];
  readonly #rowBytes: number;

  private constructor(
    private readonly device: Device,
    private readonly executable: Executable,
    staging: Staging[],
    outputs: readonly string[],
    private readonly submitMs: number | undefined,
  ) {
    this.#staging = staging;
    this.#rings = ringsOf(executable, outputs);
    this.#rowBytes = this.#rings.reduce((sum, { rowBytes }) => sum + rowBytes, 0);
  }

  /**
   * For the rings named `outputs` of `executable`, which stays the caller's. `submitMs`: how long a submit takes, where
   * a step doesn't take longer.
   */
  static async create(
    device: Device,
    executable: Executable,
    outputs: readonly string[],
    submitMs?: number,
  ): Promise<Scheduler> {
    const bytes = ringsOf(executable, outputs).reduce((sum, { rowBytes }) => sum + rowBytes, 0) * executable.plan.slots;
    const staging = await device.allocating("the loss ring", () =>
      Array.from({ length: IN_FLIGHT }, () => new Staging(device, bytes)),
    );
    return new Scheduler(device, executable, staging, outputs, submitMs);
  }

  /**
   * Runs `steps`, yielding a Chunk per submit. Ends early, with what is in flight still to run on the GPU, where the
   * caller breaks off or `signal` aborts (then with its reason). Throws DEVICE_LOST.
   */
  async *run(steps: Iterable<Step>, signal?: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    await Promise.all(this.#leftover.splice(0));
    const source = steps[Symbol.iterator]();
    const flying: Submitted[] = [];
    const recent: { readonly steps: number; readonly ms: number }[] = [];
    let lastDone = 0;
    let more = true;
    try {
      while (more || flying.length > 0) {
        signal?.throwIfAborted();
        if (more && flying.length < this.#inFlight) {
          const next = takeFrom(source, Math.min(this.#perSubmit, this.executable.plan.slots));
          more = next.length > 0;
          if (more) flying.push(this.#submit(next));
          continue;
        }
        const oldest = flying[0]!;
        const bytes = await abortable(signal, oldest.read);
        flying.shift();
        this.#staging.push(oldest.staging);
        const now = performance.now();
        recent.push({ steps: oldest.steps.length, ms: now - Math.max(oldest.at, lastDone) });
        if (recent.length > RECENT) recent.shift();
        lastDone = now;
        const total = (key: "steps" | "ms") => recent.reduce((sum, one) => sum + one[key], 0);
        const stepMs = total("ms") / total("steps");
        this.#adapt(stepMs);
        yield { steps: oldest.steps, rows: this.#split(bytes, oldest.steps.length), stepMs };
      }
    } finally {
      // A caller that breaks off leaves read-backs pending; the staging buffers are free again when they are done.
      for (const { read, staging } of flying) {
        const free = () => (this.#disposed ? staging.dispose() : void this.#staging.push(staging));
        this.#leftover.push(read.then(free, free));
      }
    }
  }

  #submit(steps: readonly Step[]): Submitted {
    this.device.assertAlive();
    const staging = this.#staging.shift();
    if (!staging) throw new Error("no staging buffer is free");
    const at = performance.now();
    this.executable.writeSteps(steps.map((step, slot) => ({ ...step, slot })));
    const encoder = this.device.gpu.createCommandEncoder({ label: "steps" });
    const pass = encoder.beginComputePass({ label: "steps" });
    for (let index = 0; index < steps.length; index++) this.executable.encode(pass, index);
    pass.end();
    const ranges = this.#rings.map(({ buffer, offset, rowBytes }) => ({
      buffer,
      offset,
      bytes: rowBytes * steps.length,
    }));
    staging.copy(encoder, ranges);
    this.device.gpu.queue.submit([encoder.finish()]);
    const read = staging.read(this.#rowBytes * steps.length);
    read.catch(() => {}); // awaited later, or never when the run is broken off
    this.counts.hostMs += performance.now() - at;
    this.counts.submits++;
    this.counts.steps += steps.length;
    return { steps, staging, read, at };
  }

  #adapt(stepMs: number): void {
    // Who asks for short submits has something else to run between them.
    const usual = Math.max(TARGET_MS / stepMs, Math.min(FEWEST_STEPS, LONGEST_MS / stepMs));
    const wished = this.submitMs === undefined ? usual : this.submitMs / stepMs;
    // Where a step alone takes longer, the next one would stand before what else is to run.
    this.#inFlight = wished < 1 && this.submitMs !== undefined ? 1 : IN_FLIGHT;
    // Doubling at most: the first measurements hold compilation and cold caches.
    const next = Math.min(Math.floor(wished), 2 * this.#perSubmit, this.executable.plan.slots);
    this.#perSubmit = Math.max(1, next);
  }

  #split(bytes: ArrayBuffer, count: number): Record<string, Float32Array[]> {
    const rows: Record<string, Float32Array[]> = {};
    let at = 0;
    for (const { name, rowBytes } of this.#rings) {
      rows[name] = Array.from({ length: count }, (_, i) => new Float32Array(bytes, at + i * rowBytes, rowBytes / 4));
      at += rowBytes * count;
    }
    return rows;
  }

  dispose(): void {
    this.#disposed = true;
    for (const staging of this.#staging.splice(0)) staging.dispose();
  }
}

function ringsOf(executable: Executable, outputs: readonly string[]) {
  return outputs.map((name) => {
    const { buffer, offset, bytes } = executable.locate(name);
    return { name, buffer, offset, rowBytes: bytes / executable.plan.slots };
  });
}

/** Rows for the rings of a plan whose steps leave `rowBytes` each: at most 128 steps and 4 MiB a submit. */
export function ringSlots(rowBytes: number): number {
  return Math.max(1, Math.min(128, Math.floor((4 * 2 ** 20) / rowBytes), Math.floor(2 ** 20 / STEP_STRIDE)));
}

function takeFrom(source: Iterator<Step>, count: number): Step[] {
  const taken: Step[] = [];
  while (taken.length < count) {
    const next = source.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}
