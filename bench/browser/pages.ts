// The pages' scripts, bundled and minified as a site would serve them, and their sizes. webvae comes as its package's
// files; each page loads the ones it needs.
import { build, type Plugin } from "esbuild";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { bundleLibrary } from "../../build/bundle.mjs";
import type { PageFiles } from "./page_files.js";
import { WEBVAE, type KnownPeer } from "./peers.js";

const require = createRequire(import.meta.url);

export async function pageFiles(peer: KnownPeer): Promise<PageFiles> {
  const files = new Map([
    ["page.js", await bundle("page.ts")],
    ["peer.js", await bundle(`peers/${peer.script}.ts`)],
  ]);
  for (const asset of peer.assets ?? []) {
    files.set(basename(asset), new Uint8Array(await readFile(require.resolve(asset))));
  }
  if (peer === WEBVAE) {
    const { files: library } = await bundleLibrary();
    for (const [name, text] of library) if (name.endsWith(".js")) files.set(name, new TextEncoder().encode(text));
  }
  return files;
}

const library: Plugin = {
  name: "library",
  setup(build) {
    build.onResolve({ filter: /^webvae$/ }, () => ({ path: "./webvae.js", external: true }));
  },
};

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
    plugins: [library],
    logLevel: "error",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}
