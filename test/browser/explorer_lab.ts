// Chrome with pages of the explorer: mounted by a script, and as a tag. Served under the strict policy of the demo.
import type { Browser, ElementHandle, Page } from "puppeteer";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, afterEach, beforeAll } from "vitest";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { inFirefox, launchBrowser } from "../../node/browser.mjs";
import { PATIENCE, byRole, untilEqual, watch, type Watched } from "./harness.js";
import type { Explored } from "./pages/explorer.js";

const root = join(import.meta.dirname, "../..");
export const artefacts = join(root, "test/artefacts");

const html = (body: string) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1"><title>Explorer</title>
  <link rel="icon" href="data:,"><link rel="stylesheet" href="/lab.css"></head>
  <body><main><h1>Explorer</h1>${body}</main></body></html>`;

const css = `:root { color-scheme: light dark } body { margin: 16px; background: light-dark(#faf9f6, #101217);
  color: light-dark(#1a1d23, #eceef2); font-family: system-ui, sans-serif } h1 { font-size: 20px; margin: 0 0 12px }`;

export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly still?: boolean;
}

export class ExplorerLab {
  private constructor(
    readonly browser: Browser,
    readonly url: string,
    private readonly server: { close: () => void },
  ) {}

  /** `more` are the test's own files, by path. */
  static async open(more: ReadonlyMap<string, Buffer | string> = new Map()): Promise<ExplorerLab> {
    const folder = join(import.meta.dirname, "pages");
    const names = readdirSync(folder).filter((name) => name.startsWith("explorer"));
    const starting = launchBrowser({ canvas: true });
    const scripts = await bundleScripts(names.map((name) => join(folder, name)));
    const model = readFileSync(join(root, "examples/explorer/digits.safetensors"));
    const files = new Map<string, Buffer | string>([
      ...scripts,
      ...(await libraryFiles()),
      ["/mounted.html", html(`<div id="root"></div><script type="module" src="/explorer.js"></script>`)],
      ["/lab.css", css],
      ["/digits.safetensors", model],
      ...[...more].map(([path, body]) => [path, path.endsWith(".html") ? html(String(body)) : body] as const),
    ]);
    mkdirSync(artefacts, { recursive: true });
    const server = await serve(files);
    return new ExplorerLab(await starting, server.url, server);
  }

  async page(path: string, view: View = {}): Promise<Watched> {
    const watched = await watch(await this.browser.newPage());
    const { page } = watched;
    if (!inFirefox) {
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: view.dark ? "dark" : "light" },
        { name: "prefers-reduced-motion", value: view.still ? "reduce" : "no-preference" },
      ]);
    } else if (view.dark || view.still) throw new Error("puppeteer emulates no media in Firefox");
    await page.setViewport({ width: view.width ?? 1280, height: view.height ?? 800 });
    await page.goto(this.url + path);
    return watched;
  }

  /** A mounted explorer that has its first picture and the examples' positions. */
  async mounted(query: string, view: View = {}): Promise<Watched> {
    const watched = await this.page(`mounted.html?${query}`, view);
    await watched.page.waitForSelector("body[data-done]");
    await settled(watched.page);
    return watched;
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }
}

/** Explorers for one file's tests, each on a page that is closed with its test. */
export function explorerPages() {
  let lab: ExplorerLab;
  let watched: Watched | undefined;
  const close = async () => {
    await watched?.page.close();
    watched = undefined;
  };
  beforeAll(async () => void (lab = await ExplorerLab.open()));
  afterEach(close);
  afterAll(() => lab?.close());
  return {
    open: async (query: string, view?: View): Promise<Page> => (watched = await lab.mounted(query, view)).page,
    troubles: () => watched!.troubles,
    close,
  };
}

