// The pages' scripts, bundled and minified as a site would serve them, and their sizes.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundledWgsl } from "../../build/wgsl_bundle.mjs";
import type { KnownPeer } from "./peers.js";

const require = createRequire(import.meta.url);

export interface PageFiles {
  /** By their names within the page's folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Gzipped bytes of the library with the code that trains with it. */
  readonly scriptBytes: number;
  /** Gzipped bytes of the largest WebAssembly file, of which a browser fetches one. */
  readonly wasmBytes: number;
}

export async function pageFiles(peer: KnownPeer): Promise<PageFiles> {
  const page = await bundle("page.ts");
  const script = await bundle(`peers/${peer.script}.ts`);
  const files = new Map([
    ["page.js", page],
    ["peer.js", script],
  ]);
  let wasmBytes = 0;
  for (const asset of peer.assets ?? []) {
    const bytes = new Uint8Array(await readFile(require.resolve(asset)));
    files.set(basename(asset), bytes);
    wasmBytes = Math.max(wasmBytes, gzipped(bytes));
  }
  return { files, scriptBytes: gzipped(script), wasmBytes };
}

const gzipped = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).length;

async function bundle(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    plugins: [bundledWgsl()],
    logLevel: "error",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}
