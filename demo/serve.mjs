// npm start [-- --port 8080]: builds the library and the page, and serves them on this machine alone. All that it
// answers with is in memory: no request reaches the file system.
import { build } from "esbuild";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { bundleLibrary } from "../build/bundle.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const fonts = join(folder, "../node_modules/@fontsource/inter/files");

/** The page runs under this policy, and so does a page that uses the library. */
export const policy = [
  "default-src 'none'",
  ...["script-src", "worker-src", "connect-src", "style-src", "font-src"].map((kind) => `${kind} 'self'`),
  "img-src 'self' blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
  ".woff2": "font/woff2",
};

/**
 * Scripts that import the library by its name, which the page finds beside them.
 * @param {string[]} entryPoints
 * @returns {Promise<Map<string, Buffer>>} by their paths: "/main.js", "/main.js.map"
 */
export async function bundleScripts(entryPoints) {
  const { outputFiles } = await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    sourcemap: "linked",
    plugins: [
      {
        name: "library",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^webvae(\/\w+)?$/ }, ({ path }) => ({
            path: `./dist/${basename(path)}.js`,
            external: true,
          })),
      },
    ],
    logLevel: "error",
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [
      path.slice(folder.length - 1).replaceAll("\\", "/"),
      Buffer.from(contents),
    ]),
  );
}

/**
 * The library's own files, where those scripts look for them.
 * @returns {Promise<Map<string, string>>} by their paths: "/dist/webvae.js"
 */
export async function libraryFiles() {
  const { files } = await bundleLibrary();
  return new Map([...files].map(([name, text]) => [`/dist/${name}`, text]));
}

/** @returns {Promise<Map<string, Buffer | string>>} */
async function demoFiles() {
  const read = (/** @type {string} */ path) => readFile(path);
  const html = await read(join(folder, "index.html"));
  /** @type {[string, Buffer | string][]} */
  const files = [
    ["/", html],
    ["/index.html", html],
    ["/style.css", await read(join(folder, "style.css"))],
    ["/inter-400.woff2", await read(join(fonts, "inter-latin-400-normal.woff2"))],
    ["/inter-600.woff2", await read(join(fonts, "inter-latin-600-normal.woff2"))],
    ...(await bundleScripts([join(folder, "main.ts"), join(folder, "digits_worker.ts")])),
    ...(await libraryFiles()),
  ];
  return new Map(files);
}

/**
 * Serves files on 127.0.0.1. Rejects where the port is taken.
 * @param {ReadonlyMap<string, Buffer | string>} files by their paths
 * @param {number} [port] 0: any that is free
 * @param {Record<string, string>} [headers] beside the usual ones, or in their place
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve(files, port = 0, headers = {}) {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const body = files.get(path);
    const reading = request.method === "GET" || request.method === "HEAD";
    response.writeHead(!reading ? 405 : body === undefined ? 404 : 200, {
      "content-type": body === undefined ? "text/plain" : (types[extname(path) || ".html"] ?? "text/plain"),
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      ...headers,
    });
    response.end(reading && request.method === "GET" ? (body ?? "not found") : "");
  });
  await new Promise((done, refuse) => {
    server.once("error", refuse);
    server.listen(port, "127.0.0.1", () => done(undefined));
  });
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @param {number} [port] */
export async function serveDemo(port) {
  return serve(await demoFiles(), port);
}

const usage = `Usage: npm start [-- --port PORT]

Builds the demo page and serves it on this machine alone, until Ctrl+C.

  --port PORT  0 to 65535, 0 for any that is free (default: 8080)
  -h, --help   show this text`;

async function main() {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "8080" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65535) throw new Error(`--port must be 0 to 65535, not ${values.port}`);
  try {
    const { url } = await serveDemo(port);
    console.log(`webvae demo: ${url}`);
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw taken ? new Error(`port ${port} is taken; choose another: npm start -- --port ${port + 1}`) : error;
  }
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  main().catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
