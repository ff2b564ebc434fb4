// <webvae-explorer> as pages use it: attributes, events and properties, its errors, several on a page, leaving the
// document and coming back; and the example that uses it.
import type { Page } from "puppeteer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inFirefox } from "../../node/browser.mjs";
import { serveExamples } from "../../examples/serve.mjs";
import { faultsOf } from "./axe.js";
import { ExplorerLab, inside, shoot, untilDrawn, type View } from "./explorer_lab.js";
import { byRole, watch, type Watched } from "./harness.js";

const model = readFileSync(join(import.meta.dirname, "../../examples/explorer/digits.safetensors"));

/** The model's file with another header of the same length. */
function withHeader(change: (header: string) => string): Buffer {
  const length = Number(model.readBigUInt64LE(0));
  const header = change(model.toString("utf8", 8, 8 + length));
  const bytes = Buffer.from(header);
  if (bytes.length !== length) throw new Error("the header's length is part of the file");
  return Buffer.concat([model.subarray(0, 8), bytes, model.subarray(8 + length)]);
}

const script = `<script type="module" src="/dist/explorer.js"></script>`;
const tag = (attributes: string) => `<webvae-explorer ${attributes}></webvae-explorer>`;

const files = new Map<string, Buffer | string>([
  ["/one.html", `${tag('src="/digits.safetensors" data="digits"')}${script}`],
  [
    "/two.html",
    `${tag('id="a" src="/digits.safetensors"')}${tag('id="b" src="/digits.safetensors" tab="map" theme="dark"')}${script}`,
  ],
  ["/missing.html", `${tag('src="/nowhere.safetensors"')}${script}`],
  ["/page.html", `${tag('src="/one.html"')}${script}`],
  ["/cut.html", `${tag('src="/cut.safetensors"')}${script}`],
  ["/layers.html", `${tag('src="/layers.safetensors"')}${script}`],
  ["/hostile.html", `${tag('src="/hostile.safetensors"')}${script}`],
  ["/other-data.html", `${tag('src="/digits.safetensors" data="sprites"')}${script}`],
  ["/no-data.html", `${tag('src="/digits.safetensors" data="cats"')}${script}`],
  ["/given.html", `${tag("")}${script}<script type="module" src="/library.js"></script>`],
  ["/library.js", 'import * as library from "/dist/webvae.js"; Object.assign(globalThis, { library });'],
  ["/cut.safetensors", model.subarray(0, 100_000)],
  ["/layers.safetensors", withHeader((header) => header.replaceAll("dense", "trick"))],
  // A length of 2^63 bytes.
  ["/hostile.safetensors", Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 128]), model.subarray(8)])],
]);

let lab: ExplorerLab;
let watched: Watched | undefined;
beforeAll(async () => void (lab = await ExplorerLab.open(files)));
afterAll(() => lab?.close());
afterEach(async () => {
  await watched?.page.close();
  watched = undefined;
});

/** Chrome sometimes reports a body that was read completely, in pieces, as aborted. */
const troubles = () =>
  watched!.troubles.filter((trouble) => !/^failed: \S+\.safetensors net::ERR_ABORTED$/.test(trouble));

interface Heard {
  readonly heard: { readonly type: string; readonly id: string; readonly detail: Record<string, unknown> }[];
}

async function open(path: string, view?: View, prepare?: () => void): Promise<Page> {
  watched = await watch(await lab.browser.newPage());
  const { page } = watched;
  await page.evaluateOnNewDocument(() => {
    const heard: Heard["heard"] = [];
    Object.assign(globalThis, { heard });
    for (const type of ["webvae-load", "webvae-error", "webvae-latent"]) {
      addEventListener(type, (event) => {
        const { detail, target } = event as CustomEvent<Record<string, unknown>>;
        heard.push({ type, id: (target as HTMLElement).id, detail });
      });
    }
  });
  if (prepare) await page.evaluateOnNewDocument(prepare);
  await page.setViewport({ width: view?.width ?? 1000, height: 760 });
  await page.goto(lab.url + path);
  return page;
}

const heard = (page: Page, type: string) =>
  page.evaluate((type) => (globalThis as unknown as Heard).heard.filter((event) => event.type === type), type);

const waitFor = (page: Page, type: string, count = 1) =>
  page.waitForFunction(
    (type, count) => (globalThis as unknown as Heard).heard.filter((event) => event.type === type).length >= count,
    {},
    type,
    count,
  );

