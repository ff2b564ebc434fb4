// Waits for an optional result for a limited time.

/** The result of `call`, or undefined if it fails or takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, call: () => T): Promise<Awaited<T> | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((done) => (timer = setTimeout(done, ms, undefined)));
  try {
    return await Promise.race([call(), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
