// npm run examples [-- --port 8081]: builds the library and the examples, and serves them on this machine only. Each is
// a folder with an index.html; its scripts are bundled with their imports, except for the library, which all of them
// load from /dist/ as if from a CDN.
import { build } from "esbuild";
import { Buffer } from "node:buffer";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { libraryFiles, serveBuilt } from "../demo/serve.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));

export const EXAMPLES = readdirSync(folder).filter((name) => existsSync(join(folder, name, "index.html")));

/** The entry points; all other files are parts of one. */
const PROGRAMS = /^(main|worker)\.(js|ts|tsx)$/;
const STATIC = [".html", ".css", ".js", ".json", ".png", ".safetensors"];

/** @returns {Promise<Map<string, Buffer | string>>} */
async function exampleFiles() {
  const paths = EXAMPLES.flatMap((name) => readdirSync(join(folder, name)).map((file) => join(folder, name, file)));
  const { outputFiles } = await build({
    entryPoints: paths.filter((path) => PROGRAMS.test(basename(path))),
    outdir: folder,
    outbase: folder,
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    minify: true,
    sourcemap: "linked",
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [
      {
        name: "library",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^webvae(\/\w+)?$/ }, ({ path }) => ({
            path: `../dist/${basename(path)}.js`,
            external: true,
          })),
      },
    ],
    logLevel: "error",
  });
  const at = (/** @type {string} */ path) => `/${relative(folder, path).replaceAll("\\", "/")}`;
  const shared = ["draw.js", "style.css"].map((name) => join(folder, name));
  const read = [...paths, ...shared].filter((path) => STATIC.includes(extname(path)));
  /** @type {Map<string, Buffer | string>} */
  const files = new Map(read.map((path) => [at(path), readFileSync(path)]));
  for (const { path, contents } of outputFiles) files.set(at(path), Buffer.from(contents));
  for (const [path, text] of await libraryFiles()) files.set(path, text);
  for (const name of EXAMPLES) files.set(`/${name}/`, files.get(`/${name}/index.html`) ?? "");
  const links = EXAMPLES.map((name) => `<li><a href="/${name}/">${name}</a></li>`).join("");
  files.set(
    "/",
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>webvae: examples</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css"><h1>Examples</h1><ul>${links}</ul></html>`,
  );
  return files;
}

/** As strict as the demo's, except that a page may be a single file. */
const policy = [
  "default-src 'none'; script-src 'self' 'unsafe-inline'; worker-src 'self'; connect-src 'self'",
  "style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; font-src 'self'; base-uri 'none'; form-action 'none'",
].join("; ");

/** @param {number} [port] */
export async function serveExamples(port) {
  return serveBuilt(exampleFiles, port, { "content-security-policy": policy });
}

const usage = `Usage: npm run examples [-- --port PORT]

Builds the examples and serves them on this machine only, until Ctrl+C.

  --port PORT  0 to 65535, 0 for any free port (default: 8081)
  -h, --help   show this text`;

async function main() {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "8081" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(usage);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65535) throw new Error(`--port must be 0 to 65535, not ${values.port}`);
  try {
    const { url } = await serveExamples(port);
    console.log(`webvae examples: ${url}`);
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw taken ? new Error(`port ${port} is taken; choose another: npm run examples -- --port ${port + 1}`) : error;
  }
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  main().catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