/** Waits until the model has answered all requests, and no answer or resize has led to more. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { underWay } = (globalThis as unknown as { explored: Explored }).explored;
    for (let quiet = 0; quiet < 4; quiet = underWay() === 0 ? quiet + 1 : 0) {
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
  });
}

/** Runs on the page, with access to its explorer. */
export const explored = <Result>(page: Page, read: (explored: Explored) => Result | Promise<Result>): Promise<Result> =>
  page.evaluate(`(${read.toString()})(explored)`) as Promise<Result>;

export const latentOf = (page: Page) => explored(page, ({ explorer }) => [...explorer.latent]);

/** Whether the text of the explorer's element matches. */
export const untilWords = (page: Page, selector: string, pattern: RegExp, not = "") =>
  page.waitForFunction(
    (selector, source, not) => {
      const text = document.querySelector("#root > div")?.shadowRoot?.querySelector(selector)?.textContent ?? "";
      return new RegExp(source).test(text) && text !== not;
    },
    {},
    selector,
    pattern.source,
    not,
  );

export const openTab = async (page: Page, name: string): Promise<void> => {
  await (await byRole(page, "tab", name)).click();
  await settled(page);
};

/** The first element in a shadow root. */
export async function inside(page: Page, selector: string): Promise<ElementHandle<HTMLElement>> {
  return (await page.waitForSelector(`>>> ${selector}`)) as ElementHandle<HTMLElement>;
}

/** A screenshot of an element, for comparison. */
export const seen = async (page: Page, selector: string): Promise<string> =>
  (await inside(page, selector)).screenshot({ encoding: "base64" });

/** A screenshot that differs from the given one: a worker's drawing reaches the page a little later. */
export async function seenOther(page: Page, selector: string, than: string): Promise<string> {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const now = await seen(page, selector);
    if (now !== than) return now;
  }
  throw new Error(`${selector} still looks the same`);
}

/** Waits until the visible part of that element has more than the few colours of an empty picture. */
export async function untilDrawn(page: Page, host: string, selector: string): Promise<void> {
  const within = (host: string, selector: string) => {
    const found = document.querySelector(host)!.shadowRoot!.querySelectorAll(selector);
    return [...found].find((element) => element.checkVisibility());
  };
  const element = (await page.evaluateHandle(within, host, selector)).asElement()!;
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const { data } = PNG.sync.read(Buffer.from(await element.screenshot()));
    if (new Set(new Uint32Array(Uint8Array.from(data).buffer)).size > 16) return;
  }
  throw new Error(`${selector} in ${host} is blank`);
}

/** The middle of an element, and its size. */
export async function boxOf(page: Page, selector: string) {
  const handle = await inside(page, selector);
  await handle.scrollIntoView();
  const box = (await handle.boundingBox())!;
  return { ...box, at: (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const };
}

export async function drawThree(page: Page): Promise<void> {
  const { at } = await boxOf(page, ".ink");
  const turn = (from: number, to: number, cy: number) =>
    Array.from({ length: 12 }, (_, i) => {
      const angle = ((from + ((to - from) * i) / 11) * Math.PI) / 180;
      return [0.48 + 0.19 * Math.cos(angle), cy + 0.17 * Math.sin(angle)] as const;
    });
  const points = [...turn(-150, 90, 0.33), ...turn(-90, 150, 0.67)];
  await page.mouse.move(...at(...points[0]!));
  await page.mouse.down();
  for (const point of points) await page.mouse.move(...at(...point), { steps: 3 });
  await page.mouse.up();
}

/** Waits until nothing extends beyond the screen, once the size observers have run. */
export const untilFits = (page: Page, what: string): Promise<void> =>
  untilEqual(() => page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)), 0, what);

/** Checks that no tab is scrolled out of sight. */
export async function untilTabsFit(page: Page, what: string): Promise<void> {
  const list = await inside(page, "[role=tablist]");
  await untilEqual(() => list.evaluate((tabs) => tabs.scrollWidth - tabs.clientWidth), 0, `tabs, ${what}`);
}

export const shoot = (page: Page, name: string) =>
  page.screenshot({ path: join(artefacts, `explorer-${name}.png`), fullPage: true });
