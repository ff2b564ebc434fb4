// The demo page as a visitor uses it: by its buttons and by the keyboard, on a wide and on a narrow screen.
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveDemo } from "../../demo/serve.mjs";
import { launchChrome } from "../../node/chrome.mjs";
import { watch } from "./harness.js";

let browser: Browser;
let server: Awaited<ReturnType<typeof serveDemo>>;
beforeAll(async () => {
  server = await serveDemo();
  browser = await launchChrome();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

async function open(prepare?: () => void) {
  const watched = await watch(await browser.newPage());
  if (prepare) await watched.page.evaluateOnNewDocument(prepare);
  await watched.page.setViewport({ width: 1280, height: 800 });
  await watched.page.goto(server.url);
  return watched;
}

const inState = (page: Page, state: string) => page.waitForSelector(`body[data-state="${state}"]`, { timeout: 60_000 });
const text = (page: Page, id: string) => page.$eval(`#${id}`, (element) => element.textContent);
const reports = (page: Page) =>
  page.$eval("#chart polyline.train", (line) => line.getAttribute("points")!.split(" ").filter(Boolean).length);

/** Waits until the curve has that many points. */
const curve = (page: Page, points: number) =>
  page.waitForFunction(
    (wanted) => {
      const line = document.querySelector("#chart polyline.train");
      return line !== null && line.getAttribute("points")!.split(" ").length >= wanted;
    },
    { timeout: 60_000 },
    points,
  );

/** A canvas's picture, and how many different colours are in it. */
const picture = (page: Page, id: string) =>
  page.$eval(`#${id}`, (element) => {
    const canvas = element as HTMLCanvasElement;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true })!;
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set(new Uint32Array(data.buffer)).size;
    return { width: canvas.width, height: canvas.height, colours, bytes: canvas.toDataURL() };
  });

/** No screen of that width scrolls sideways. */
async function fits(page: Page, width: number): Promise<void> {
  await page.setViewport({ width, height: 740 });
  await page.waitForFunction((wanted) => innerWidth === wanted, {}, width);
  const scrolled = await page.evaluate(() => {
    scrollTo(1000, 0);
    return { by: scrollX, width: document.documentElement.scrollWidth };
  });
  expect(scrolled, `at ${width} pixels`).toEqual({ by: 0, width });
}

