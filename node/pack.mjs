// npm run bench:pack: puts the benchmarks with everything they need into the folder .bench-pack, for a Linux machine with
// a GPU but without network, Node or browser. Its run.sh runs them there (bench/node/pack_run.sh).
import { build } from "esbuild";
import { existsSync, statSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzip } from "node:zlib";
import { promisify } from "node:util";
import { esbuildWgsl } from "../build/wgsl.mjs";
import { commit } from "./commit.mjs";
import { packagedChromium, unpackVulkan } from "./packaged.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const LOADER = "libvulkan.so.1";
/** The most that such machines are known to accept in one transfer. */
export const MOST_BYTES = 64 * 2 ** 20;

/**
 * A file in the pack.
 * @typedef {object} PackedFile
 * @property {string} to within the pack
 * @property {string} from
 * @property {"gzip"} [as] `to` then ends in .gz
 */

/**
 * All files except the bundled programs and the commit.
 * @param {{ node: string, loader: string }} machine paths of Node and the Vulkan loader
 * @returns {PackedFile[]}
 */
export function packedFiles({ node, loader }) {
  const inProject = (/** @type {string} */ path) => join(project, path);
  const addon = "node_modules/webgpu/dist/linux-x64/dawn.node";
  const copied = ["index.js", "package.json", "LICENSE.md"].map((name) => `node_modules/webgpu/${name}`);
  return [
    { to: "run.sh", from: inProject("bench/node/pack_run.sh") },
    { to: "bin/node.gz", from: node, as: "gzip" },
    { to: `${addon}.gz`, from: inProject(addon), as: "gzip" },
    ...copied.map((path) => ({ to: path, from: inProject(path) })),
    { to: `lib/${LOADER}`, from: loader },
    ...["step.py", "options.py", "models.py"].map((name) => ({
      to: `pytorch/${name}`,
      from: inProject(`bench/pytorch/${name}`),
    })),
  ];
}

/**
 * The programs, bundled with all packages except webgpu, whose addon is a file. In chunks, so that tfjs is loaded only
 * once navigator.gpu exists.
 * @returns {Promise<Map<string, Uint8Array>>} by name within the pack
 */
export async function packedPrograms() {
  const { outputFiles } = await build({
    entryPoints: { bench: join(project, "bench/run.ts"), node: join(project, "bench/node/run.ts") },
    outdir: "programs",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node20",
    // tfjs's modules; its files for Node are the same code again, one file per package.
    mainFields: ["module", "main"],
    external: ["webgpu"],
    // CommonJS packages use it to load Node's own modules.
    banner: { js: 'import { createRequire as by } from "node:module"; const require = by(import.meta.url);' },
    plugins: [esbuildWgsl()],
    logLevel: "error",
  });
  return new Map(outputFiles.map(({ path, contents }) => [`programs/${path.split(/[\\/]/).at(-1) ?? ""}`, contents]));
}

/** The Vulkan loader from npm's Chromium, which is built for old systems, or this machine's. */
async function loaderFile() {
  const source = packagedChromium();
  const folders = [
    ...(source ? [await unpackVulkan(source)] : []),
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
  ];
  const found = folders.map((folder) => join(folder, LOADER)).find((file) => existsSync(file));
  if (!found) throw new Error(`found no ${LOADER}: install npm's optional packages, or the system's Vulkan loader`);
  return found;
}

/** @param {string} folder @returns {Promise<number>} */
async function bytesIn(folder) {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files.reduce((sum, file) => sum + (file.isFile() ? statSync(join(file.parentPath, file.name)).size : 0), 0);
}

/** @param {string} target replaced once the new pack is complete */
export async function pack(target = join(project, ".bench-pack")) {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error("the pack is for Linux on x86-64, and must be built there");
  if (Object(process.config.variables)["node_shared"])
    throw new Error("this Node is built as a shared library, which the pack does not include");
  const compress = promisify(gzip);
  const partial = `${target}.${process.pid}`;
  try {
    /** @param {string} to @param {string | Uint8Array} body */
    const put = async (to, body) => {
      await mkdir(dirname(join(partial, to)), { recursive: true });
      await writeFile(join(partial, to), body);
    };
    for (const [name, contents] of await packedPrograms()) await put(name, contents);
    for (const { to, from, as } of packedFiles({ node: process.execPath, loader: await loaderFile() })) {
      if (as === "gzip") await put(to, await compress(await readFile(from)));
      else {
        await mkdir(dirname(join(partial, to)), { recursive: true });
        await cp(from, join(partial, to), { dereference: true });
      }
    }
    await chmod(join(partial, "run.sh"), 0o755);
    await put("commit", `${commit()}\n`);
    const bytes = await bytesIn(partial);
    if (bytes > MOST_BYTES) throw new Error(`the pack has ${bytes} bytes; the limit is ${MOST_BYTES}`);
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
    return { target, bytes };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { target, bytes } = await pack();
  console.log(
    `${target}: ${(bytes / 2 ** 20).toFixed(1)} MiB. On the other machine, run ${target.split("/").at(-1)}/run.sh`,
  );
}
