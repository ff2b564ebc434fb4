// Waits that end when the device is lost, the VAE is disposed of, or no response comes in time. Racing each promise
// against `device.lost` would leave a reaction on that promise for every read-back, for as long as the device lives;
// here a wait is registered only while it lasts.
import { WebvaeError } from "./errors.js";

/** A deadline is this many timer ticks rather than a time, so that a sleeping computer's time does not count. */
const TICKS = 10;

export class Life {
  #ended: WebvaeError | undefined;
  readonly #waiting = new Set<(error: WebvaeError) => void>();

  /** Why this ended; undefined until then. */
  get ended(): WebvaeError | undefined {
    return this.#ended;
  }

  throwIfEnded(): void {
    if (this.#ended) throw this.#ended;
  }

  /** Rejects all current and future waits with `error`, which replaces an earlier end's error. */
  end(error: WebvaeError): void {
    this.#ended = error;
    for (const stop of [...this.#waiting]) stop(error);
  }

  /** Calls `then` when this ends, or at once if it has ended. Returns a function that cancels the call. */
  onEnd(then: (error: WebvaeError) => void): () => void {
    if (this.#ended) then(this.#ended);
    else this.#waiting.add(then);
    return () => void this.#waiting.delete(then);
  }

  /** Waits for `promise`. Rejects with the end's error, or with TIMEOUT naming `what` after `patienceMs`. */
  wait<T>(promise: PromiseLike<T>, what: string, patienceMs = Infinity): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let left = TICKS;
      const late = () => stop(new WebvaeError("TIMEOUT", `${what}: no response within ${patienceMs} ms`));
      // A timer of more than 2^31 - 1 ms would fire at once.
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
          // A response after the end is too late.
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
