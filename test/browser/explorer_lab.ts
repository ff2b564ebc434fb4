// Chrome with pages of the explorer: mounted by a script, and as a tag. Served under the strict policy of the demo.
import type { Browser, ElementHandle, Page } from "puppeteer";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { launchChrome } from "../../node/chrome.mjs";
import { watch, type Watched } from "./harness.js";
import type { Explored } from "./pages/explorer.js";

const root = join(import.meta.dirname, "../..");
export const artefacts = join(root, "test/artefacts");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

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

  /** `more` are files of the test's own, by their paths. */
  static async open(more: ReadonlyMap<string, Buffer | string> = new Map()): Promise<ExplorerLab> {
    const folder = join(import.meta.dirname, "pages");
    const names = readdirSync(folder).filter((name) => name.startsWith("explorer"));
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
    return new ExplorerLab(await launchChrome({ canvas: true }), server.url, server);
  }

  async page(path: string, view: View = {}): Promise<Watched> {
    const watched = await watch(await this.browser.newPage());
    const { page } = watched;
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: view.dark ? "dark" : "light" },
      { name: "prefers-reduced-motion", value: view.still ? "reduce" : "no-preference" },
    ]);
    await page.setViewport({ width: view.width ?? 1280, height: view.height ?? 800 });
    await page.goto(this.url + path);
    return watched;
  }

  /** A mounted explorer that shows its first picture. */
  async mounted(query: string, view: View = {}): Promise<Watched> {
    const watched = await this.page(`mounted.html?${query}`, view);
    await watched.page.waitForSelector("body[data-done]");
    await watched.page.waitForFunction(() => {
      const { drawn, model } = (globalThis as unknown as { explored: Explored }).explored;
      return drawn.length > 0 || model.spec.input.length === 1;
    });
    await settled(watched.page);
    return watched;
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }
}

/** Waits until nothing has been drawn for a while. */
export async function settled(page: Page, pause = 400): Promise<void> {
  await page.evaluate(async (pause) => {
    const drawn = (globalThis as unknown as { explored?: Explored }).explored?.drawn ?? [];
    for (let last = -1; last !== drawn.length;) {
      last = drawn.length;
      await new Promise((done) => setTimeout(done, pause));
    }
  }, pause);
}

/** Something in the explorer's shadow root, by its role and name. */
export async function byRole(page: Page, role: string, name: string): Promise<ElementHandle<HTMLElement>> {
  const found = await page.waitForSelector(`::-p-aria([name="${name}"][role="${role}"])`, { timeout: 60_000 });
  return found as ElementHandle<HTMLElement>;
}

export const openTab = async (page: Page, name: string): Promise<void> => {
  await (await byRole(page, "tab", name)).click();
  await settled(page);
};

/** The first element in a shadow root. */
export async function inside(page: Page, selector: string): Promise<ElementHandle<HTMLElement>> {
  return (await page.waitForSelector(`>>> ${selector}`, { timeout: 60_000 })) as ElementHandle<HTMLElement>;
}

/** A picture of an element's pixels as the visitor sees them, for comparing. */
export const seen = async (page: Page, selector: string): Promise<string> =>
  (await inside(page, selector)).screenshot({ encoding: "base64" });

/** What axe-core finds wrong: rule and elements. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown; failureSummary?: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) =>
      [id, ...nodes.map(({ target, failureSummary }) => `${JSON.stringify(target)} ${failureSummary}`)].join("\n  "),
    );
  });
}

/** How far the page can be scrolled sideways. */
export const scrolledSideways = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

export const shoot = (page: Page, name: string) =>
  page.screenshot({ path: join(artefacts, `explorer-${name}.png`), fullPage: true });
