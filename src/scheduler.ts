// Runs an Executable's steps: K in a submit, at most two submits in flight, what they leave in the rings of outputs
// read back once a submit. Nothing waits for the GPU but the reading of the oldest submit, and that is the pace.
import { abortable } from "./abort.js";
import type { Device } from "./device.js";
import { STEP_STRIDE } from "./shader.js";
import type { Executable, StepValues } from "./executable.js";
import { Staging, type Range, type Stamp } from "./readback.js";
import type { WeightsLock } from "./weights_lock.js";

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
  /** Which part each step runs, and its row in that part's rings. */
  readonly places: readonly { readonly part: number; readonly slot: number }[];
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

/** How a Scheduler runs its steps. */
export interface SchedulerOptions {
  /** Milliseconds a submit should take; a single step may take longer. */
  readonly submitMs?: number | undefined;
  /** Which of the executables a step runs. Default: the first. */
  readonly partOf?: (step: Step) => number;
  /** Taken for each submit, by a scheduler whose steps change the weights. */
  readonly lock?: WeightsLock;
  /** Called with the steps of each submit, before anything else can be submitted. */
  readonly submitted?: (steps: readonly Step[]) => void;
}

interface Part {
  readonly executable: Executable;
  readonly rings: readonly {
    readonly name: string;
    readonly buffer: GPUBuffer;
    readonly offset: number;
    readonly rowBytes: number;
  }[];
}

export class Scheduler {
  readonly counts: SchedulerCounts = { submits: 0, steps: 0, hostMs: 0 };
  #perSubmit = 1;
  #inFlight = IN_FLIGHT;
  #disposed = false;
  /** Read-backs of a run that was broken off. */
  #leftover: Promise<void>[] = [];
  readonly #staging: Staging[];
  /** The most steps in a submit. */
  readonly #slots: number;

  private constructor(
    private readonly device: Device,
    private readonly parts: readonly Part[],
    staging: Staging[],
    private readonly options: SchedulerOptions,
  ) {
    this.#staging = staging;
    this.#slots = fewestSlots(parts);
  }

  /** A Scheduler that reads back the rings `outputs` of `executables`, which stay the caller's. */
  static async create(
    device: Device,
    executables: readonly Executable[],
    outputs: readonly string[],
    options: SchedulerOptions = {},
  ): Promise<Scheduler> {
    const parts = executables.map((executable) => ({ executable, rings: ringsOf(executable, outputs) }));
    const bytes = fewestSlots(parts) * sum(parts.flatMap(({ rings }) => rings.map(({ rowBytes }) => rowBytes)));
    const staging = await device.allocating("the loss ring", () =>
      Array.from({ length: IN_FLIGHT }, () => new Staging(device, bytes)),
    );
    return new Scheduler(device, parts, staging, options);
  }

  /**
   * Runs `steps`, yielding a Chunk per submit. Ends early if the caller breaks off or `signal` aborts (then with its
   * reason); submits in flight still run on the GPU. Throws DISPOSED, DEVICE_LOST, TIMEOUT, GPU_FAILED.
   */
  async *run(steps: Iterable<Step>, signal?: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    await Promise.all(this.#leftover.splice(0));
    const source = steps[Symbol.iterator]();
    const { lock } = this.options;
    const flying: Submitted[] = [];
    const recent: { readonly steps: number; readonly ms: number }[] = [];
    let lastDone = 0;
    let more = true;
    // A step is made only when it is submitted, so that schedules are called as late as possible.
    const submitNext = () => {
      signal?.throwIfAborted();
      const next = takeFrom(source, Math.min(this.#perSubmit, this.#slots));
      more = next.length > 0;
      if (more) flying.push(this.#submit(next));
    };
    try {
      while (more || flying.length > 0) {
        signal?.throwIfAborted();
        if (more && flying.length < this.#inFlight) {
          if (lock) await abortable(signal, lock.writing(submitNext));
          else submitNext();
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
        const stepMs = sum(recent.map(({ ms }) => ms)) / sum(recent.map(({ steps }) => steps));
        this.#adapt(stepMs);
        yield { steps: oldest.steps, rows: this.#split(bytes, oldest), stepMs };
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
    const staging = this.#staging.shift();
    if (!staging) throw new Error("no staging buffer is free");
    const at = performance.now();
    const { partOf = () => 0 } = this.options;
    // The steps of a part use the first rows of its rings, in order.
    const places = steps.map((step) => ({ step, part: partOf(step), slot: 0 }));
    let stamp: Stamp | undefined;
    const ranges: Range[] = [];
    this.parts.forEach(({ executable, rings }, part) => {
      const own = places.filter((place) => place.part === part);
      if (own.length === 0) return;
      own.forEach((place, slot) => (place.slot = slot));
      stamp = executable.writeSteps(own.map(({ step, slot }) => ({ ...step, slot })));
      for (const { buffer, offset, rowBytes } of rings) ranges.push({ buffer, offset, bytes: rowBytes * own.length });
    });
    try {
      this.device.submit("steps", (encoder) => {
        const pass = encoder.beginComputePass({ label: "steps" });
        for (const { part, slot } of places) this.parts[part]!.executable.encode(pass, slot);
        pass.end();
        staging.copy(encoder, ranges, stamp!);
      });
    } catch (error) {
      this.#staging.push(staging);
      throw error;
    }
    this.options.submitted?.(steps);
    const read = staging.read();
    read.catch(() => {}); // awaited later, or never when the run is broken off
    this.counts.hostMs += performance.now() - at;
    this.counts.submits++;
    this.counts.steps += steps.length;
    return { steps, places, staging, read, at };
  }

  #adapt(stepMs: number): void {
    // Who asks for short submits has something else to run between them.
    const { submitMs } = this.options;
    const usual = Math.max(TARGET_MS / stepMs, Math.min(FEWEST_STEPS, LONGEST_MS / stepMs));
    const wished = submitMs === undefined ? usual : submitMs / stepMs;
    // Where a step alone takes longer, the next one would stand before what else is to run.
    this.#inFlight = wished < 1 && submitMs !== undefined ? 1 : IN_FLIGHT;
    // Doubling at most: the first measurements hold compilation and cold caches.
    const next = Math.min(Math.floor(wished), 2 * this.#perSubmit, this.#slots);
    this.#perSubmit = Math.max(1, next);
  }

  #split(bytes: ArrayBuffer, { places }: Submitted): Record<string, Float32Array[]> {
    const rows: Record<string, Float32Array[]> = {};
    let at = 0;
    this.parts.forEach(({ rings }, part) => {
      const own = [...places.keys()].filter((index) => places[index]!.part === part);
      for (const { name, rowBytes } of own.length > 0 ? rings : []) {
        const list = (rows[name] ??= []);
        for (const index of own) {
          list[index] = new Float32Array(bytes, at, rowBytes / 4);
          at += rowBytes;
        }
      }
    });
    return rows;
  }

  dispose(): void {
    this.#disposed = true;
    for (const staging of this.#staging.splice(0)) staging.dispose();
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const fewestSlots = (parts: readonly Part[]) => Math.min(...parts.map(({ executable }) => executable.plan.slots));

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
