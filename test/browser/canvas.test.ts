// webvae/canvas in headless Chrome: checks a canvas's pixels against the buffer's contents, computed independently
// here.
import type { Browser, Page } from "puppeteer";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { inFirefox, launchBrowser } from "../../node/browser.mjs";
import { watch, type Watched } from "./harness.js";
import type { Painting } from "./pages/painting.js";

const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">
  <body style="margin: 0; background: #cde"><script type="module" src="painting.js"></script></body></html>`;
const pictures = join(import.meta.dirname, "../../.cache/canvas");

let browser: Browser;
let server: { url: string; close: () => void };
let watched: Watched;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  const scripts = await bundleScripts([join(import.meta.dirname, "pages/painting.ts")]);
  const styles = { "content-security-policy": "style-src 'unsafe-inline'" };
  server = await serve(
    new Map<string, Buffer | string>([["/", html], ...scripts, ...(await libraryFiles())]),
    0,
    styles,
  );
  browser = await launchBrowser({ canvas: true });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

async function open(on: Browser): Promise<Watched> {
  const page = await watch(await on.newPage());
  await page.page.goto(server.url);
  await page.page.waitForFunction("'painting' in globalThis");
  return page;
}
beforeEach(async () => void (watched = await open(browser)));
afterEach(() => watched.page.close());

/** Calls one of pages/painting.ts. */
function call<Name extends keyof Painting>(page: Page, name: Name, ...given: Parameters<Painting[Name]>) {
  const run = (wanted: string, values: unknown[]) =>
    (globalThis as unknown as { painting: Record<string, (...given: unknown[]) => unknown> }).painting[wanted]!(
      ...values,
    );
  return page.evaluate(run, name, given) as Promise<Awaited<ReturnType<Painting[Name]>>>;
}

type RGB = readonly [number, number, number];
interface Drawing {
  readonly size: [number, number];
  readonly shape: readonly [number, number, number];
  readonly count: number;
  readonly columns: number;
  readonly gap?: number;
  readonly low?: RGB;
  readonly high?: RGB;
  readonly background?: readonly [number, number, number, number];
}

/** Various values, some outside [0, 1]. */
const valueOf = (i: number) => (((i * 7919) % 1009) / 1009) * 1.2 - 0.1;

/** The mean from a to b of f, which is constant within each whole step; f is called for steps in [0, n). */
function mean(a: number, b: number, n: number, f: (step: number) => number): number {
  const [from, to] = [Math.max(a, 0), Math.min(b, n)];
  let sum = 0;
  for (let step = 0; step < n; step++) sum += Math.max(0, Math.min(to, step + 1) - Math.max(from, step)) * f(step);
  return sum / (to - from);
}

/** The expected colour of device pixel (x, y), RGBA from 0 to 255; undefined outside all images. */
function expected(
  { size, shape, count, columns, gap = 0, low = [0, 0, 0], high = [1, 1, 1] }: Drawing,
  x: number,
  y: number,
) {
  const [height, width, channels] = shape;
  const rows = Math.ceil(count / columns);
  const scale = Math.min(
    size[0] / (width * (columns + (columns - 1) * gap)),
    size[1] / (height * rows + width * (rows - 1) * gap),
  );
  const [w, h, between] = [scale * width, scale * height, scale * width * gap].map(Math.floor) as [
    number,
    number,
    number,
  ];
  const left = Math.floor((size[0] - columns * w - (columns - 1) * between) / 2);
  const top = Math.floor((size[1] - rows * h - (rows - 1) * between) / 2);
  const [column, row] = [Math.floor((x - left) / (w + between)), Math.floor((y - top) / (h + between))];
  const [i, j] = [x - left - column * (w + between), y - top - row * (h + between)];
  const image = row * columns + column;
  if (column < 0 || row < 0 || column >= columns || image >= count || i >= w || j >= h) return undefined;
  const soft = 0.6;
  const span = (at: number, pixels: number, n: number) => {
    const middle = ((at + 0.5) * n) / pixels;
    const half = Math.max(n / pixels, soft) / 2;
    return [middle - half, middle + half] as const;
  };
  const [x0, x1] = span(i, w, width);
  const [y0, y1] = span(j, h, height);
  const held = (v: number, u: number, c: number) => {
    const value = Math.fround(valueOf(((image * height + v) * width + u) * channels + c));
    return Math.min(1, Math.max(0, value));
  };
  return [0, 1, 2].map((c) => {
    const channel = channels === 3 ? c : 0;
    const value = mean(y0, y1, height, (v) => mean(x0, x1, width, (u) => held(v, u, channel)));
    return 255 * (channels === 3 ? value : low[c]! + value * (high[c]! - low[c]!));
  });
}

const drawings: Readonly<Record<string, Drawing>> = {
  "one grey image, enlarged unevenly": { size: [101, 97], shape: [7, 5, 1], count: 1, columns: 1 },
  "seven of one channel in two colours, with gaps and a background": {
    size: [301, 203],
    shape: [28, 28, 1],
    count: 7,
    columns: 3,
    gap: 0.1,
    low: [0.1, 0.2, 0.4],
    high: [1, 0.9, 0.3],
    background: [0, 0.5, 1, 1],
  },
  "five of three channels, side by side": { size: [90, 70], shape: [9, 11, 3], count: 5, columns: 2, gap: 0.3 },
  "one device pixel a pixel": { size: [60, 40], shape: [20, 20, 3], count: 5, columns: 3 },
  reduced: { size: [100, 100], shape: [64, 48, 3], count: 9, columns: 4, gap: 0.05 },
  "a row in a high canvas": { size: [64, 50], shape: [3, 3, 1], count: 3, columns: 3, gap: 0.25 },
};

describe.each(Object.entries(drawings))("%s", (name, drawing) => {
  test("each pixel matches the buffer", async () => {
    const { size, shape, count, background = [0, 0, 0, 0], ...more } = drawing;
    const values = Array.from({ length: count * shape[0] * shape[1] * shape[2] }, (_, i) => valueOf(i));
    await watched.page.setViewport({ width: 320, height: 240 });
    const options = { shape, count, background, ...more };
    const pixels = await call(watched.page, "paints", size, values, options);
    await watched.page.screenshot({ path: join(pictures, `${name.replaceAll(" ", "-")}.png`) });
    expect(pixels).toHaveLength(4 * size[0] * size[1]);
    let inImages = 0;
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++) {
        const found = pixels.slice(4 * (y * size[0] + x), 4 * (y * size[0] + x) + 4);
        const shown = expected(drawing, x, y);
        if (shown) inImages++;
        const wanted = shown ? [...shown, 255] : background.map((value) => 255 * value);
        const error = Math.max(...wanted.map((value, c) => Math.abs(value - found[c]!)));
        // Rounded to a whole number by the GPU.
        if (error > 1) expect(found, `pixel (${x}, ${y})`).toEqual(wanted);
      }
    }
    expect(inImages).toBeGreaterThan(0.3 * size[0] * size[1]);
    expect(watched.troubles).toEqual([]);
  });
});

test("decoded examples are painted without leaving the GPU, and match those read back", async () => {
  const { pixels, values } = await call(watched.page, "paintsModel");
  expect(new Set(values.map((value) => Math.round(255 * value))).size).toBeGreaterThan(20);
  const worst = values.reduce((most, value, i) => {
    const [image, y, x] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
    const at = (Math.floor(image / 3) * 28 + y) * 84 + (image % 3) * 28 + x;
    return Math.max(most, Math.abs(255 * value - pixels[4 * at]!));
  }, 0);
  expect(worst).toBeLessThan(1);
  expect(watched.troubles).toEqual([]);
});

test("rejects invalid input by name", async () => {
  const faults = await call(watched.page, "refuses");
  expect(faults).toMatchObject({
    shape: "INVALID_OPTION draw: shape must be [height, width, 1 or 3], not [2,2,2]",
    count: expect.stringMatching(/^INVALID_OPTION draw: count .*0/) as string,
    columns: expect.stringMatching(/^INVALID_OPTION draw: columns .*1\.5/) as string,
    gap: expect.stringMatching(/^INVALID_OPTION draw: gap .*-1/) as string,
    low: expect.stringMatching(/^INVALID_OPTION draw: low .*\[0,0,2\]/) as string,
    background: expect.stringMatching(/^INVALID_OPTION draw: background must be 4/) as string,
    unknown: expect.stringMatching(/^INVALID_OPTION draw: .*"coloumns"/) as string,
    small: expect.stringMatching(/^INVALID_DATA draw: 4 images of \[2, 2, 1\] take 64 bytes .* has 48/) as string,
    usage: expect.stringMatching(/^INVALID_DATA draw: .*STORAGE.* usage 8/) as string,
    context: expect.stringMatching(/^UNSUPPORTED .*context/) as string,
    fine: "nothing",
    empty: "nothing",
    disposed: expect.stringMatching(/^DISPOSED/) as string,
  });
  expect(watched.troubles).toEqual([]);
});

describe("canvasKeepsDevice", () => {
  test("returns true here after a probe", async () => {
    const { before, probed, after } = await call(watched.page, "keeps");
    expect({ probed, after }).toEqual({ probed: true, after: true });
    expect(typeof before).toBe("boolean");
    expect(watched.troubles).toEqual([]);
  });

  test.skipIf(inFirefox)(
    "returns false in a headless Chrome without the flags, and without a probe costs no device",
    async () => {
      const other = await launchBrowser({ adapter: "swiftshader" });
      try {
        const { page } = await open(other);
        expect(await call(page, "keeps")).toMatchObject({ before: false, probed: false, after: false });
      } finally {
        await other.close();
      }
    },
  );
});

test("a picture of one latent takes less than one of 64", async () => {
  const { name, ...all } = await call(watched.page, "latency", 25);
  const text = Object.entries(all).map(([what, { median }]) => `${what} ${median.toFixed(1)}`);
  console.log(`${name}, ms: ${text.join(", ")}`);
  expect(all.read.least).toBeLessThan(0.8 * all.many.least);
  expect(watched.troubles).toEqual([]);
});
