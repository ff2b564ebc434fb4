// Advice in error messages, found by code that is loaded for it.
import { layersFile } from "./layers_file.js";
import { within } from "./within.js";

/** Milliseconds to wait for that code, before the error is thrown without advice. */
const ADVICE_MS = 2000;

/** What `find` makes of that code, or undefined if it cannot be loaded. */
export async function advised<T>(find: (file: Awaited<ReturnType<typeof layersFile>>) => T) {
  const file = await within(ADVICE_MS, layersFile);
  return file && find(file);
}
