// Training on the demo page: from noise to digits, with play, pause, step and changed settings.
import { afterAll, beforeAll, expect, test } from "vitest";
import { digits } from "../../src/datasets.js";
import {
  Demo,
  downloaded,
  fill,
  hashOf,
  inState,
  looks,
  looksOther,
  looksStill,
  picturesOf,
  shown,
  stepsDone,
  text,
  train,
  untilStep,
  untilStill,
  untilText,
  type Opened,
} from "./demo_page.js";
import { byRole } from "./harness.js";

let demo: Demo;
beforeAll(async () => void (demo = await Demo.start()));
afterAll(() => demo?.close());

const real = digits({ split: "train", count: 3000, seed: 0 });
const SIZE = 784;

/** Mean distance of pictures to the nearest training digit, over pixels of 0 to 1. */
function distance(pictures: readonly Float32Array[]): number {
  const nearest = pictures.map((picture) => {
    let least = Infinity;
    for (let row = 0; row < real.count; row++) {
      let square = 0;
      for (let i = 0; i < SIZE && square < least; i++) {
        square += (picture[i]! - real.values[row * SIZE + i]! / 255) ** 2;
      }
      least = Math.min(least, square);
    }
    return Math.sqrt(least);
  });
  return nearest.reduce((sum, one) => sum + one, 0) / nearest.length;
}

async function samples(opened: Opened): Promise<Float32Array[]> {
  const { name, bytes } = await downloaded(opened, "samples-png");
  expect(name).toBe("webvae-digits-samples.png");
  return picturesOf(bytes, 28, 8, 8);
}

const apart = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  a.reduce(
    (sum, picture, i) => sum + picture.reduce((most, value, j) => Math.max(most, Math.abs(value - b[i]![j]!)), 0),
    0,
  ) / a.length;

