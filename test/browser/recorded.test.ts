// The recorded run as a visitor without WebGPU plays it, under the page's strict policy.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Recording } from "../../demo/recorded/recording.js";
import { bundleScripts, serve } from "../../demo/serve.mjs";
import { launchBrowser } from "../../node/browser.mjs";
import { PATIENCE, untilEqual } from "./harness.js";

const demo = join(import.meta.dirname, "../../demo");
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser: Browser;
let recording: Recording;
let files: Map<string, Buffer | string>;
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  const scripts = await bundleScripts([join(import.meta.dirname, "demo_recorded/page.ts")]);
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>recorded</title>
    <meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
    <link rel="stylesheet" href="style.css"><script type="module" src="page.js"></script>
    <body><main><h1>webvae</h1><h2>A recorded run</h2><div id="recorded"></div></main></body></html>`;
  files = new Map<string, Buffer | string>([
    ["/", html],
    // A page without the demo's colours.
    [
      "/style.css",
      ":root { color-scheme: light dark; } body { margin: 0 16px; background: Canvas; font: 15px/1.5 sans-serif; }",
    ],
    ...scripts,
  ]);
  for (const name of ["recorded.json", "recorded.png", "recorded.css"]) {
    files.set(`/recorded/${name}`, await readFile(join(demo, "recorded", name)));
  }
  recording = JSON.parse(String(files.get("/recorded/recorded.json"))) as Recording;
  server = await serve(files);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

interface Visit {
  motion?: "reduce" | "no-preference";
  scheme?: "light" | "dark";
  width?: number;
}

async function open({ motion = "no-preference", scheme = "light", width = 1280 }: Visit = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const troubles: string[] = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) troubles.push(message.text());
  });
  page.on("pageerror", (error) => troubles.push(String(error)));
  await page.emulateMediaFeatures([
    { name: "prefers-reduced-motion", value: motion },
    { name: "prefers-color-scheme", value: scheme },
  ]);
  await page.setViewport({ width, height: 800 });
  await page.goto(server.url);
  await page.evaluate(() => (globalThis as unknown as { shown: Promise<unknown> }).shown);
  return { page, troubles };
}

const at = (page: Page) => page.$eval("#recorded input", (input) => input.valueAsNumber);
const button = (page: Page) => page.$eval("#recorded button", (element) => element.textContent);
const position = (page: Page) => page.$eval(".recorded-position", (element) => element.textContent);
const reaches = (page: Page, moment: number) =>
  page.waitForFunction(
    (wanted) => document.querySelector<HTMLInputElement>("#recorded input")!.valueAsNumber >= wanted,
    {},
    moment,
  );
const still = () => new Promise((done) => setTimeout(done, 1500));
const pictures = (page: Page) =>
  page.$$eval("#recorded canvas", (canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas;
      // Reads a copy, because Chrome warns about reading a canvas repeatedly.
      const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      return {
        url: canvas.toDataURL(),
        colours: new Set(new Uint32Array(data.buffer)).size,
        corner: [...data.slice(0, 3)],
      };
    }),
  );

describe("the recorded run", () => {
  test("plays by itself to the end, and again on request", async () => {
    const { page, troubles } = await open();
    expect(await button(page)).toBe("Pause");
    const [moment, before] = [await at(page), await pictures(page)];
    // Paused in the same turn, so that what follows may take its time.
    await page.waitForFunction(
      (wanted) => {
        if (document.querySelector<HTMLInputElement>("#recorded input")!.valueAsNumber < wanted) return false;
        document.querySelector<HTMLElement>("#recorded button")!.click();
        return true;
      },
      {},
      moment + 2,
    );
    const later = await pictures(page);
    // Samples and pairs have changed; the manifold is always from the end.
    expect(later.map(({ url }, i) => url === before[i]!.url)).toEqual([false, false, true]);
    expect(await button(page)).toBe("Play");
    const paused = await at(page);
    await still();
    expect(await at(page)).toBe(paused);

    const last = recording.moments.length - 1;
    await page.$eval(
      "#recorded input",
      (input, value) => {
        input.value = String(value);
        input.dispatchEvent(new Event("input"));
      },
      last - 1,
    );
    await page.click("#recorded button");
    await reaches(page, last);
    expect(await button(page)).toBe("Play again");
    expect(await position(page)).toMatch(
      new RegExp(`^Epoch ${recording.epochs} of ${recording.epochs}: loss [\\d.]+ nats`),
    );
    // In one go, because the next moment comes within a second.
    const again = await page.$eval("#recorded button", (play) => {
      play.click();
      return [document.querySelector<HTMLInputElement>("#recorded input")!.value, play.textContent];
    });
    expect(again).toEqual(["0", "Pause"]);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("says that it is a recording, of what, when, on which adapter, and how long it took", async () => {
    const { page } = await open({ motion: "reduce" });
    const text = await page.$eval(".recorded-notice", (element) => element.textContent);
    expect(text).toMatch(/^This is a recording: nothing is being trained on this page\./);
    expect(text).toContain(recording.adapter);
    expect(text).toContain(recording.date.slice(0, 4));
    expect(text).toContain(`${Math.floor(recording.seconds / 60)} min`);
    if (recording.software) expect(text).toContain("not a GPU");
    if (recording.busy) expect(text).toContain("other work");
    await page.close();
  });

  test("shows its end with reduced motion, and works by keyboard", async () => {
    const { page, troubles } = await open({ motion: "reduce" });
    const last = recording.moments.length - 1;
    expect([await at(page), await button(page)]).toEqual([last, "Play again"]);
    await still();
    expect(await at(page)).toBe(last);
    await page.focus("#recorded button");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowLeft");
    expect(await at(page)).toBe(last - 1);
    const told = await page.$eval("#recorded input", (input) => input.getAttribute("aria-valuetext"));
    expect(told).toMatch(/^Epoch [\d.]+ of \d+: loss [\d.]+ nats$/);
    await page.keyboard.press("Home");
    expect(await at(page)).toBe(0);
    const labels = await page.$$eval("#recorded [role=img]", (images) =>
      images.map((one) => one.getAttribute("aria-label")),
    );
    expect(labels.filter((label) => label?.includes("Before training"))).toHaveLength(3);
    expect(labels.find((label) => label?.startsWith("Loss over"))).toContain("nats");
    // It plays on request, and stops if reduced motion is turned on.
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "no-preference" }]);
    await page.focus("#recorded button");
    await page.keyboard.press(" ");
    await reaches(page, 1);
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.waitForFunction(() => document.querySelector("#recorded button")!.textContent === "Play");
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("moves the latents and the mark on the curve", async () => {
    const { page } = await open({ motion: "reduce" });
    const places = () =>
      page.$$eval("#recorded .digit", (digits) => digits.map((digit) => (digit as SVGElement).style.transform));
    const mark = () => page.$eval("#recorded .mark", (line) => Number(line.getAttribute("x1")));
    const [there, right] = [await places(), await mark()];
    expect(there).toHaveLength(recording.labels.length);
    await page.focus("#recorded input");
    await page.keyboard.press("Home");
    const moved = (await places()).filter((place, i) => place !== there[i]).length;
    expect(moved).toBeGreaterThan(there.length / 2);
    expect(await mark()).toBeLessThan(right);
    await page.close();
  });

  test("is dark on light, or light on dark in dark mode, even when that changes", async () => {
    const { page } = await open({ motion: "reduce" });
    const day = await pictures(page);
    for (const { colours, corner } of day) {
      expect(colours).toBeGreaterThan(30);
      expect(Math.min(...corner)).toBeGreaterThan(200);
    }
    await page.emulateMediaFeatures([
      { name: "prefers-reduced-motion", value: "reduce" },
      { name: "prefers-color-scheme", value: "dark" },
    ]);
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>("#recorded canvas")!;
      return canvas.getContext("2d")!.getImageData(0, 0, 1, 1).data[0]! < 80;
    });
    for (const { corner } of await pictures(page)) expect(Math.max(...corner)).toBeLessThan(80);
    await page.close();
  });

  test.each([320, 760, 1280])("fits %i pixels, without accessibility problems", async (width) => {
    for (const scheme of ["light", "dark"] as const) {
      const { page, troubles } = await open({ motion: "reduce", scheme, width });
      await untilEqual(() => page.evaluate(() => document.documentElement.scrollWidth), width, "its width");
      // The policy does not let the page load scripts from another folder, but the test can.
      await page.evaluate(await readFile(axe, "utf8"));
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
      });
      expect(violations).toEqual([]);
      expect(troubles).toEqual([]);
      await page.close();
    }
  });

  test("says so if it cannot be loaded", async () => {
    const json = files.get("/recorded/recorded.json")!;
    files.delete("/recorded/recorded.json");
    try {
      const { page } = await open();
      expect(await page.$eval("#recorded", (root) => root.textContent)).toBe(
        "The recorded run could not be loaded: /recorded/recorded.json: status 404.",
      );
      await page.close();
    } finally {
      files.set("/recorded/recorded.json", json);
    }
  });
});
