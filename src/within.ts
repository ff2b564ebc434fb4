// Waiting for what nothing depends on.

/** What `call` gives, or undefined where it fails or takes longer. */
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
