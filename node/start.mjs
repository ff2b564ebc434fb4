// Starts a program in the environment that Dawn in Node needs (vulkan.mjs), which must be set before the process
// starts:
//   node node/start.mjs cli/train.ts [arguments]          a TypeScript program of this project, bundled first
//   node node/start.mjs --exec vitest run [arguments]     a program of node_modules/.bin
import { build, stop } from "esbuild";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { cacheFolder } from "./packaged.mjs";
import { vulkanEnvironment } from "./vulkan.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(project, "node_modules");

/**
 * Runs the program, and exits with its status.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function run(command, args, env) {
  const windows = process.platform === "win32" && command !== process.execPath;
  const child = spawn(command, args, { env, stdio: "inherit", shell: windows });
  // A terminal's Ctrl-C reaches the program directly; passing it on would be a second one, which makes programs that
  // stop gracefully at the first quit at once. Otherwise (kill, a CI's timeout) only this process gets the signal.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  child.on("error", (error) => {
    console.error(`cannot start ${command}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

/**
 * Bundles a program's own sources into one file in the cache, named by its contents, so that simultaneous runs, from
 * before and after an edit, do not disturb each other.
 * @param {string} entry
 */
async function bundle(entry) {
  // Imported here, because --exec needs neither this nor wgsl_reflect.
  const { esbuildWgsl } = await import("../build/wgsl.mjs");
  if (!existsSync(entry)) throw new Error(`no such program: ${entry}`);
  const folder = cacheFolder(modules);
  // A bundle outside the project finds the packages through a link.
  if (!folder.startsWith(modules)) link(modules, join(folder, "node_modules"));
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile: join(folder, "program.mjs"),
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    sourcemap: "inline",
    sourcesContent: false,
    plugins: [esbuildWgsl(), keepUrls],
    logLevel: "error",
  });
  await stop();
  const code = outputFiles[0]?.text ?? "";
  const name = basename(entry, extname(entry));
  const file = join(folder, `${name}-${createHash("sha256").update(code).digest("hex").slice(0, 16)}.mjs`);
  if (!existsSync(file)) {
    removeOld(folder, name);
    const partial = `${file}.${process.pid}`;
    writeFileSync(partial, code);
    renameSync(partial, file);
  }
  return file;
}

/**
 * @param {string} target
 * @param {string} path
 */
function link(target, path) {
  try {
    symlinkSync(target, path, "junction");
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/**
 * Lets sources find files next to themselves even though they run from the bundle.
 * @type {import("esbuild").Plugin}
 */
const keepUrls = {
  name: "keep-urls",
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes("import.meta.url")) return undefined;
      const contents = text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/**
 * Removes bundles that are at least a day old; newer ones may be running.
 * @param {string} folder
 * @param {string} name
 */
function removeOld(folder, name) {
  for (const file of readdirSync(folder).filter((one) => one.startsWith(`${name}-`))) {
    const path = join(folder, file);
    if (Date.now() - statSync(path).mtimeMs > 86_400_000) rmSync(path, { force: true });
  }
}

const [first, ...rest] = process.argv.slice(2);
if (!first || (first === "--exec" && !rest[0])) {
  console.error("usage: node node/start.mjs program.ts [arguments] | --exec program [arguments]");
  process.exit(2);
}
try {
  const { env, description } = await vulkanEnvironment();
  const [command, ...args] =
    first === "--exec"
      ? [join(modules, ".bin", rest[0] ?? ""), ...rest.slice(1)]
      : [process.execPath, "--enable-source-maps", await bundle(resolve(first)), ...rest];
  // Programs in .bin start "node" by name, which must be this one.
  const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  run(command ?? "", args, { ...process.env, ...env, PATH: path, WEBVAE_DRIVER: description });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
