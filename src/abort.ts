// Waits that a signal can end.

/**
 * The result of `promise`; rejects with the signal's reason as soon as it aborts. Work that cannot be stopped
 * continues, and its late result is passed to `discard`.
 */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  promise: Promise<T>,
  discard: (late: T) => void = () => {},
): Promise<T> {
  if (!signal) return promise;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    stop = () => signal.removeEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } catch (error) {
    if (signal.aborted) promise.then(discard, () => {});
    throw error;
  } finally {
    stop();
  }
}
