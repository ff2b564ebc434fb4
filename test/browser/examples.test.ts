// Opens each example in Chrome until it shows samples from a trained model, and saves a screenshot in test/artefacts/.
import type { Browser } from "puppeteer";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXAMPLES, serveExamples } from "../../examples/serve.mjs";
import { launchBrowser } from "../../node/browser.mjs";
import { watch } from "./harness.js";

const artefacts = join(import.meta.dirname, "../artefacts");
/** The latent explorer's examples have their own test. */
const own = EXAMPLES.filter((name) => !name.startsWith("explorer"));

let browser: Browser;
let server: Awaited<ReturnType<typeof serveExamples>>;
beforeAll(async () => {
  server = await serveExamples();
  browser = await launchBrowser({ canvas: true });
  mkdirSync(artefacts, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** How many pixels of a picture have each grey level, from 0 to 255. */
function greysOf(png: Uint8Array): number[] {
  const { data } = PNG.sync.read(Buffer.from(png));
  const counts = new Array<number>(256).fill(0);
  for (let i = 0; i < data.length; i += 4) counts[Math.round((data[i]! + data[i + 1]! + data[i + 2]!) / 3)]!++;
  return counts;
}

test.each(own)("%s", async (name) => {
  const { page, troubles } = await watch(await browser.newPage());
  try {
    await page.setViewport({ width: 720, height: 860 });
    await page.goto(`${server.url}${name}/`);
    const text = () => page.$eval("output", (output) => output.textContent ?? "");
    // Either it is trained, or it shows something other than progress.
    await page.waitForFunction(() => !/^(starting|epoch|$)/.test(document.querySelector("output")?.textContent ?? ""), {
      polling: 200,
    });
    expect(await text()).toMatch(/^trained: \d+\.\d nats$/);
    const nats = Number(/\d+\.\d/.exec(await text())![0]);
    // 784 ln 2 = 543 for an untrained model; the mean picture alone gives about 200.
    expect(nats).toBeLessThan(220);
    await page.screenshot({ path: join(artefacts, `example-${name}.png`) });
    const canvas = (await page.$("canvas"))!;
    const greys = greysOf(await canvas.screenshot());
    const pixels = greys.reduce((sum, count) => sum + count);
    const dark = greys.slice(0, 160).reduce((sum, count) => sum + count) / pixels;
    console.log(`${name}: ${nats} nats, ${(100 * dark).toFixed(1)} % of the canvas is dark`);
    // Strokes on white, and the greys in between.
    expect(dark).toBeGreaterThan(0.01);
    expect(dark).toBeLessThan(0.3);
    expect(greys.filter((count) => count > 0).length).toBeGreaterThan(100);
    expect(troubles).toEqual([]);
  } finally {
    await page.close();
  }
});

test("examples/README.md lists every example, and nothing else", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../examples/README.md"), "utf8");
  const named = [...readme.matchAll(/^\| \[(\w+)\]\(\1\/?\) \|/gm)].map((match) => match[1]);
  expect(named.sort()).toEqual([...EXAMPLES].sort());
  expect(existsSync(artefacts)).toBe(true);
});
