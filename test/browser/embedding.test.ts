// Restricted pages: a strict policy, a sandboxed frame, a script tag with integrity.
import type { Browser, Frame } from "puppeteer";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { inFirefox, launchBrowser } from "../../node/browser.mjs";
import { PATIENCE, run, watch, type CaseResult, type Watched } from "./harness.js";

/** Exactly what the README promises. */
const policy = [
  "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'",
  "img-src 'self' blob: data:; style-src 'self'",
].join("; ");

const html = (body: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${body}</html>`;
const global = (integrity: string) =>
  html(`<script src="/dist/webvae.global.js" integrity="${integrity}" crossorigin></script>
    <script src="/embedded.js"></script>`);

let browser: Browser;
let url: string;
let strictUrl: string;
let looseUrl: string;
let close: () => void;
beforeAll(async () => {
  const folder = join(import.meta.dirname, "pages");
  const scripts = await bundleScripts(readdirSync(folder).map((name) => join(folder, name)));
  const library = await libraryFiles();
  const hashes = JSON.parse(library.get("/dist/sri.json")!) as Record<string, string>;
  const files = new Map<string, Buffer | string>([...scripts, ...library]);
  const hash = hashes["webvae.global.js"]!;
  files.set("/", html(`<script type="module" src="page.js"></script>`));
  files.set("/global.html", global(hash));
  files.set("/changed.html", global(hash.replace(/.{8}$/, "AAAAAAAA")));
  for (const name of ["global", "index"]) {
    const page = name === "index" ? "/" : `/${name}.html`;
    files.set(`/sandboxed-${name}.html`, html(`<iframe sandbox="allow-scripts" src="${page}"></iframe>`));
  }
  // The hashes of modules are in an import map, including those loaded on demand.
  const paths = (of: Record<string, string>) =>
    Object.fromEntries(Object.entries(of).map(([name, hash]) => [`/dist/${name}`, hash]));
  const mapped = (of: Record<string, string>) =>
    html(
      `<script type="importmap">${JSON.stringify({ integrity: paths(of) })}</script><script type="module" src="page.js"></script>`,
    );
  files.set("/mapped.html", mapped(hashes));
  files.set("/mapped-changed.html", mapped({ ...hashes, "layers.js": hashes["files.js"]! }));
  // A sandboxed frame has another origin than its own server, so modules and integrity need this header; the policy
  // must also allow frames.
  const headers = { "access-control-allow-origin": "*", "content-security-policy": `${policy}; frame-src 'self'` };
  const served = await serve(files, 0, headers);
  const strict = await serve(files, 0, { "content-security-policy": policy });
  // An import map is an inline script.
  const loose = await serve(files, 0, { "content-security-policy": "default-src 'self' 'unsafe-inline' data:" });
  [url, strictUrl, looseUrl] = [served.url, strict.url, loose.url];
  close = () => [served, strict, loose].forEach((server) => server.close());
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  close?.();
});
let watched: Watched;
beforeEach(async () => void (watched = await watch(await browser.newPage())));
afterEach(() => watched.page.close());

type Used = Awaited<ReturnType<typeof useGlobal>>;
declare function useGlobal(): Promise<{
  origin: string;
  storage: string;
  losses: number[];
  same: boolean;
  count: number;
  mnist: string[];
}>;

/** What embedded.ts returns from the global, on a page or in its frame. */
async function used(where: Pick<Frame, "evaluate" | "waitForFunction">): Promise<Used> {
  await where.waitForFunction("'useGlobal' in globalThis");
  return where.evaluate(() => useGlobal());
}

/** Chrome reports what it blocks when that happens. */
const untilTold = (pattern: RegExp) =>
  vi.waitFor(() => expect(watched.troubles.join()).toMatch(pattern), { timeout: PATIENCE });

function judge({ losses, same, count, mnist }: Used) {
  expect(losses[0]).toBeGreaterThan(400);
  expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
  expect([same, count]).toEqual([true, 784]);
  expect(mnist).toEqual(["WebvaeError", "DOWNLOAD_FAILED"]);
}

/** About the file that embedded.ts requests and does not get. */
const asked = (trouble: string) => trouble.includes("404") || trouble.includes("/none/");

function judgeConvolution({ losses, before, after }: CaseResult<"convolves">) {
  expect(losses).toHaveLength(1);
  expect(after).toBeGreaterThan(before + 1);
}

describe("under a strict policy", () => {
  test.each(["page", "worker"] as const)("the modules, on a %s", async (where) => {
    const response = await watched.page.goto(strictUrl);
    expect(response?.headers()["content-security-policy"]).toBe(policy);
    judgeConvolution(await run(watched, "convolves", where));
    expect(watched.troubles).toEqual([]);
  });

  test("the global script, with integrity", async () => {
    await watched.page.goto(`${strictUrl}global.html`);
    const result = await used(watched.page);
    judge(result);
    expect([result.origin, result.storage]).toEqual([strictUrl.slice(0, -1), "open"]);
    expect(watched.troubles.filter((trouble) => !asked(trouble))).toEqual([]);
  });
});

test("a global script whose hash does not match does not run", async () => {
  await watched.page.goto(`${url}changed.html`);
  await untilTold(/integrity/);
  expect(await watched.page.evaluate(() => "webvae" in globalThis)).toBe(false);
});

describe("modules whose hashes are in an import map", () => {
  test("are loaded, including those on demand", async () => {
    await watched.page.goto(`${looseUrl}mapped.html`);
    judgeConvolution(await run(watched, "convolves"));
    expect(watched.troubles).toEqual([]);
  });

  test("are rejected if they differ", async () => {
    await watched.page.goto(`${looseUrl}mapped-changed.html`);
    // layers.js cannot be loaded.
    await expect(run(watched, "convolves")).rejects.toThrow(
      /the code that this model needs could not be loaded from the library's layers\.js/,
    );
    await untilTold(/integrity/);
  });
});

describe("in a sandboxed frame, without an origin or storage", () => {
  async function frame(name: string): Promise<Frame> {
    await watched.page.goto(`${url}sandboxed-${name}.html`);
    // It may have its own process, which reports separately.
    return await watched.page.waitForFrame((frame) => frame !== watched.page.mainFrame() && frame.url() !== "");
  }

  test("the global script", async () => {
    const result = await used(await frame("global"));
    judge(result);
    expect([result.origin, result.storage]).toEqual(["null", "SecurityError"]);
    expect(watched.troubles.filter((trouble) => !asked(trouble))).toEqual([]);
  });

  test("the modules, and the files they load on demand", async () => {
    const inner = await frame("index");
    await inner.waitForFunction("'runCase' in globalThis");
    const runCase = (name: string) =>
      inner.evaluate((wanted) => (globalThis as unknown as PageGlobals).runCase(wanted), name);
    judgeConvolution((await runCase("convolves")) as CaseResult<"convolves">);
    // The tuner cannot store its measurements.
    const { runs, elbo } = (await runCase("tunes")) as CaseResult<"tunes">;
    if (!inFirefox) expect(runs).toBeGreaterThan(0);
    expect(elbo).toBeLessThan(0);
    expect(watched.troubles).toEqual([]);
  });
});

interface PageGlobals {
  readonly runCase: (name: string) => Promise<unknown>;
}
