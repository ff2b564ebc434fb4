// While something is awaited, Dawn in Node asks for it by a setImmediate that sets the next (crbug.com/dawn/1127), which
// keeps a core busy for as long as the GPU works. A software adapter works on the cores: on SwiftShader with two of them
// a training step took 1.6 times as long. Here a poll waits for a timer instead, once a wait has lasted a while.

type Callback = (...values: unknown[]) => void;

/** For so long, in ms, polls follow each other at once: what takes less than a timer's tick is not held up by it. */
const EAGER_MS = 1;
/** Polls further apart than this, in ms, are of two waits. */
const PAUSE_MS = 4;
const TIMER_MS = 1;

let eased = false;

/** Makes Dawn's polls leave the cores to the GPU, in this process from now on. Other uses of setImmediate are as before. */
export function easePolling(): void {
  if (eased) return;
  eased = true;
  globalThis.setImmediate = easedImmediate(globalThis.setImmediate);
}

/** `immediately`, but for Dawn's polls. */
export function easedImmediate(immediately: typeof setImmediate): typeof setImmediate {
  let began = -Infinity;
  let last = -Infinity;
  const set = (callback: Callback, ...values: unknown[]) => {
    if (!isPoll(callback)) return immediately(callback, ...values);
    const now = performance.now();
    if (now - last > PAUSE_MS) began = now;
    last = now;
    return now - began < EAGER_MS ? immediately(callback) : setTimeout(callback, TIMER_MS);
  };
  // util.promisify's own form of it.
  return Object.assign(set, immediately);
}

/** Dawn's callback is native and has no name; a bound function looks the same, but has no prototype. */
function isPoll(callback: Callback): boolean {
  return (
    callback.name === "" &&
    Object.hasOwn(callback, "prototype") &&
    Function.prototype.toString.call(callback) === "function () { [native code] }"
  );
}
