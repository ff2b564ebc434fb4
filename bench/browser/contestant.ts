// One library in one case: started, checked and measured within a time limit.
import { fetchedBytes, type PageFiles } from "./page_files.js";
import { WEBVAE, type KnownPeer } from "./peers.js";
import { COMPARED_STEPS, TimeUp, type PageCalls, type PageMemory } from "./protocol.js";
import type { PeerResult } from "./results.js";
import type { Session } from "./session.js";
import { lossDifference, spreadOf } from "./statistics.js";

/** Default length of a repetition in seconds, if a step takes less. */
export const REPETITION_SECONDS = 1.5;
const MOST_STEPS = 5000;
/** Share of the limit after which comparing losses stops, so that there is time left to measure. */
const CHECKING_SHARE = 1 / 3;
/** Waiting only after several steps is tried if that many take less than this. */
const LONGEST_WAIT_MS = 5000;
/** Losses diverge by rounding: float32, different orders of summation, ten steps of Adam. */
export const TOLERANCE = 1e-3;

export type PageSession = Pick<Session, "call" | "heapBytes" | "close" | "version">;

export class Contestant {
  session: PageSession | undefined;
  readonly losses: number[] = [];
  error: string | null = null;
  #firstStepMs: number | null = null;
  #detail = "";
  #bytes: { script: number; wasm: number } | undefined;
  /** Keyed by the number of steps between waits. */
  readonly #times = new Map<number, number[]>();
  #counts: { kernels: number | null; submits: number | null } | undefined;
  #memory: (PageMemory & { heapBytes: number | null }) | undefined;
  #spentMs = 0;
  #stepMs = 0;

  constructor(
    readonly known: KnownPeer,
    readonly files: PageFiles,
    private readonly limitMs: number,
    private readonly seconds = REPETITION_SECONDS,
  ) {}

  get repetitions(): number {
    return Math.max(0, ...[...this.#times.values()].map((times) => times.length));
  }

  /** Runs the library's first step, and more as far as time allows. */
  async start(open: () => Promise<PageSession>): Promise<void> {
    await this.#attempt(async () => {
      this.session = await open();
      const started = await this.#timed(() => this.session!.call("start", this.#left()));
      this.#firstStepMs = started.firstStepMs;
      this.#detail = started.detail;
      this.#bytes = fetchedBytes(this.files, started.fetched);
      this.losses.push(started.loss);
      const more = () => this.losses.length < 2 || this.#spentMs < CHECKING_SHARE * this.limitMs;
      while (this.losses.length < COMPARED_STEPS && more()) {
        // The others' losses are compared with webvae's.
        const count = this.known === WEBVAE ? COMPARED_STEPS - 1 : 1;
        const before = this.#spentMs;
        this.losses.push(...(await this.#timed(() => this.session!.call("losses", this.#left(), count))));
        this.#stepMs = (this.#spentMs - before) / count;
      }
    });
  }

  /** One repetition for each way of waiting; none if the limit is used up. */
  async repeat(): Promise<void> {
    const [often = 1, ...seldom] = this.known.every;
    await this.#measure(often, 1);
    for (const every of seldom) {
      if (every * this.#stepMs < LONGEST_WAIT_MS) await this.#measure(every, every);
    }
  }

  async #measure(every: number, least: number): Promise<void> {
    const steps = Math.max(least, Math.min(MOST_STEPS, Math.round((1000 * this.seconds) / this.#stepMs)));
    if (this.repetitions > 0 && this.#spentMs + steps * this.#stepMs > this.limitMs) return;
    await this.#attempt(async () => {
      const pace = { every, steps, seconds: this.seconds };
      const timed = await this.#timed(() => this.session!.call("measure", this.#left(), pace));
      this.losses.push(...timed.losses);
      this.#times.set(every, [...(this.#times.get(every) ?? []), timed.stepMs]);
      this.#counts = timed;
      this.#stepMs = timed.stepMs;
    });
  }

  /** Fails the peer if its losses differ from the reference's. */
  check(reference: readonly number[]): void {
    if (this.error || reference.length === 0) return;
    const { tolerance = TOLERANCE } = this.known;
    const difference = lossDifference(this.losses, reference);
    if (difference <= tolerance) return;
    const step = this.losses.findIndex((loss, i) => !(Math.abs(loss - reference[i]!) <= tolerance * reference[i]!));
    this.error = `losses differ: ${this.losses[step]} at step ${step + 1}, where webvae has ${reference[step]}`;
  }

  async finish(): Promise<void> {
    if (this.session && !this.error) {
      try {
        const memory = await this.session.call("memory", 30_000);
        this.#memory = { ...memory, heapBytes: await this.session.heapBytes() };
      } catch {
        // The measured figures are valid without it.
      }
    }
    await this.session?.close();
  }

  /** A call to the page; if it fails, the library has failed. */
  async ask<Name extends "sendWeights" | "adapter">(name: Name) {
    let answer: Awaited<ReturnType<PageCalls[Name]>> | undefined;
    await this.#attempt(async () => {
      answer = await this.session!.call(name, this.limitMs, ...([] as unknown as Parameters<PageCalls[Name]>));
    });
    return answer;
  }

  result(model: string, batch: number, webvae: Contestant): PeerResult {
    const reference = webvae.losses;
    const webvaeMs = webvae.medianMs;
    const [every, times] = this.#best();
    const spread = !this.error && times ? spreadOf(times) : undefined;
    const compared = Math.min(this.losses.length, reference.length, COMPARED_STEPS);
    return {
      model,
      batch,
      peer: this.known.name,
      medianMs: spread?.median ?? null,
      spreadMs: spread ? spread.slowest - spread.fastest : null,
      fastestMs: spread?.fastest ?? null,
      slowestMs: spread?.slowest ?? null,
      repetitions: spread ? (times?.length ?? 0) : 0,
      firstStepMs: this.#firstStepMs,
      kernels: this.#counts?.kernels ?? null,
      submits: this.#counts?.submits ?? null,
      speedup: spread && webvaeMs ? spread.median / webvaeMs : null,
      every: this.known.every.length > 1 && spread ? every : null,
      lossDifference: compared > 0 ? lossDifference(this.losses.slice(0, compared), reference) : null,
      comparedSteps: compared,
      heapBytes: this.#memory?.heapBytes ?? null,
      hostBytes: this.#memory?.hostBytes ?? null,
      gpuBytes: this.#memory?.gpuBytes ?? null,
      scriptBytes: this.#bytes?.script || null,
      wasmBytes: this.#bytes?.wasm ?? null,
      detail: this.#detail,
      error: this.error,
    };
  }

  get medianMs(): number | null {
    const [, times] = this.#best();
    return times && !this.error ? spreadOf(times).median : null;
  }

  /** The way of waiting with the smallest median. */
  #best(): [number | null, number[] | undefined] {
    const sorted = [...this.#times].sort(([, a], [, b]) => spreadOf(a).median - spreadOf(b).median);
    return sorted[0] ?? [null, undefined];
  }

  /** A call may use the whole limit again, because a single step can take longer than the remaining time. */
  #left(): number {
    return Math.max(this.limitMs - this.#spentMs, 0) + this.limitMs;
  }

  async #timed<T>(call: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await call();
    } finally {
      this.#spentMs += performance.now() - started;
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.error) return;
    try {
      await work();
    } catch (error) {
      this.error =
        error instanceof TimeUp
          ? `too slow: ${this.losses.length} steps in ${(this.#spentMs / 1000).toFixed(0)} s`
          : error instanceof Error
            ? error.message
            : String(error);
      await this.session?.close();
    }
  }
}
