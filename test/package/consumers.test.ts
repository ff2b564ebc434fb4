// The packed package on a user's page, with three bundlers: each page trains, saves and loads in Chrome under a strict
// policy, and loads files only on demand.
import type { Browser } from "puppeteer";
import { build as esbuild } from "esbuild";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build as vite } from "vite";
import webpack from "webpack";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PAGE_ENTRIES } from "../../build/entries.mjs";
import { serve } from "../../demo/serve.mjs";
import { launchBrowser } from "../../node/browser.mjs";
import { watch } from "../browser/harness.js";
import { installInto } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "webvae-consumer-"));
const script = (name: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>consumer</title>
  <link rel="icon" href="data:,"><script type="module" src="${name}"></script></html>`;
let browser: Browser;
beforeAll(async () => {
  await installInto(folder);
  cpSync(join(import.meta.dirname, "consumer"), folder, { recursive: true });
  // Beside the page's own program: the exports of every entry for pages.
  const entries = PAGE_ENTRIES.map(({ specifier }, i) => `import * as entry${i} from "${specifier}";`);
  const names = PAGE_ENTRIES.map(({ specifier }, i) => `"${specifier}": Object.keys(entry${i})`);
  const all = [`import "./main.js";`, ...entries, `globalThis.entries = { ${names.join(", ")} };`].join("\n");
  writeFileSync(join(folder, "all.js"), all);
  writeFileSync(join(folder, "index.html"), script("/all.js"));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** How each bundler writes the page to a folder, and the page's first script. */
const bundlers: Record<string, (out: string) => Promise<void>> = {
  async esbuild(out) {
    const entryPoints = [join(folder, "all.js")];
    const how = { bundle: true, splitting: true, minify: true, format: "esm", logLevel: "error" } as const;
    await esbuild({ ...how, entryPoints, outdir: out });
    writeFileSync(join(out, "index.html"), script("/all.js"));
  },
  async Vite(out) {
    await vite({ root: folder, configFile: false, logLevel: "error", build: { outDir: out } });
  },
  async webpack(out) {
    const compiler = webpack({
      mode: "production",
      context: folder,
      entry: "./all.js",
      output: { path: out, filename: "all.js" },
    });
    const stats = await new Promise<webpack.Stats | undefined>((done, fail) =>
      compiler.run((error, result) => (error ? fail(error) : done(result))),
    );
    // Its warnings about large files concern the page, not the package.
    expect(stats?.toJson({ all: false, errors: true }).errors).toEqual([]);
    writeFileSync(join(out, "index.html"), script("/all.js"));
  },
};

test.each(Object.entries(bundlers))("by %s", async (name, bundle) => {
  const out = join(folder, `by-${name}`);
  await bundle(out);
  const paths = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = new Map(paths.map((path) => [path.slice(out.length).replaceAll("\\", "/"), readFileSync(path)]));
  files.set("/", files.get("/index.html")!);
  const server = await serve(files);
  const { page, troubles } = await watch(await browser.newPage());
  try {
    const requests: string[] = [];
    page.on("request", (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(server.url);
    await page.waitForFunction("'used' in globalThis && 'entries' in globalThis");
    const { used, entries } = await page.evaluate(async () => {
      const { used, entries } = globalThis as unknown as { used: Promise<Used>; entries: Record<string, string[]> };
      return { used: await used, entries };
    });
    const { losses, before, after } = used;
    console.log(`${name}: ${files.size} files, loss ${losses[0]?.toFixed(1)}, then ${losses.at(-1)?.toFixed(1)}`);
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
    expect(before).toHaveLength(64);
    expect(after).toEqual(before);
    expect(Object.keys(entries)).toEqual(PAGE_ENTRIES.map(({ specifier }) => specifier));
    for (const [entry, names] of Object.entries(entries)) expect([entry, names.length]).not.toEqual([entry, 0]);
    expect(troubles).toEqual([]);
    // A chunk each, and not the script that the page begins with; the first one comes with the entry describe here.
    for (const [part, least] of [
      ["fn conv2d(", 0],
      ["data_offsets", 1],
    ] as const) {
      const having = [...files].filter(([path, text]) => path.endsWith(".js") && text.includes(part));
      expect(having).toHaveLength(1);
      const [chunk] = having[0]!;
      const first = requests.findIndex((path) => path.endsWith(".js"));
      expect(requests.indexOf(chunk)).toBeGreaterThanOrEqual(first + least);
    }
  } finally {
    await page.close();
    server.close();
  }
});

interface Used {
  readonly losses: number[];
  readonly before: number[];
  readonly after: number[];
}
