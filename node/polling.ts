// While something is awaited, Dawn in Node polls with a setImmediate that sets the next (crbug.com/dawn/1127), which
// keeps a core busy for as long as the GPU works. A software adapter needs the cores itself: on SwiftShader with two of
// them, a training step took 1.6 times as long. Here a poll waits for a timer instead, once a wait has lasted a while.

type Callback = (...values: unknown[]) => void;

/** For this many ms, polls follow each other at once, so that short waits are not delayed by a timer's tick. */
const EAGER_MS = 1;
/** Polls further apart than this, in ms, belong to separate waits. */
const PAUSE_MS = 4;
const TIMER_MS = 1;

let eased = false;

/**
 * From now on, makes Dawn's polls in this process leave the cores to the GPU. Other uses of setImmediate are
 * unaffected.
 */
export function easePolling(): void {
  if (eased) return;
  eased = true;
  globalThis.setImmediate = easedImmediate(globalThis.setImmediate);
}

/** Like `immediately`, except for Dawn's polls. */
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
  // The variant for util.promisify.
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
