// npm start [-- --port 8080]: builds the library and the page, and serves them on this machine only. Everything served
// is in memory: no request reaches the file system.
import { createServer } from "node:http";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { demoFiles, demoPolicy, policyFor } from "./build.mjs";

export { bundleScripts, libraryFiles } from "./build.mjs";

/** Headers for pages that use the library. */
export const policy = policyFor();

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
  ".woff2": "font/woff2",
  ".png": "image/png",
};

/**
 * Serves files on 127.0.0.1. Rejects if the port is taken.
 * @param {ReadonlyMap<string, Buffer | string>} files by their paths
 * @param {number} [port] 0: any free port
 * @param {Record<string, string>} [headers] added to the usual ones, or overriding them
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve(files, port = 0, headers = {}) {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const body = files.get(path) ?? (path === "/" ? files.get("/index.html") : undefined);
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

/**
 * Builds and serves, but first checks that the port is free: if it is taken, that is reported before a long build.
 * @param {() => Promise<ReadonlyMap<string, Buffer | string>>} build
 * @param {number | undefined} port
 * @param {Record<string, string>} headers
 */
export async function serveBuilt(build, port, headers) {
  /** @type {Map<string, Buffer | string>} */
  const files = new Map();
  const server = await serve(files, port, headers);
  try {
    for (const [path, body] of await build()) files.set(path, body);
  } catch (error) {
    server.close();
    throw error;
  }
  return server;
}

/** @param {number} [port] */
export async function serveDemo(port) {
  return serveBuilt(demoFiles, port, { "content-security-policy": demoPolicy });
}

const usage = `Usage: npm start [-- --port PORT]

Builds the demo page and serves it on this machine only, until Ctrl+C.

  --port PORT  0 to 65535, 0 for any free port (default: 8080)
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
