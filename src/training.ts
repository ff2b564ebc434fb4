// What `train` returns: reports to go through, or a promise of the last one.
import { WebvaeError } from "./errors.js";
import type { TrainingReport } from "./training_report.js";

type Reports = AsyncGenerator<TrainingReport, void, undefined>;

/** An iterator that is dropped without `return` would keep its VAE busy for ever: it ends when it is collected. */
const dropped =
  typeof FinalizationRegistry === "function"
    ? new FinalizationRegistry<Reports>((reports) => void reports.return().catch(() => {}))
    : undefined;

/**
 * A run of training, which begins with the first `next`, as `for await` calls it, or the first `then`, as `await` does.
 * Gone through, it gives the reports as they come; awaited, it trains to the end and gives the last report. One object
 * is used in one way: the other throws BUSY. To return it from an async function, or to resolve a promise with it, is to
 * await it: give back `{ run }` where that isn't meant.
 */
export class Training implements Promise<TrainingReport>, Reports {
  readonly [Symbol.toStringTag] = "Training";
  readonly #start: () => Reports;
  #reports: Reports | undefined;
  #last: Promise<TrainingReport> | undefined;
  #ended = false;

  constructor(start: () => Reports) {
    this.#start = start;
  }

  /** The next report. Throws what training throws, and BUSY where this is awaited. */
  async next(): Promise<IteratorResult<TrainingReport, void>> {
    this.#assertNotAwaited();
    if (this.#ended) return { done: true, value: undefined };
    if (!this.#reports) {
      this.#reports = this.#start();
      dropped?.register(this, this.#reports);
    }
    return this.#reports.next();
  }

  /** Ends the run; the weights are kept. */
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

  /** Trains to the end. Called again, gives the same report. */
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