describe("a saved model", () => {
  test("loads, fires its event, and its position can be read and set", async () => {
    const page = await open("one.html");
    await waitFor(page, "webvae-load");
    const [{ detail }] = (await heard(page, "webvae-load")) as [Heard["heard"][number]];
    expect(detail["spec"]).toMatchObject({ input: [28, 28, 1], latent: 2 });
    await byRole(page, "button", "7");
    const latent = await page.$eval("webvae-explorer", (it) => {
      const explorer = it as unknown as { latent: Float32Array };
      explorer.latent = Float32Array.from([0.5, -1]);
      return [...explorer.latent];
    });
    expect(latent).toEqual([0.5, -1]);
    const moves = await page.evaluate(() =>
      (globalThis as unknown as Heard).heard
        .filter(({ type }) => type === "webvae-latent")
        .map(({ detail }) => [...(detail["z"] as Float32Array)]),
    );
    expect(moves).toEqual([[0.5, -1]]);
    await page.$eval("webvae-explorer", (it) => it.setAttribute("tab", "draw"));
    const drawn = await byRole(page, "tab", "Draw");
    expect(await drawn.evaluate((it) => it.getAttribute("aria-selected"))).toBe("true");
    expect(troubles()).toEqual([]);
  });

  test("two on a page: each has its own position, section and theme", async () => {
    const page = await open("two.html");
    await waitFor(page, "webvae-load", 2);
    const read = await page.evaluate(() => {
      const [a, b] = ["a", "b"].map((id) => document.getElementById(id) as HTMLElement & { latent: Float32Array });
      a!.latent = Float32Array.from([1, 1]);
      const selected = (it: HTMLElement) => it.shadowRoot!.querySelector('[aria-selected="true"]')!.textContent;
      return { b: [...b!.latent], tabs: [selected(a!), selected(b!)], scheme: getComputedStyle(b!).colorScheme };
    });
    expect(read).toEqual({ b: [0, 0], tabs: ["Explore", "Map"], scheme: "dark" });
    expect(await faultsOf(page)).toEqual([]);
    await untilDrawn(page, "#a", ".what .picture");
    await untilDrawn(page, "#b", ".picture-grid > .picture");
    await shoot(page, "two-on-a-page");
    expect(troubles()).toEqual([]);
  });

  test("releases the GPU when it leaves the document, keeps it when moved, and loads again when it returns", async () => {
    const page = await open("one.html");
    await waitFor(page, "webvae-load");
    const lost = await page.evaluate(async () => {
      const it = document.querySelector("webvae-explorer") as HTMLElement & { vae?: { gpuDevice: GPUDevice } };
      const { gpuDevice } = it.vae!;
      let gone = false;
      void gpuDevice.lost.then(() => (gone = true));
      document.body.append(it);
      await new Promise((done) => setTimeout(done, 300));
      const moved = gone || it.vae?.gpuDevice !== gpuDevice;
      it.remove();
      await gpuDevice.lost;
      const left = it.vae;
      document.body.append(it);
      return { moved, left: left === undefined };
    });
    expect(lost).toEqual({ moved: false, left: true });
    await waitFor(page, "webvae-load", 2);
    await inside(page, ".pad");
    expect(troubles()).toEqual([]);
  });

  test("shows an existing VAE without a file, which its owner must dispose of", async () => {
    const page = await open("given.html");
    await page.waitForFunction("'library' in globalThis");
    const alive = await page.evaluate(async () => {
      const { VAE, models } = (globalThis as unknown as { library: typeof import("webvae") }).library;
      const vae = await VAE.create(models.minimal([28, 28, 1], 3), { tuning: false });
      const it = document.querySelector("webvae-explorer") as HTMLElement & { vae?: unknown };
      const loaded = new Promise((done) => it.addEventListener("webvae-load", done, { once: true }));
      it.vae = vae;
      await loaded;
      it.remove();
      await new Promise((done) => setTimeout(done, 100));
      const { length } = await vae.sample(1);
      vae.dispose();
      return length;
    });
    expect(alive).toBe(784);
    expect(troubles()).toEqual([]);
  });
});

