// Waiting that ends when what is waited for can no longer come: the device was lost, the VAE was disposed of, or no
// answer came in time. A promise raced against `device.lost` would leave a reaction there for as long as the device
// lives, for every read-back; here each wait is registered while it lasts.
import { WebvaeError } from "./errors.js";

/** A deadline is counted in so many ticks, not by the clock: a computer that slept through it hasn't waited. */
const TICKS = 10;

export class Life {
  #ended: WebvaeError | undefined;
  readonly #waiting = new Set<(error: WebvaeError) => void>();

  /** Why it ended, once it has. */
  get ended(): WebvaeError | undefined {
    return this.#ended;
  }

  throwIfEnded(): void {
    if (this.#ended) throw this.#ended;
  }

  /** Rejects all that waits, now and from now on, with `error`. A later end takes the place of an earlier one. */
  end(error: WebvaeError): void {
    this.#ended = error;
    for (const stop of [...this.#waiting]) stop(error);
  }

  /** Calls `then` when this ends: at once if it has. Gives what takes it back. */
  onEnd(then: (error: WebvaeError) => void): () => void {
    if (this.#ended) then(this.#ended);
    else this.#waiting.add(then);
    return () => void this.#waiting.delete(then);
  }

  /** What `promise` gives, or the end; TIMEOUT, naming `what`, where neither comes for `patienceMs`. */
  wait<T>(promise: PromiseLike<T>, what: string, patienceMs = Infinity): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let left = TICKS;
      const late = () => stop(new WebvaeError("TIMEOUT", `${what}: no answer within ${patienceMs} ms`));
      // A timer of more than 2^31 - 1 ms would go off at once.
      const tick = Math.min(patienceMs / TICKS, 2 ** 31 - 1);
      const timer = patienceMs < Infinity ? setInterval(() => --left || late(), tick) : undefined;
      const leave = () => {
        clearInterval(timer);
        this.#waiting.delete(stop);
      };
      const stop = (error: WebvaeError) => {
        leave();
        reject(error);
      };
      promise.then(
        (value) => {
          leave();
          // What comes after the end comes too late.
          if (this.#ended) reject(this.#ended);
          else resolve(value);
        },
        (error: unknown) => {
          leave();
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
          reject(this.#ended ?? error);
        },
      );
      if (this.#ended) stop(this.#ended);
      else this.#waiting.add(stop);
    });
  }
}
