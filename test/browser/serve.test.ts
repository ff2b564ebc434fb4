// npm start's server: what it serves, and what it does not.
import { spawn } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveDemo } from "../../demo/serve.mjs";

const root = join(import.meta.dirname, "../..");
let server: Awaited<ReturnType<typeof serveDemo>>;
beforeAll(async () => void (server = await serveDemo()));
afterAll(() => server.close());

/** Sends the path unchanged; fetch() would normalize it. */
function get(
  path: string,
  method = "GET",
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", reject).end();
  });
}

test("serves the page and its files under a strict policy", async () => {
  const types = {
    "/": "text/html; charset=utf-8",
    "/?a=1": "text/html; charset=utf-8",
    "/style.css": "text/css; charset=utf-8",
    "/main.js": "text/javascript; charset=utf-8",
    "/worker.js": "text/javascript; charset=utf-8",
    "/dist/webvae.js": "text/javascript; charset=utf-8",
    "/dist/webvae.js.map": "application/json",
    "/dist/datasets.js": "text/javascript; charset=utf-8",
    "/dist/core.js": "text/javascript; charset=utf-8",
    "/dist/layers.js": "text/javascript; charset=utf-8",
    "/dist/files.js": "text/javascript; charset=utf-8",
    "/dist/explorer.js": "text/javascript; charset=utf-8",
    "/inter-400.woff2": "font/woff2",
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers, body } = await get(path);
    expect([path, status, headers["content-type"]]).toEqual([path, 200, type]);
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(body.length).toBeGreaterThan(100);
  }
  // The page draws; the worker computes.
  expect((await get("/worker.js")).body).toContain('"./dist/webvae.js"');
  expect((await get("/main.js")).body).not.toContain('"./dist/webvae.js"');
  expect((await get("/")).headers["content-security-policy"]).toMatch(
    /connect-src 'self' https:\/\/cdn\.jsdelivr\.net [^;]*;/,
  );
});

test("serves nothing else", async () => {
  const paths = [
    "/package.json",
    "/../package.json",
    "/%2e%2e/package.json",
    "/dist/../../package.json",
    "/dist/..%2fx",
  ];
  paths.push("//etc/passwd", "/..\\package.json", "/main.ts", "/serve.mjs", "/dist/", "/__proto__", "/constructor");
  for (const path of paths) expect([path, (await get(path)).status]).toEqual([path, 404]);
  expect((await get("/", "POST")).status).toBe(405);
  expect(await get("/", "HEAD")).toMatchObject({ status: 200, body: "" });
});

/** What a server's program prints, until it prints a line or ends. */
function start(program: string, ...args: string[]): Promise<{ out: string; error: string; code: number | null }> {
  const child = spawn(process.execPath, [join(root, program), ...args], { cwd: root });
  const result = { out: "", error: "", code: null as number | null };
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.error += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    result.out += text;
    if (result.out.includes("\n")) child.kill();
  });
  return new Promise((done) => child.on("close", (code) => done({ ...result, code })));
}

test.each([
  ["npm start", "demo/serve.mjs", /^webvae demo: http:\/\/127\.0\.0\.1:\d+\/\n$/],
  ["npm run examples", "examples/serve.mjs", /^webvae examples: http:\/\/127\.0\.0\.1:\d+\/\n$/],
])("%s prints the address, and reports a port that is taken or invalid", async (_, program, line) => {
  expect((await start(program, "--port", "0")).out).toMatch(line);
  const { port } = new URL(server.url);
  const fails = (error: string) => ({ code: 1, error: expect.stringContaining(error) as string });
  expect(await start(program, "--port", port)).toMatchObject(fails("is taken"));
  expect(await start(program, "--port", "x")).toMatchObject(fails("0 to 65535"));
});
