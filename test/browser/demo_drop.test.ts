// Training on a folder of pictures dropped on the demo page.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Demo, text, untilText } from "./demo_page.js";

const folder = mkdtempSync(join(tmpdir(), "webvae-folder-"));
let demo: Demo;
beforeAll(async () => {
  for (const [kind, red] of [
    ["day", 230],
    ["night", 20],
  ] as const) {
    mkdirSync(join(folder, "sky", kind), { recursive: true });
    for (let i = 0; i < 12; i++) {
      const png = new PNG({ width: 20, height: 14 });
      for (let at = 0; at < png.data.length; at += 4) png.data.set([red, 10 * i, 200, 255], at);
      writeFileSync(join(folder, "sky", kind, `${i}.png`), PNG.sync.write(png));
    }
  }
  writeFileSync(join(folder, "sky", "README"), "Pictures of the sky.");
  demo = await Demo.start();
});
afterAll(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true });
});

test("a dropped folder becomes the data at once, with its folders as classes; other files are named", async () => {
  const { page, troubles } = await demo.open("#batch=8");
  const session = await page.createCDPSession();
  const drag = (type: "dragEnter" | "dragOver" | "drop") =>
    session.send("Input.dispatchDragEvent", {
      type,
      x: 200,
      y: 200,
      data: { items: [], files: [join(folder, "sky")], dragOperationsMask: 1 },
    });
  await drag("dragEnter");
  await page.waitForSelector("#drop:not([hidden])");
  await drag("dragOver");
  await drag("drop");
  await page.waitForSelector("#drop[hidden]");
  expect(await untilText(page, "facts", /^24 pictures/)).toContain("32 × 32 × 3");
  const notes = await text(page, "data-notes");
  expect(notes).toContain("Their 2 folders are used as classes.");
  expect(notes).toContain("2 of them are held out for testing.");
  expect(notes).toMatch(/Left out 1 of 25 files\. Not a PNG, JPEG, GIF or WebP picture: sky\/README\.$/);
  expect(await page.$eval("#data", (select) => (select as HTMLSelectElement).value)).toBe("files");
  // No error is shown.
  expect(await page.$eval("#fault", (fault) => (fault.hasAttribute("hidden") ? "" : fault.textContent))).toBe("");
  expect(troubles).toEqual([]);
  await page.close();
});