describe("the demo page", () => {
  test("trains, pauses, continues, ends, and begins again", async () => {
    const { page, troubles } = await open();
    await inState(page, "ready");
    expect(await text(page, "adapter")).toMatch(/\w/);
    const software = /swiftshader|llvmpipe/i.test((await text(page, "adapter")) ?? "");
    expect(await page.$eval("#software", (banner) => banner.hasAttribute("hidden"))).toBe(!software);
    const untrained = await picture(page, "samples");
    expect(untrained.colours).toBeGreaterThan(30);
    expect(await text(page, "train-loss")).toBe("–");

    await page.$eval("#epochs", (input) => ((input as HTMLInputElement).value = "1"));
    await page.click("#start");
    await inState(page, "running");
    await curve(page, 3);
    const loss = Number(await text(page, "train-loss"));
    expect(loss).toBeGreaterThan(50);
    expect(loss).toBeLessThan(600);
    expect(await text(page, "position")).toMatch(/^Epoch 1 of 1, step \d+ of 62$/);
    await page.waitForFunction(
      (before) => (document.getElementById("samples") as HTMLCanvasElement).toDataURL() !== before,
      { timeout: 10_000 },
      untrained.bytes,
    );

    // By the keyboard: the button keeps the focus when it becomes another.
    await page.focus("#start");
    await page.keyboard.press("Enter");
    await inState(page, "paused");
    expect(await text(page, "start")).toBe("Continue");
    const drawn = await picture(page, "samples");
    expect(drawn.colours).toBeGreaterThan(30);
    const points = await reports(page);
    await new Promise((done) => setTimeout(done, 500));
    expect(await reports(page)).toBe(points);
    await page.focus("#start");
    await page.keyboard.press("Space");
    await curve(page, points + 1);

    await inState(page, "done");
    expect(await text(page, "position")).toBe("Done: 1 epoch.");
    expect(Number(await text(page, "test-loss"))).toBeLessThan(400);
    expect(await page.$$eval("#chart circle", (circles) => circles.length)).toBe(1);
    expect(await text(page, "status")).toContain("Done");
    expect(await page.$eval("#chart", (chart) => chart.getAttribute("aria-label"))).toContain("nats");
    expect((await picture(page, "reconstructions")).colours).toBeGreaterThan(30);
    expect(await text(page, "start")).toBe("Train 1 more");
    await fits(page, 360);
    await fits(page, 1280);

    await page.click("#reset");
    await inState(page, "ready");
    expect([await text(page, "train-loss"), await reports(page)]).toEqual(["–", 0]);
    // The same seed: the pictures of before the training.
    expect((await picture(page, "samples")).bytes).toBe(untrained.bytes);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("shows a loss that grows without bounds: by powers of ten, in few characters", async () => {
    const { page, troubles } = await open();
    await inState(page, "ready");
    await page.$eval("#epochs", (input) => ((input as HTMLInputElement).value = "1"));
    await page.$eval("#rate", (input) => ((input as HTMLInputElement).value = "1"));
    await page.click("#start");
    await page.waitForSelector('body:is([data-state="done"], [data-state="paused"])', { timeout: 60_000 });
    for (const id of ["train-loss", "test-loss"])
      expect(await text(page, id)).toMatch(/^(–|[\d.]{1,6}|\d+k|[\d.]+e\d+)$/);
    for (const width of [320, 1280]) {
      await fits(page, width);
      const { labels, top } = await page.$eval("#chart", (chart) => ({
        labels: [...chart.querySelectorAll("text.end:not(:last-of-type)")].map((label) => {
          const { top, bottom } = label.getBoundingClientRect();
          return { value: Number(label.textContent.replace("k", "e3")), top, bottom };
        }),
        top: chart.getBoundingClientRect().top,
      }));
      const ticks = labels.filter(({ value }) => !Number.isNaN(value)).sort((a, b) => a.value - b.value);
      expect(ticks.length).toBeGreaterThan(2);
      expect(ticks.at(-1)!.value).toBeGreaterThan(5000);
      for (const [i, { bottom }] of ticks.slice(1).entries()) expect(bottom).toBeLessThanOrEqual(ticks[i]!.top);
      // The axis has labels up to its end.
      expect(ticks.at(-1)!.top - top).toBeLessThan(80);
    }
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("fits screens from 320 pixels on, by day and by night, and names its controls", async () => {
    const { page, troubles } = await open();
    await inState(page, "ready");
    for (const width of [320, 360, 480, 768, 821, 1920]) await fits(page, width);
    const backgrounds: string[] = [];
    for (const value of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
      backgrounds.push(await page.$eval("body", (body) => getComputedStyle(body).backgroundColor));
    }
    expect(backgrounds[0]).not.toBe(backgrounds[1]);
    const unnamed = await page.$$eval("input, button, canvas, svg, progress", (all) =>
      all
        .filter((element) => {
          const labels = element instanceof HTMLInputElement ? (element.labels?.length ?? 0) : 0;
          const name =
            element.getAttribute("aria-label") ?? (element instanceof HTMLButtonElement ? element.textContent : "");
          return labels === 0 && !name;
        })
        .map(({ id }) => id),
    );
    expect(unnamed).toEqual([]);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("says what to do where there is no WebGPU", async () => {
    const { page, troubles } = await open(
      () => void Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }),
    );
    await inState(page, "closed");
    expect(await text(page, "fault-code")).toBe("NO_WEBGPU");
    expect(await text(page, "fault-title")).toContain("no WebGPU");
    expect(await page.$$eval("#fault-hints li", (items) => items.length)).toBeGreaterThan(1);
    expect(await page.$eval("#controls", (form) => form.checkVisibility())).toBe(false);
    await fits(page, 360);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("shows that the device was lost, and Reset brings another", async () => {
    const { page, troubles } = await open();
    await inState(page, "ready");
    await page.click("#start");
    await curve(page, 1);
    await page.evaluate("lastDevice.destroy()");
    await inState(page, "failed");
    expect(await text(page, "fault-code")).toBe("DEVICE_LOST");
    expect(await page.$eval("#fault", (fault) => fault.checkVisibility())).toBe(true);
    await page.click("#reset");
    await inState(page, "ready");
    expect(await page.$eval("#fault", (fault) => fault.checkVisibility())).toBe(false);
    expect(troubles).toEqual([]);
    await page.close();
  });
});
