// npm run build: src/ and shaders/ as dist/webvae.js, one minified ESM file with its source map, and the public
// declarations as dist/types/index.d.ts.
import { build } from "esbuild";
import { Buffer } from "node:buffer";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { esbuildWgsl } from "./wgsl.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bytes, gzipped: what the README promises. */
export const LIMIT = 40_000;

/**
 * The library in memory.
 * @returns {Promise<{ code: string, map: string, gzipped: number }>}
 */
export async function bundleLibrary() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/index.ts"],
    outfile: "dist/webvae.js",
    bundle: true,
    minify: true,
    // A fault in Node shows its line: not the whole file.
    lineLimit: 2000,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    sourcemap: "linked",
    legalComments: "none",
    plugins: [esbuildWgsl()],
    logLevel: "error",
  });
  const text = (/** @type {string} */ end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
  const code = text(".js");
  return { code, map: text(".map"), gzipped: gzipSync(code, { level: 9 }).length };
}

/**
 * Writes the package's files to a folder. Throws where the bundle is larger than LIMIT.
 * @param {string} [folder]
 */
export async function buildPackage(folder = join(root, "dist")) {
  // Slow to load, and of no use to who wants the bundle alone.
  const { publicDeclarations } = await import("./declarations.mjs");
  const { code, map, gzipped } = await bundleLibrary();
  const declarations = publicDeclarations();
  // What an earlier version left there would be published too.
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "types"), { recursive: true });
  await writeFile(join(folder, "webvae.js"), code);
  await writeFile(join(folder, "webvae.js.map"), map);
  await writeFile(join(folder, "types/index.d.ts"), declarations);
  const size = `${Buffer.byteLength(code)} bytes, ${gzipped} gzipped`;
  if (gzipped > LIMIT) throw new Error(`webvae.js has ${size}; the limit is ${LIMIT}`);
  return { size, declarations: Buffer.byteLength(declarations) };
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  try {
    const { size, declarations } = await buildPackage();
    console.log(`dist/webvae.js: ${size} (limit ${LIMIT})`);
    console.log(`dist/types/index.d.ts: ${declarations} bytes`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
