// npm run build: src/ and shaders/ as minified ESM files with their source maps, and the public declarations of each
// entry. chunks.mjs decides which file has which source: core.js, the entries, and the two files that the core imports
// on demand, with what only some models or adapters need and with the code for model files. Also makes one script with
// core, data sets and canvas for pages without modules, and sri.json with each script's hash as used in `integrity`.
import { build } from "esbuild";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { minify } from "terser";
import { bundleChunks, CORE_FILE, ON_DEMAND as DEMANDED } from "./chunks.mjs";
import { esbuildCss } from "./css.mjs";
import { ENTRIES, NAME, VERSION } from "./entries.mjs";
import { esbuildWgsl } from "./wgsl.mjs";
import { bundledWgsl } from "./wgsl_bundle.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bytes, gzipped, of the files that `import "webvae"` loads. */
export const LIMIT = 41_500;
export const CORE = ["webvae.js", CORE_FILE];
/** Files that they load on demand. The names are stable, because pages put them next to those two. */
export const [LAYERS, FILES] = ["layers.js", "files.js"];
export const ON_DEMAND = Object.keys(DEMANDED);
/** Everything in one script, for pages without modules. */
export const GLOBAL = "webvae.global.js";

/** @satisfies {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  minify: true,
  // An error in Node prints the line it is on, which must not be the whole file.
  lineLimit: 8000,
  write: false,
  format: /** @type {const} */ ("esm"),
  platform: /** @type {const} */ ("browser"),
  target: "es2022",
  // Of the entry for Node alone.
  external: ["node:*", "webgpu"],
  // Parameter properties are declared by assignment, which saves repeating their names in each class.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  sourcemap: /** @type {const} */ ("linked"),
  legalComments: /** @type {const} */ ("none"),
  logLevel: /** @type {const} */ ("error"),
};

/**
 * The library in memory: the text of each file in dist/ by name, including maps and sri.json, and each script's size.
 * @returns {Promise<{ files: Map<string, string>, sizes: Map<string, { bytes: number, gzipped: number }>, gzipped: number }>}
 */
export async function bundleLibrary() {
  const own = {
    ...common,
    define: { RELEASE: JSON.stringify(releaseOf(["src", "shaders"])) },
    plugins: [bundledWgsl(), esbuildWgsl(), esbuildCss()],
  };
  const chunks = await bundleChunks(own, {
    ...Object.fromEntries(ENTRIES.map(({ script, source }) => [basename(script, ".js"), source])),
    ...Object.fromEntries(Object.entries(DEMANDED).map(([file, source]) => [basename(file, ".js"), source])),
  });
  const script = await build({
    ...own,
    entryPoints: { [basename(GLOBAL, ".js")]: "src/global.ts" },
    format: "iife",
    globalName: "webvae",
    // People copy this file, so it must identify itself.
    banner: { js: `/*! ${NAME} ${VERSION} | MIT License */` },
  });
  const files = new Map([...chunks, ...script.outputFiles].map(({ path, text }) => [basename(path), text]));
  for (const name of [CORE_FILE, GLOBAL]) await squeeze(files, name);
  const sizes = new Map(
    [...files]
      .filter(([name]) => name.endsWith(".js"))
      .map(([name, code]) => [name, { bytes: Buffer.byteLength(code), gzipped: gzipSync(code, { level: 9 }).length }]),
  );
  files.set("sri.json", `${JSON.stringify(integrity(files), undefined, 2)}\n`);
  const gzipped = CORE.reduce((sum, name) => sum + (sizes.get(name)?.gzipped ?? 0), 0);
  return { files, sizes, gzipped };
}

/**
 * Runs the script `name` and its map through a minifier that also evaluates and inlines, which saves another 3.5%.
 * @param {Map<string, string>} files
 * @param {string} name
 */
async function squeeze(files, name) {
  const { code, map } = await minify(files.get(name) ?? "", {
    module: name !== GLOBAL,
    ecma: 2020,
    // Our getters have no side effects.
    compress: { passes: 3, unsafe_arrows: true, keep_fargs: false, pure_getters: true },
    format: { max_line_len: common.lineLimit, comments: /^!|webpackIgnore|@vite-ignore/ },
    sourceMap: { content: files.get(`${name}.map`) ?? "", filename: name, url: `${name}.map`, includeSources: true },
  });
  files.set(name, `${code}\n`);
  files.set(`${name}.map`, String(map));
}

/**
 * The value of `integrity` for each script, by name.
 * @param {ReadonlyMap<string, string>} files
 */
function integrity(files) {
  const scripts = [...files].filter(([name]) => name.endsWith(".js"));
  return Object.fromEntries(
    scripts.map(([name, text]) => [name, `sha384-${createHash("sha384").update(text).digest("base64")}`]),
  );
}

/**
 * Identifies the build, since files from different builds must not exchange objects.
 * @param {readonly string[]} folders with the sources
 */
function releaseOf(folders) {
  const hash = createHash("sha256");
  for (const folder of folders) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort();
    for (const name of names.filter((name) => /\.(ts|wgsl)$/.test(name))) {
      hash.update(readFileSync(join(root, folder, name)));
    }
  }
  return hash.digest("hex").slice(0, 8);
}

/**
 * Writes the package's files to a folder. Throws if the core is larger than LIMIT.
 * @param {string} [folder]
 */
export async function buildPackage(folder = join(root, "dist")) {
  // Imported here because it is slow to load, and not needed for the bundle.
  const { publicDeclarations } = await import("./declarations.mjs");
  const { files, sizes, gzipped } = await bundleLibrary();
  const declarations = publicDeclarations();
  // Files left by an earlier version would be published too.
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "types"), { recursive: true });
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  for (const [name, text] of declarations) await writeFile(join(folder, "types", name), text);
  const hashes = integrity(files);
  const lines = [...sizes].map(([name, size]) => {
    const demand = ON_DEMAND.includes(name) ? ", loaded on demand" : "";
    return `dist/${name}: ${size.bytes} bytes, ${size.gzipped} gzipped${demand}\n  ${hashes[name]}`;
  });
  for (const [name, text] of declarations) lines.push(`dist/types/${name}: ${Buffer.byteLength(text)} bytes`);
  lines.push(`${CORE.join(" and ")}: ${gzipped} gzipped (limit ${LIMIT})`);
  if (gzipped > LIMIT) throw new Error(`the core is too large\n${lines.join("\n")}`);
  return lines;
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  try {
    console.log((await buildPackage()).join("\n"));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
