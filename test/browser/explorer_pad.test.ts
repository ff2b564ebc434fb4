// Moving through the latent space like a visitor: by dragging, touch and keyboard, among the examples, and on a round
// trip.
import { describe, expect, test } from "vitest";
import { inFirefox } from "../../node/browser.mjs";
import {
  boxOf,
  explored,
  explorerPages,
  inside,
  latentOf,
  seen,
  seenOther,
  settled,
  shoot,
  untilWords,
} from "./explorer_lab.js";
import { byRole, lacks } from "./harness.js";
import type { Explored } from "./pages/explorer.js";

const { open, troubles } = explorerPages();

describe("the pad", () => {
  // The time per picture depends on the machine and is only printed (a drag feels immediate up to 30 ms). The test
  // checks that a picture waits for at most the one under way, never for outdated ones. A software adapter draws a
  // WebGPU canvas only if a test requests it, because that slows down the page's own drawing.
  test.each([
    ["a 2-D canvas", "model=mlp"],
    ["a worker", "model=mlp&where=worker"],
    ["the GPU's canvas", "model=mlp&canvas=gpu"],
    ["a worker and the GPU's canvas", "model=mlp&canvas=gpu&where=worker"],
  ])("dragging moves through the latent space, and the picture follows (%s)", async (name, query) => {
    const page = await open(query);
    const { at } = await boxOf(page, ".pad");
    const before = await seen(page, ".what .picture");
    await page.mouse.move(...at(0.5, 0.5));
    await page.mouse.down();
    // The first drag creates and compiles what has not been used yet.
    for (let i = 0; i < 10; i++) await page.mouse.move(...at(0.5 + 0.01 * i, 0.5));
    await settled(page);
    await explored(page, ({ drawn, moved }) => (drawn.length = moved.length = 0));
    for (let i = 0; i < 40; i++) {
      const angle = (2 * Math.PI * i) / 40;
      await page.mouse.move(...at(0.5 + 0.35 * Math.cos(angle), 0.5 + 0.35 * Math.sin(angle)));
      await new Promise((done) => setTimeout(done, 20));
    }
    await page.mouse.up();
    await settled(page);
    const [delays, waited] = await explored(page, ({ drawn, moved }) => [
      drawn.map(({ at }) => at - Math.max(...moved.filter((time) => time < at))),
      drawn.map((one) => one.waited),
    ]);
    const sorted = [...delays].sort((a, b) => a - b);
    const share = (p: number) => sorted[Math.floor(p * (sorted.length - 1))]!;
    const figures = [0.5, 0.9, 1].map((p) => share(p).toFixed(1)).join(", ");
    console.log(`${name}: from a move to its picture: median, 90 %, most: ${figures} ms of ${delays.length} pictures`);
    expect(delays.length).toBeGreaterThan(5);
    // Its own, and the one that was under way.
    expect(Math.max(...waited)).toBeLessThanOrEqual(2);
    const [x, y] = await latentOf(page);
    expect(x).toBeGreaterThan(1);
    expect(Math.abs(y!)).toBeLessThan(1);
    await seenOther(page, ".what .picture", before);
    expect(troubles()).toEqual([]);
  });

  test("a burst of moves requests only the last one", async () => {
    const page = await open("model=mlp");
    await explored(page, ({ explorer, drawn }) => {
      drawn.length = 0;
      for (let i = 1; i <= 200; i++) explorer.latent = Float32Array.from([i / 100, 0]);
    });
    await settled(page);
    const drawn = await explored(page, ({ drawn }) => drawn.map(({ picture, z }) => ({ picture, x: z[0]! })));
    expect(drawn.at(-1)!.x).toBe(2);
    expect(new Set(drawn.map(({ picture }) => picture)).size).toBeLessThanOrEqual(2);
    expect(await latentOf(page)).toEqual([2, 0]);
  });

  test("by keyboard: arrows, larger steps with Shift, Home", async () => {
    const page = await open("model=file");
    const pad = await inside(page, ".pad");
    await pad.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowUp");
    const [x, y] = await latentOf(page);
    expect(x).toBeGreaterThan(0.05);
    expect(y).toBeCloseTo(x!, 5);
    await page.keyboard.down("Shift");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.up("Shift");
    expect((await latentOf(page))[0]).toBeCloseTo(x! - 5 * x!, 5);
    expect(await pad.evaluate((it) => it.getAttribute("aria-valuetext"))).toMatch(/^z₁ −0\.\d\d, z₂ 0\.\d\d$/);
    await page.keyboard.press("Home");
    expect(await latentOf(page)).toEqual([0, 0]);
    const outline = await pad.evaluate((it) => getComputedStyle(it).outlineStyle);
    expect(outline).toBe("solid");
  });

  test("touch moves the handle and does not scroll the page", async () => {
    const page = await open("model=file", { width: 360, height: 640 });
    const { at } = await boxOf(page, ".pad");
    const before = await page.evaluate(() => scrollY);
    const touch = await page.touchscreen.touchStart(...at(0.5, 0.5));
    await touch.move(...at(0.8, 0.2));
    await touch.end();
    await page.waitForFunction(() => {
      const { latent } = (globalThis as unknown as { explored: Explored }).explored.explorer;
      return latent[0]! > 1 && latent[1]! > 1;
    });
    expect(await page.evaluate(() => scrollY)).toBe(before);
  });

  test("in many dimensions it moves in the plane of most variance, and the orthogonal part stays", async () => {
    const page = await open("model=mlp20");
    await explored(page, ({ explorer }) => {
      explorer.latent = Float32Array.from({ length: 20 }, (_, i) => Math.sin(i));
    });
    const before = await latentOf(page);
    await (await inside(page, ".pad")).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const moved = (await latentOf(page)).map((value, i) => value - before[i]!);
    const step = Math.hypot(...moved);
    expect(step).toBeGreaterThan(0.1);
    expect(moved.filter((value) => Math.abs(value) > 1e-4).length).toBeGreaterThan(2);
    const slider = await inside(page, ".sliders input");
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    const changed = (await latentOf(page)).filter((value, i) => Math.abs(value - before[i]! - moved[i]!) > 0.006);
    expect(changed.length).toBeLessThanOrEqual(1);
  });
});

