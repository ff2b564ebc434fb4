// What `train` returns: an iterator of reports that is also a promise of the last one.
import { WebvaeError } from "./errors.js";
import type { TrainingReport } from "./training_report.js";

type Reports = AsyncGenerator<TrainingReport, void, undefined>;

/**
 * An iterator dropped without `return` would keep its VAE busy forever, so garbage collection ends its run.
 */
const dropped =
  typeof FinalizationRegistry === "function"
    ? new FinalizationRegistry<Reports>((reports) => void reports.return().catch(() => {}))
    : undefined;

/**
 * A training run, which starts with the first `next` (by `for await`) or the first `then` (by `await`). Iterating
 * yields the reports as they come; awaiting trains to the end and returns the last report. Each run can be used in only
 * one of these ways; the other throws BUSY. Returning a run from an async function, or resolving a promise with it,
 * awaits it; to avoid that, return `{ run }`.
 */
export class Training implements Promise<TrainingReport>, AsyncGenerator<TrainingReport, void, undefined> {
  readonly [Symbol.toStringTag] = "Training";
  readonly #start: () => Reports;
  #reports: Reports | undefined;
  #last: Promise<TrainingReport> | undefined;
  #ended = false;

  constructor(start: () => AsyncGenerator<TrainingReport, void, undefined>) {
    this.#start = start;
  }

  /** The next report. Throws what `train` documents, and BUSY if this run is awaited. */
  async next(): Promise<IteratorResult<TrainingReport, void>> {
    this.#assertNotAwaited();
    if (this.#ended) return { done: true, value: undefined };
    if (!this.#reports) {
      this.#reports = this.#start();
      dropped?.register(this, this.#reports);
    }
    return this.#reports.next();
  }

  /** Ends the run and keeps the weights. Throws BUSY if this run is awaited. */
  async return(): Promise<IteratorResult<TrainingReport, void>> {
    this.#assertNotAwaited();
    this.#ended = true;
    return this.#reports?.return() ?? { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<TrainingReport, void>> {
    this.#assertNotAwaited();
    this.#ended = true;
    if (!this.#reports) throw error;
    return this.#reports.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#last) await this.return();
  }

  /**
   * Trains to the end; further calls get the same report. Rejects with what `train` documents, and BUSY if iterated.
   */
  then<A = TrainingReport, B = never>(
    resolved?: ((report: TrainingReport) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#toTheEnd().then(resolved, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<TrainingReport | B> {
    return this.then(undefined, rejected);
  }

  finally(settled?: (() => void) | null): Promise<TrainingReport> {
    return this.#toTheEnd().finally(settled);
  }

  #toTheEnd(): Promise<TrainingReport> {
    if (this.#reports || this.#ended) {
      return Promise.reject(new WebvaeError("BUSY", "train: this run is iterated; it cannot be awaited too"));
    }
    return (this.#last ??= drain(this.#start()));
  }

  #assertNotAwaited(): void {
    if (this.#last) throw new WebvaeError("BUSY", "train: this run is awaited; it cannot be iterated too");
  }
}

async function drain(reports: Reports): Promise<TrainingReport> {
  let last: TrainingReport | undefined;
  for await (const report of reports) last = report;
  if (!last) throw new WebvaeError("INTERNAL", "training ended without a report");
  return last;
}