describe("if it cannot work, it shows the reason", () => {
  test.each([
    ["missing.html", "DOWNLOAD_FAILED", /the server responded with 404/],
    ["page.html", "INVALID_FILE", /Not a valid safetensors file: its header/],
    ["cut.html", "INVALID_FILE", /ends at byte \d+ of the data, which has \d+/],
    ["layers.html", "INVALID_FILE", /model_spec is invalid.*trick/],
    ["hostile.html", "INVALID_FILE", /header/],
    ["other-data.html", "INVALID_DATA", /64 x 64 x 3.*28 x 28 x 1/],
    ["no-data.html", "INVALID_ATTRIBUTE", /digits, sprites or gaussians, not "cats"/],
  ])("%s: %s", async (path, code, message) => {
    const page = await open(path);
    await waitFor(page, "webvae-error");
    const [{ detail }] = (await heard(page, "webvae-error")) as [Heard["heard"][number]];
    expect(detail["code"]).toBe(code);
    expect(detail["message"]).toMatch(message);
    const card = await inside(page, "[role=alert]");
    expect(await card.evaluate((it) => it.textContent)).toContain(code);
    expect(await heard(page, "webvae-load")).toEqual([]);
    if (path === "missing.html") {
      await shoot(page, "missing");
      expect(await faultsOf(page)).toEqual([]);
    }
  });

  test("no WebGPU", async () => {
    const page = await open("one.html", {}, () => {
      Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined });
    });
    await waitFor(page, "webvae-error");
    const [{ detail }] = (await heard(page, "webvae-error")) as [Heard["heard"][number]];
    expect(detail["code"]).toBe("NO_WEBGPU");
    expect(await (await inside(page, ".fault-title")).evaluate((it) => it.textContent)).toMatch(
      /does not support WebGPU/,
    );
  });

  test("a lost GPU, with a button to try again", async () => {
    const page = await open("one.html");
    await waitFor(page, "webvae-load");
    // Like a driver reset, not the page's own destroy(), which is visible in the reason.
    await page.$eval("webvae-explorer", (it) => {
      const { gpuDevice } = (it as unknown as { vae: { gpuDevice: GPUDevice } }).vae;
      gpuDevice.destroy();
    });
    await page.evaluate(() => {
      (document.querySelector("webvae-explorer") as unknown as { latent: Float32Array }).latent = Float32Array.from([
        1, 0,
      ]);
    });
    await waitFor(page, "webvae-error");
    const [{ detail }] = (await heard(page, "webvae-error")) as [Heard["heard"][number]];
    expect(detail["code"]).toBe("DEVICE_LOST");
  });
});

test.skipIf(inFirefox)("the example's page works in light and dark mode, wide and narrow", async () => {
  const server = await serveExamples();
  try {
    for (const [width, scheme] of [
      [1280, "light"],
      [360, "dark"],
    ] as const) {
      watched = await watch(await lab.browser.newPage());
      const { page } = watched;
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.setViewport({ width, height: 760 });
      await page.goto(`${server.url}explorer/`);
      await byRole(page, "button", "7");
      await page.waitForFunction(() => {
        const canvas = document
          .querySelector("webvae-explorer")
          ?.shadowRoot?.querySelector<HTMLCanvasElement>(".what canvas");
        if (!canvas) return false;
        // Something is drawn on it. Checked on a copy, because requesting a context would fix the canvas's context
        // forever.
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d")!;
        copy.drawImage(canvas, 0, 0);
        return copy.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[3] === 255;
      });
      await shoot(page, `example-${width}-${scheme}`);
      expect(await faultsOf(page)).toEqual([]);
      expect(troubles()).toEqual([]);
      await page.close();
      watched = undefined;
    }
  } finally {
    server.close();
  }
});

test("importing the module without a document does not throw", async () => {
  const { libraryFiles } = await import("../../demo/serve.mjs");
  const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const { execFileSync } = await import("node:child_process");
  const folder = mkdtempSync(join(tmpdir(), "webvae-explorer-"));
  try {
    for (const [path, text] of await libraryFiles()) {
      if (path.endsWith(".js")) writeFileSync(join(folder, path.slice("/dist/".length)), text);
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const code = 'import("./explorer.js").then((all) => console.log(Object.keys(all).sort().join()))';
    const out = execFileSync(process.execPath, ["-e", code], { cwd: folder, encoding: "utf8" });
    expect(out.trim()).toBe("LatentExplorer,RemoteFault,WebvaeExplorerElement,localModel,remoteModel,serveModel");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
