// What outlasts a visit to the demo page, and what comes into it: saved and loaded models, autosave, links, good and
// bad files.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { PNG } from "pngjs";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Demo,
  downloaded,
  faultOf,
  fill,
  hashOf,
  inState,
  shown,
  stepsDone,
  text,
  train,
  untilKept,
  untilStep,
  untilText,
  type Opened,
} from "./demo_page.js";

let demo: Demo;
beforeAll(async () => void (demo = await Demo.start()));
afterAll(() => demo?.close());

/** Gives the page files through one of its file inputs, like the file chooser. */
async function give(page: Page, input: string, ...paths: string[]): Promise<void> {
  const element = (await page.$(`#${input}`)) as unknown as { uploadFile(...paths: string[]): Promise<void> };
  await element.uploadFile(...paths);
}

function file({ folder }: Opened, name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** The error that the page shows, once it does; then closes it. */
async function fault(page: Page): Promise<{ title: string; message: string }> {
  await page.waitForSelector("#fault", { visible: true });
  const found = await faultOf(page);
  await page.click("#fault-close");
  await page.waitForSelector("#fault", { hidden: true });
  return found;
}

const history = (page: Page) => text(page, "losses-summary");

test("a saved model can be loaded and continues where it was", async () => {
  const opened = await demo.open("#batch=32&epochs=9");
  const { page, troubles } = opened;
  await train(page, 6);
  const steps = await stepsDone(page);
  const { name, bytes } = await downloaded(opened, "save");
  expect(name).toBe("webvae-digits.safetensors");
  await page.click("#reset");
  await inState(page, "ready");
  await give(page, "model-file", file(opened, "renamed.bin", bytes));
  await inState(page, "paused");
  expect(await stepsDone(page)).toBe(steps);
  await page.click("#step");
  await untilStep(page, steps + 1);
  expect(await stepsDone(page)).toBe(steps + 1);
  // It was loaded while the reset one was still being shown: only the last one has a view.
  await downloaded(opened, "samples-png");
  expect(await page.$$eval("#explorer > *", (views) => views.length)).toBe(1);
  expect(troubles).toEqual([]);
  await page.close();
});

test("after a reload, one tab at a time offers to continue with the model", async () => {
  const opened = await demo.open("#batch=32&latent=3");
  const { page, troubles } = opened;
  const context = page.browserContext();
  await train(page, 6);
  const [steps, words] = [await stepsDone(page), await history(page)];
  await untilKept(page, steps);
  // Another page holds the lock next, for a while, as the page from before the reload may do.
  const holder = await context.newPage();
  await holder.goto(`${demo.server.url}style.css`);
  await holder.evaluate(() => {
    const held = () => new Promise<void>((free) => Object.assign(globalThis, { free }));
    void navigator.locks.request("webvae demo: autosave", held);
  });
  await page.bringToFront();
  await page.reload();
  await page.waitForSelector("body[data-shown]");
  await untilText(page, "autosave", /^Another tab/);
  expect(await shown(page, "kept")).toBe(false);
  await holder.evaluate("free()");
  await holder.close();
  await page.waitForSelector("#kept", { visible: true });
  expect(await text(page, "kept-text")).toMatch(
    /^A model from \d+ (s|min) ago is saved in this browser: Digits, mlp, \d+ steps?\./,
  );
  await page.click("#kept-continue");
  await inState(page, "paused");
  expect([await stepsDone(page), await history(page)]).toEqual([steps, words]);
  expect(await page.$eval("#latent", (input) => (input as HTMLInputElement).value)).toBe("3");
  expect(await shown(page, "kept")).toBe(false);

  // A second tab trains, but saves nothing and is offered nothing until the first is closed.
  const second = await demo.open("#batch=32", { context });
  await untilText(second.page, "autosave", /^Another tab is saving its model/);
  expect(await shown(second.page, "kept")).toBe(false);
  await train(second.page, 2);
  expect(await text(second.page, "autosave")).toMatch(/^Another tab/);
  await page.close();
  await untilText(second.page, "autosave", /^The model is saved/);
  const before = await stepsDone(second.page);
  await second.page.click("#step");
  await untilKept(second.page, before + 1);
  expect([...troubles, ...second.troubles]).toEqual([]);
  await second.page.close();
});

test("reports that the browser's storage is full, saves once there is room, and keeps training throughout", async () => {
  // Chrome does not count bytes for a context like a private window, whose files are in memory.
  const { page, troubles } = await demo.open("#batch=32", { context: demo.browser.defaultBrowserContext() });
  const session = await page.createCDPSession();
  const { origin } = new URL(page.url());
  // Less than a model of 650,000 weights and Adam's moments.
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 100_000 });
  await train(page, 2);
  await untilText(page, "autosave", /storage is full/);
  await page.screenshot({ path: "test/artefacts/demo-storage-full.png" });
  const before = await stepsDone(page);
  await page.click("#step");
  await untilStep(page, before + 1);
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  await page.click("#step");
  await untilKept(page, before + 2);
  expect(troubles).toEqual([]);
  await page.close();
});

