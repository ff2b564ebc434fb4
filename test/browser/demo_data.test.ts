// The visitor's own pictures, decoded in a worker in headless Chrome like in the demo.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import type { FileOptions } from "../../demo/data/files.js";
import { launchBrowser } from "../../node/browser.mjs";
import { gzip, idxBytes } from "../support/idx.js";
import { PATIENCE } from "./harness.js";
import { blackPng } from "./demo_data/black_png.js";
import type { Answer, Colour, FileSpec, Question } from "./demo_data/worker.js";

let browser: Browser;
let page: Page;
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  const entries = ["worker", "dropped"].map((name) => join(import.meta.dirname, `demo_data/${name}.ts`));
  const scripts = await bundleScripts(entries);
  const html = `<!doctype html><meta charset="utf-8"><title>files</title><link rel="icon" href="data:,">`;
  server = await serve(new Map<string, Buffer | string>([["/", html], ...scripts, ...(await libraryFiles())]));
  browser = await launchBrowser();
  page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(server.url);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

const ask = (files: readonly FileSpec[], options: FileOptions = {}, abortAt?: number): Promise<Answer> =>
  page.evaluate(
    (question: Question) =>
      new Promise<Answer>((resolve, reject) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }: MessageEvent<Answer>) => {
          worker.terminate();
          resolve(data);
        };
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(question);
      }),
    { files, options, ...(abortAt === undefined ? {} : { abortAt }) },
  );

async function load(files: readonly FileSpec[], options?: FileOptions) {
  const { loaded, fault } = await ask(files, options);
  expect(fault).toBeUndefined();
  return loaded!;
}

const [red, green, blue, grey, white, black]: Colour[] = [
  [200, 30, 30],
  [30, 180, 40],
  [20, 40, 210],
  [120, 120, 120],
  [255, 255, 255],
  [0, 0, 0],
];
const bytes = (name: string, content: Uint8Array | string): FileSpec => ({
  name,
  base64: Buffer.from(content).toString("base64"),
});
const picture = (name: string, stripes: readonly Colour[], more: Partial<FileSpec> = {}): FileSpec => ({
  name,
  type: "image/png",
  width: 60,
  height: 60,
  stripes,
  ...more,
});

/** Mean colour of every example in both sets, in any order. */
function means({ shape, train, test: held }: NonNullable<Answer["loaded"]>): number[][] {
  const size = shape.reduce((a, b) => a * b, 1);
  const channels = shape[2]!;
  return [train, held].flatMap(({ count, values }) =>
    Array.from({ length: count }, (_, i) =>
      Array.from({ length: channels }, (_, c) => {
        const of = values.slice(i * size, (i + 1) * size).filter((_, at) => at % channels === c);
        return of.reduce((a, b) => a + b, 0) / of.length;
      }),
    ),
  );
}

const near = (found: readonly number[], wanted: readonly number[], by = 6) =>
  found.every((value, i) => Math.abs(value - wanted[i]!) <= by);

test("dropping files and folders returns all files with their paths", async () => {
  const folder = mkdtempSync(join(tmpdir(), "webvae-drop-"));
  const drop = await browser.newPage();
  try {
    const paths = [
      "photos/a/1.png",
      "photos/a/2.png",
      "photos/b/deep/3.png",
      "photos/.hidden/4.png",
      "photos/.DS_Store",
    ];
    for (let i = 0; i < 230; i++) paths.push(`photos/many/${i}.png`);
    for (const path of [...paths, "single.txt"]) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), path);
    }
    drop.setDefaultTimeout(PATIENCE);
    await drop.goto(server.url);
    await drop.addScriptTag({ type: "module", url: "/dropped.js" });
    await drop.waitForFunction("'dropped' in globalThis");
    const session = await drop.createCDPSession();
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      const files = [join(folder, "photos"), join(folder, "single.txt")];
      await session.send("Input.dispatchDragEvent", {
        type,
        x: 5,
        y: 5,
        data: { items: [], files, dragOperationsMask: 1 },
      });
    }
    const found = (await drop.evaluate("dropped")) as [string, string][];
    const seen = paths.filter((path) => !path.includes("/."));
    expect(found.map(([name]) => name).sort()).toEqual([...seen, "single.txt"].sort());
    // The bytes belong to the file with that path.
    expect(found.filter(([name, text]) => name !== text)).toEqual([]);
  } finally {
    await drop.close();
    rmSync(folder, { recursive: true });
  }
});