test("trains until its samples look like digits, and shows its progress", async () => {
  const began = performance.now();
  const opened = await demo.open("#batch=32&lr=0.004&epochs=1");
  const { page, troubles } = opened;
  expect(await text(page, "adapter")).toMatch(/\w/);
  const software = await page.evaluate(async () => {
    const { info } = (await navigator.gpu.requestAdapter())!;
    // Firefox reports no names.
    return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.device}`);
  });
  expect(await shown(page, "software")).toBe(software);
  expect(await text(page, "train-loss")).toBe("–");
  const untrained = await samples(opened);
  const first = await looks(page, "#reconstructions");

  await page.click("#play");
  await untilText(page, "train-loss", /\d/);
  await looksOther(page, "#reconstructions", first);
  console.log(`first trained reconstructions after ${Math.round(performance.now() - began)} ms`);
  await inState(page, "done");
  expect(await text(page, "position")).toBe("Done: 1 epoch, 250 steps.");
  for (const id of ["images-per-second", "ms-per-step", "gflops"]) {
    expect(Number((await text(page, id)).replaceAll(",", "")), id).toBeGreaterThan(0);
  }
  expect(await text(page, "losses-summary")).toMatch(
    /^After 250 steps the training loss is [\d.]+ nats; it started at [\d.]+\. Test: /,
  );
  expect(Number(await text(page, "test-loss"))).toBeLessThan(210);
  const kl = Number(await text(page, "kl-loss"));
  const sum = Number(await text(page, "reconstruction-loss")) + kl;
  expect(kl).toBeGreaterThan(1);
  expect(Math.abs(sum - Number(await text(page, "train-loss")))).toBeLessThan(0.2);

  const trained = await samples(opened);
  const figures = { untrained: distance(untrained), trained: distance(trained) };
  console.log(`mean distance to the nearest digit: ${JSON.stringify(figures)}`);
  expect(figures.untrained).toBeGreaterThan(10);
  expect(figures.trained).toBeLessThan(6.5);

  // The same as a table with one row per epoch.
  await page.click("#losses-details summary");
  await page.waitForSelector("#losses-table th");
  const epochs = await page.$$eval("#losses-table th", (cells) => cells.map((cell) => cell.textContent));
  expect(epochs).toEqual(["1"]);
  await page.screenshot({ path: "test/artefacts/demo-trained.png", fullPage: true });

  // More epochs move the goal.
  expect(await text(page, "play-text")).toBe("Train more");
  await page.click("#play");
  await untilText(page, "position", /^Epoch 2 of 2, step|^Done: 2 epochs/);

  await page.click("#reset");
  await inState(page, "ready");
  expect(await text(page, "train-loss")).toBe("–");
  // The same seed gives the same pictures as before training.
  expect(apart(await samples(opened), untrained)).toBe(0);
  expect(troubles).toEqual([]);
  await page.close();
}, 600_000);

test("pauses, continues and steps, also by keyboard", async () => {
  const { page, troubles } = await demo.open("#batch=32");
  await page.focus("#play");
  await page.keyboard.press("Enter");
  await inState(page, "running");
  await untilStep(page, 3);
  expect(await text(page, "play-text")).toBe("Pause");
  await page.keyboard.press(" ");
  await inState(page, "paused");
  await untilStill(page);
  const paused = await stepsDone(page);
  await new Promise((done) => setTimeout(done, 700));
  expect(await stepsDone(page)).toBe(paused);
  for (const more of [1, 2]) {
    await page.click("#step");
    await untilStep(page, paused + more);
    await inState(page, "paused");
    expect(await stepsDone(page)).toBe(paused + more);
  }
  await page.focus("#play");
  await page.keyboard.press(" ");
  await untilStep(page, paused + 5);
  expect(await text(page, "status")).toMatch(/\w/);
  expect(troubles).toEqual([]);
  await page.close();
});

test("the learning rate can be changed during training", async () => {
  const opened = await demo.open("#batch=32");
  const { page, troubles } = opened;
  await train(page, 20);
  const step = async () => {
    const [before, steps] = [await samples(opened), await stepsDone(page)];
    await page.click("#step");
    await untilStep(page, steps + 1);
    await inState(page, "paused");
    return apart(await samples(opened), before);
  };
  await fill(page, "learning-rate-number", "0.000001");
  const still = await step();
  expect(await page.$eval("#learning-rate", (slider) => (slider as HTMLInputElement).value)).toBe("-6");
  await fill(page, "learning-rate-number", "0.01");
  const moved = await step();
  expect(moved).toBeGreaterThan(20 * Math.max(still, 1 / 255));
  expect(await hashOf(page)).toBe("#batch=32&lr=0.01");
  // Invalid values are rejected in place, and the rate stays.
  await fill(page, "learning-rate-number", "-1");
  expect(await page.$eval("#learning-rate-number", (input) => input.getAttribute("aria-invalid"))).toBe("true");
  expect(await hashOf(page)).toBe("#batch=32&lr=0.01");
  // The slider by the keyboard.
  await page.focus("#beta");
  await page.keyboard.press("ArrowRight");
  expect(await page.$eval("#beta-number", (input) => (input as HTMLInputElement).value)).toBe("1.05");
  expect(troubles).toEqual([]);
  await page.close();
});

test("dragging the latent pad changes the picture; a drawn digit is judged", async () => {
  const { page, troubles } = await demo.open("#batch=32");
  await page.click("#play");
  await untilStep(page, 30);
  await page.click("#play");
  await inState(page, "paused");
  await untilStill(page);
  const pad = await page.waitForSelector("#explorer >>> [part~=pad]");
  await pad!.scrollIntoView();
  const before = await looksStill(page, "#explorer >>> [part~=picture]");
  const at = (await pad!.boundingBox())!;
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.mouse.down();
  await page.mouse.move(at.x + at.width * 0.75, at.y + at.height * 0.7, { steps: 4 });
  await page.mouse.up();
  await looksOther(page, "#explorer >>> [part~=picture]", before);

  await (await byRole(page, "tab", "Draw")).click();
  const sheet = await page.waitForSelector("#explorer >>> .sheet canvas", { visible: true });
  await sheet!.scrollIntoView();
  const paper = (await sheet!.boundingBox())!;
  await page.mouse.move(paper.x + paper.width * 0.5, paper.y + paper.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(paper.x + paper.width * 0.5, paper.y + paper.height * 0.8, { steps: 6 });
  await page.mouse.up();
  const verdict = await page.waitForSelector("#explorer >>> .verdict");
  await page.waitForFunction(
    (element) => /^(Typical|Ordinary|Unusual|Unlike)/.test(element!.textContent),
    { polling: 200 },
    verdict,
  );
  expect(troubles).toEqual([]);
  await page.close();
});
