// What a page is served, and how large that is which it fetched.
import { gzipSync } from "node:zlib";

/** By their names within the page's folder. */
export type PageFiles = ReadonlyMap<string, Uint8Array>;

/** What a page fetched of its files, gzipped: the library with the code that trains with it, and its WebAssembly. */
export function fetchedBytes(files: PageFiles, fetched: readonly string[]): { script: number; wasm: number } {
  const sum = (ending: string) =>
    [...new Set(fetched)]
      .filter((name) => name.endsWith(ending) && name !== "page.js")
      .reduce((total, name) => total + gzipSync(files.get(name) ?? "", { level: 9 }).length, 0);
  return { script: sum(".js"), wasm: sum(".wasm") };
}