describe("own pictures", () => {
  test("of every format, mixed grey and colour", async () => {
    // One black pixel, as a GIF of two colours.
    const gif = Buffer.from("R0lGODdhAQABAIAAAAAAAP///ywAAAAAAQABAAACAkQBADs=", "base64");
    const loaded = await load([
      picture("a.png", [red!]),
      picture("b.jpg", [green!], { type: "image/jpeg", width: 300, height: 200 }),
      picture("c.webp", [blue!], { type: "image/webp", width: 40, height: 33 }),
      picture("d", [grey!], { type: "image/jpeg" }),
      bytes("e.gif", gif),
    ]);
    expect(loaded).toMatchObject({ name: "5 pictures", shape: [32, 32, 3], train: { count: 4 }, test: { count: 1 } });
    const found = means(loaded);
    for (const wanted of [red, green, blue, grey, black]) {
      expect(found.filter((mean) => near(mean, wanted!))).toHaveLength(1);
    }
    expect(loaded.notes).toEqual([
      "5 pictures, each cropped to its central square and scaled to 32 x 32. They stay on this machine.",
      "All are treated as colour; 2 are grey.",
      "1 was smaller than that and had to be enlarged.",
      "1 of them is held out for testing.",
    ]);
  });

  test("that are all grey have one channel, as do colour ones on request", async () => {
    const greys = await load([picture("a.png", [grey!]), picture("b.jpg", [white!], { type: "image/jpeg" })]);
    expect(greys.shape).toEqual([32, 32, 1]);
    expect(
      means(greys)
        .flat()
        .map(Math.round)
        .sort((a, b) => a - b),
    ).toEqual([120, 255]);
    const reds = await load([picture("a.png", [red!]), picture("b.png", [red!])], { channels: 1, size: 16 });
    expect(reds.shape).toEqual([16, 16, 1]);
    expect(Math.round(means(reds)[0]![0]!)).toBe(Math.round(0.299 * 200 + 0.587 * 30 + 0.114 * 30));
    expect(reds.notes).toContain("All are converted to grey; 2 are in colour.");
  });

  test("are cropped to their centre, the way the camera was held", async () => {
    const three = [red!, green!, blue!];
    const loaded = await load([
      picture("wide.png", three, { width: 300, height: 100 }),
      picture("turned.jpg", three, { type: "image/jpeg", width: 300, height: 100, orientation: 6 }),
    ]);
    for (const mean of means(loaded)) expect(near(mean, green!, 12), String(mean)).toBe(true);
  });

  test("are scaled down without aliasing", async () => {
    // One-pixel stripes: a filter that samples only a few pixels would give black, white or waves.
    for (const width of [500, 1024]) {
      const stripes = Array.from({ length: width }, (_, i) => (i % 2 ? white! : black!));
      const fine = picture(`${width}.png`, stripes, { width, height: width });
      const { train } = await load([fine, fine]);
      const inner = train.values.filter((_, at) => at % 32 > 1 && at % 32 < 30);
      expect(Math.min(...inner)).toBeGreaterThan(110);
      expect(Math.max(...inner)).toBeLessThan(145);
    }
  });

  test("of one pixel are enlarged, and transparent ones get a white background", async () => {
    const clear = new PNG({ width: 50, height: 50 });
    for (let at = 0; at < clear.data.length; at += 4) clear.data.set([255, 0, 0, at % 8 ? 0 : 255], at);
    const loaded = await load([
      picture("dot.png", [blue!], { width: 1, height: 1 }),
      bytes("clear.png", PNG.sync.write(clear)),
    ]);
    const [dot, half] = means(loaded).sort(([a], [b]) => a! - b!);
    expect(near(dot!, blue!, 0)).toBe(true);
    expect(near(half!, [255, 127, 127], 4), String(half)).toBe(true);
    expect(loaded.notes).toContain("Transparent areas become white.");
    expect(loaded.notes).toContain("1 was smaller than that and had to be enlarged.");
  });

  test("that would decompress to far more than their file are not decoded", async () => {
    const bomb = blackPng(20_000, 20_000);
    expect(bomb.length).toBeLessThan(100_000);
    // A screen of one pixel, with a frame of 256 million.
    const gif = Buffer.from("R0lGODlhAQABAIAAAAAAAP///ywAAAAAgD6ePgACAkQBADs=", "base64");
    const { loaded, decoded } = await ask([
      bytes("bomb.png", bomb),
      bytes("bomb.gif", gif),
      bytes("flat.png", blackPng(7000, 7000)),
      bytes("large.png", blackPng(1900, 2100)),
      bytes("long.png", blackPng(20_000, 3)),
      picture("white.png", [white!]),
    ]);
    expect(loaded!.notes.at(-1)).toBe(
      "Left out 3 of 6 files. More than 50 million pixels (20000 x 20000): bomb.png; more than 50 million pixels " +
        "(16000 x 16030): bomb.gif; more pixels (7000 x 7000) than a file of its size can show: flat.png.",
    );
    expect(
      means(loaded!)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual([0, 0, 255]);
    // Decoding it would take 1.6 GB, and many seconds.
    expect(decoded.map(([width, height]) => `${width} x ${height}`)).toEqual(["1900 x 2100", "20000 x 3", "60 x 60"]);
  });

  test("other files are left out, with name and reason", async () => {
    const { notes, train } = await load([
      picture("good.png", [red!]),
      bytes("text.png", "I am a text."),
      bytes("empty.png", ""),
      picture("cut.png", [red!, green!, blue!, grey!], { width: 500, height: 500, keep: 60 }),
      bytes("header.png", blackPng(9, 9).subarray(0, 20)),
      picture("also good", [blue!], { type: "image/webp" }),
    ]);
    expect(train.count).toBe(1);
    expect(notes.at(-1)).toBe(
      "Left out 4 of 6 files. Not a PNG, JPEG, GIF or WebP picture: text.png, header.png; empty: empty.png; damaged: cut.png.",
    );
  });

  test("in the hundreds are counted as they are read, and the same ones are held out each time", async () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      picture(`${i}.png`, [[i % 256, (i * 7) % 256, 100]], { width: 20 + (i % 30), height: 25 }),
    );
    const { loaded, progress } = await ask(many, { size: 8 });
    expect([loaded!.train.count, loaded!.test.count]).toEqual([270, 30]);
    const reading = progress.filter(([, , what]) => what === "Reading 300 pictures");
    expect(reading.map(([done]) => done)).toEqual(Array.from({ length: 301 }, (_, i) => i));
    expect((await ask(many, { size: 8 })).loaded!.test).toEqual(loaded!.test);
    expect((await ask(many, { size: 8, seed: 1 })).loaded!.test).not.toEqual(loaded!.test);
  });

  test("in folders are labelled by folder", async () => {
    const {
      train,
      test: held,
      labelNames,
      notes,
    } = await load(
      Array.from({ length: 30 }, (_, i) =>
        picture(i % 3 ? `pets/cats/${i}.png` : `pets/dogs/${i}.png`, [i % 3 ? red! : blue!]),
      ),
    );
    expect(labelNames).toEqual(["cats", "dogs"]);
    expect(notes).toContain("Their 2 folders are used as classes.");
    for (const { count, values, labels } of [train, held]) {
      const size = values.length / count;
      // Cats are red.
      expect(labels).toEqual(Array.from({ length: count }, (_, i) => (values[i * size] === red![0] ? 0 : 1)));
    }
  });

  test("too few pictures give an error that says what to choose", async () => {
    const one = (await ask([picture("a.png", [red!]), bytes("b.png", "no")])).fault!;
    expect(one).toMatchObject({ name: "DataFault", title: "One picture is too few" });
    expect(one.message).toContain("The others cannot be used: not a PNG, JPEG, GIF or WebP picture: b.png.");
    const none = (await ask([bytes("a.heic", "....ftypheic"), bytes("b", "")])).fault!;
    expect(none.title).toBe("None of these files can be used");
    expect(none.message).toContain("a.heic");
    expect(none.hints!.join(" ")).toContain("HEIC");
  });

  test("stop being read on request", async () => {
    const many = Array.from({ length: 40 }, (_, i) => picture(`${i}.png`, [red!]));
    const { fault, progress } = await ask(many, {}, 5);
    expect(fault).toEqual({ name: "Error", message: "enough" });
    expect(progress.at(-1)![0]).toBe(5);
  });

  test("arrays are read in the worker too, and take precedence over pictures", async () => {
    const values = Uint8Array.from({ length: 20 * 12 }, (_, i) => i);
    const loaded = await load([bytes("images", gzip(idxBytes([20, 4, 3], values))), picture("preview.png", [red!])]);
    expect(loaded).toMatchObject({ shape: [4, 3, 1], train: { count: 18 }, test: { count: 2 } });
    expect(loaded.notes.at(-1)).toMatch(/Left out 1 of 2 files.*preview\.png/);
  });
});