test("the address contains the settings; invalid ones are reported", async () => {
  const { page, troubles } = await demo.open("#data=digits&latent=5&batch=16&lr=0.003&seed=9");
  const value = (id: string) => page.$eval(`#${id}`, (input) => (input as HTMLInputElement).value);
  expect([
    await value("latent"),
    await value("batch"),
    await value("learning-rate-number"),
    await value("seed"),
  ]).toEqual(["5", "16", "0.003", "9"]);
  expect(await text(page, "facts")).toContain("5 latents");
  await fill(page, "latent", "4");
  await untilText(page, "facts", /\b4 latents/);
  await page.click("#share");
  await untilText(page, "shared", /link/);
  expect(await hashOf(page)).toBe("#latent=4&batch=16&seed=9&lr=0.003");

  // Changing the address of an open page changes the settings.
  await page.evaluate(() => (location.hash = "#latent=7&batch=none&data=<b>x</b>"));
  const { title, message } = await fault(page);
  expect(title).toBe("Some settings in this link are not valid");
  expect(message).toMatch(/batch=none: must be a whole number from 1 to 1024\. data=<b>x<\/b>: must be one of/);
  expect(await text(page, "facts")).toContain("7 latents");
  expect(await value("batch")).toBe("128");
  expect(await page.$$eval("b", (found) => found.length)).toBe(0);
  expect(troubles).toEqual([]);
  await page.close();
});

test("a model can be edited as JSON; errors are shown at their line, and training continues", async () => {
  const { page, troubles } = await demo.open("#batch=16");
  await page.click("#play");
  await untilStep(page, 2);
  await page.$eval('input[value="custom"]', (radio) => radio.click());
  const write = (spec: string) =>
    page.$eval(
      "#spec",
      (area, value) => {
        (area as HTMLTextAreaElement).value = value;
        area.dispatchEvent(new Event("input", { bubbles: true }));
      },
      spec,
    );
  const told = (part: string) =>
    page.waitForFunction(
      (wanted) => {
        const text = document.getElementById("spec-fault")!.textContent;
        return wanted === "" ? text === "" : text.includes(wanted);
      },
      {},
      part,
    );
  const spec = await page.$eval("#spec", (area) => (area as HTMLTextAreaElement).value);
  await write(spec.replace('"latent": 2,', '"latent": 2'));
  await told("line 7, column 3: expected a comma or }, found");
  expect(await page.$eval("#spec-lines mark", (mark) => mark.textContent)).toContain('"decoder"');
  await write(spec.replace('"units": 400', '"units": -1'));
  await told("line 4: encoder.0 (dense): units: expected a whole number from 1");
  await write('{ "__proto__": { "input": [1] }, "constructor": 1 }');
  await told("the model spec: unknown key");
  await write(`{ "input": [28, 28, 1], "encoder": ${"[".repeat(5000)}`);
  await told("nested deeper");
  // Pressing the button anyway starts nothing.
  await page.$eval("#apply", (button) => (button as HTMLElement).click());
  const before = await stepsDone(page);
  await untilStep(page, before + 2);

  await write(spec.replaceAll('"units": 400', '"units": 24').replace('"latent": 2', '"latent": 6'));
  await told("");
  await page.$eval("#apply", (button) => (button as HTMLElement).click());
  await untilText(page, "facts", /\b6 latents/);
  await inState(page, "ready");
  expect(await hashOf(page)).toContain("model=custom");
  expect(troubles).toEqual([]);
  await page.close();
});

