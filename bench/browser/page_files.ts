// The files served to a page, and the size of those it fetched.
import { gzipSync } from "node:zlib";

/** By name within the page's folder. */
export type PageFiles = ReadonlyMap<string, Uint8Array>;

/** Gzipped size of the files a page fetched: the library with the code that trains with it, and its WebAssembly. */
export function fetchedBytes(files: PageFiles, fetched: readonly string[]): { script: number; wasm: number } {
  const sum = (ending: string) =>
    [...new Set(fetched)]
      .filter((name) => name.endsWith(ending) && name !== "page.js")
      .reduce((total, name) => total + gzipSync(files.get(name) ?? "", { level: 9 }).length, 0);
  return { script: sum(".js"), wasm: sum(".wasm") };
}