describe("the examples", () => {
  test("are shown where the model encodes them; a chosen class stands out", async () => {
    const page = await open("model=file");
    const ground = await seen(page, ".pad");
    const three = await byRole(page, "button", "3");
    await three.click();
    expect(await three.evaluate((it) => it.getAttribute("aria-pressed"))).toBe("true");
    await seenOther(page, ".pad", ground);
    await three.click();
    expect(await three.evaluate((it) => it.getAttribute("aria-pressed"))).toBe("false");
  });

  test("at a class's mean, the neighbours belong to it, and the page says so", async () => {
    const page = await open("model=file");
    await explored(page, async ({ explorer, model, images, labels }) => {
      const { mean } = await model.encode(images);
      const zeros = [...labels!].flatMap((label, i) => (label === 0 ? [i] : []));
      explorer.latent = Float32Array.from(
        [0, 1],
        (i) => zeros.reduce((s, row) => s + mean[2 * row + i]!, 0) / zeros.length,
      );
    });
    await untilWords(page, ".what .caption", /^(All|\d+ of the) 15 nearest examples are labelled 0$/);
  });
});

describe("morphing", () => {
  test("plays a round trip, pauses, and ends it on a drag", async () => {
    const page = await open("model=file");
    await (await byRole(page, "button", "Play")).click();
    for (let round = 0; round < 2; round++) {
      await page.evaluate(() => {
        const { explored } = globalThis as unknown as { explored: Explored };
        Object.assign(globalThis, { before: String(explored.explorer.latent) });
      });
      await page.waitForFunction(() => {
        const { explored, before } = globalThis as unknown as { explored: Explored; before: string };
        return String(explored.explorer.latent) !== before;
      });
    }
    await shoot(page, "morph");
    await (await byRole(page, "button", "Pause")).click();
    const paused = await latentOf(page);
    await new Promise((done) => setTimeout(done, 300));
    expect(await latentOf(page)).toEqual(paused);
    await byRole(page, "button", "Play");
  });

  test.skipIf(inFirefox)("advances step by step with reduced motion", async () => {
    const page = await open("model=file", { still: true });
    const step = await byRole(page, "button", "Next step");
    const still = await latentOf(page);
    await new Promise((done) => setTimeout(done, 300));
    expect(await latentOf(page)).toEqual(still);
    await step.click();
    const moved = await latentOf(page);
    expect(moved).not.toEqual(still);
    await step.click();
    expect(await latentOf(page)).not.toEqual(moved);
    expect(await lacks(page, "button", "Play")).toBe(true);
  });
});