describe("files", () => {
  /** A safetensors file without tensors, with this metadata. */
  const safetensors = (metadata: Record<string, string>) => {
    const header = Buffer.from(JSON.stringify({ __metadata__: metadata }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, header]);
  };
  const picture = (width: number, height: number, shade: number) => {
    const png = new PNG({ width, height });
    for (let i = 0; i < width * height; i++) png.data.set([shade, 255 - shade, (i * 7) % 256, 255], 4 * i);
    return PNG.sync.write(png);
  };

  /** The first bytes of a PNG of `side` x `side` pixels, which would decompress to gigabytes. */
  const enormous = (side: number) => {
    const png = picture(1, 1, 0);
    png.writeUInt32BE(side, 16);
    png.writeUInt32BE(side, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    return png;
  };

  test("bad files are rejected by name, and training continues", async () => {
    const opened = await demo.open("#batch=16");
    const { page } = opened;
    await page.click("#play");
    await untilStep(page, 2);
    const models: [string, Uint8Array | string, RegExp][] = [
      ["text.safetensors", "this is no model", /model file cannot be read/],
      ["empty.safetensors", "", /model file cannot be read/],
      ["hostile.safetensors", safetensors({ model_spec: '{"input":[1e9,1e9,1e9]}' }), /model (file )?cannot be/],
      ["version.safetensors", safetensors({ model_spec: "{}", webvae_version: "99" }), /model (file )?cannot be/],
    ];
    for (const [name, bytes, title] of models) {
      await give(page, "model-file", file(opened, name, bytes));
      expect((await fault(page)).title, name).toMatch(title);
    }
    const before = await stepsDone(page);
    const data: [string, Uint8Array | string, string?][] = [
      ["text.png", "not a picture, whatever its name says"],
      ["images.idx", new Uint8Array([0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 28, 0, 0, 0, 28])],
      ["huge.png", enormous(20_000)],
      // One picture, whatever its size, is too few.
      ["dot.png", picture(1, 1, 100), "At least two are needed"],
    ];
    for (const [name, bytes, said = name] of data) {
      await give(page, "files", file(opened, name, bytes));
      const { title, message } = await fault(page);
      expect(title.length, name).toBeGreaterThan(5);
      expect(message, name).toContain(said);
      expect(await page.$eval("#data", (select) => (select as HTMLSelectElement).value)).toBe("digits");
    }
    await untilStep(page, before + 2);
    await page.close();
  });

  test("trains on the visitor's own pictures, and does not load a model for others", async () => {
    // With five pictures an epoch is one step, so a short run would be over before it is paused.
    const opened = await demo.open("#epochs=9999");
    const { page, troubles } = opened;
    await train(page, 2);
    const { bytes } = await downloaded(opened, "save");
    const paths = [40, 90, 140, 190, 240].map((shade, i) => file(opened, `${i}.png`, picture(20 + i, 30, shade)));
    await give(page, "files", ...paths);
    await untilText(page, "facts", /32 × 32 × 3/);
    await inState(page, "ready");
    // The batch is as large as the set: one of the five is held out for testing.
    expect(await page.$eval("#batch", (input) => (input as HTMLInputElement).value)).toBe("4");
    await train(page, 2);
    await give(page, "model-file", file(opened, "digits.safetensors", bytes));
    const { title, message } = await fault(page);
    expect(title).toBe("The model does not fit the data");
    expect(message).toMatch(/28 × 28 × 1.*32 × 32 × 3/);
    expect(await text(page, "facts")).toContain("32 × 32 × 3");
    expect(troubles).toEqual([]);
    await page.close();
  });
});
