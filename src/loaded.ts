// Loads the parts of the library that are separate files in the bundle, when they are needed.
import { WebvaeError } from "./errors.js";

/** The result of `load`. Rejects with DOWNLOAD_FAILED; the next call loads again. */
export async function loaded<T>(what: string, file: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const message = `${what} could not be loaded from the library's ${file}: ${String(cause)}`;
    throw new WebvaeError("DOWNLOAD_FAILED", message, { cause });
  }
}
