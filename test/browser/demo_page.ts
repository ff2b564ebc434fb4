// The demo page in Chrome, opened and used like a visitor would.
import { EventEmitter, once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  watch as watchFolder,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import type { Browser, BrowserContext, CDPSession, Page } from "puppeteer";
import { expect } from "vitest";
import { serveDemo } from "../../demo/serve.mjs";
import { inFirefox, launchBrowser } from "../../node/browser.mjs";
import { PATIENCE, watch, type Watched } from "./harness.js";

export interface Opened extends Watched {
  /** For the test's own files, and the page's downloads. */
  readonly folder: string;
  /** Emits "done" with a Download when the page has finished downloading a file. */
  readonly downloads: EventEmitter;
}

interface Download {
  readonly name: string;
  readonly path: string;
}

interface OpenOptions {
  /** Runs on the page before any script of its own. */
  readonly prepare?: (() => void) | string;
  /** The state to wait for. */
  readonly state?: string;
  /** A browser profile, to share what is stored in it. */
  readonly context?: BrowserContext;
  readonly url?: string;
  /** Whether to wait for the model's pictures. */
  readonly pictures?: boolean;
}

export class Demo {
  readonly #folders: string[] = [];

  private constructor(
    readonly browser: Browser,
    readonly server: Awaited<ReturnType<typeof serveDemo>>,
    private readonly downloadFolder: string,
  ) {
    this.#folders.push(downloadFolder);
  }

  static async start(): Promise<Demo> {
    // For screenshots; a new clone has no such folder.
    mkdirSync("test/artefacts", { recursive: true });
    const downloads = mkdtempSync(join(tmpdir(), "webvae-downloads-"));
    return new Demo(...(await Promise.all([launchBrowser({ downloads }), serveDemo()])), downloads);
  }

  /** A page at `hash`, ready to train unless `state` is something else. */
  async open(
    hash = "",
    { prepare, state = "ready", context, url = this.server.url, pictures = true }: OpenOptions = {},
  ): Promise<Opened> {
    const own = context ?? (await this.browser.createBrowserContext());
    const watched = await watch(await own.newPage());
    const { page } = watched;
    const folder = mkdtempSync(join(tmpdir(), "webvae-demo-"));
    this.#folders.push(folder);
    const downloads = inFirefox
      ? followFolder(this.downloadFolder, folder, page)
      : await follow(await page.createCDPSession(), folder, own.id);
    if (prepare) await page.evaluateOnNewDocument(prepare);
    await page.setViewport({ width: 1440, height: 900 });
    await page.goto(url + hash);
    await inState(page, state);
    if (state === "ready" && pictures) await page.waitForSelector("body[data-shown]");
    return { ...watched, folder, downloads };
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Firefox reports no downloads, so files that appear in its folder `from` are moved to `to`. One page at a time. */
function followFolder(from: string, to: string, page: Page): EventEmitter {
  const downloads = new EventEmitter();
  const watcher = watchFolder(from, () => {
    for (const name of readdirSync(from)) {
      // Until it is complete, it is a .part next to an empty file.
      const path = join(from, name);
      if (name.endsWith(".part") || existsSync(`${path}.part`) || statSync(path).size === 0) continue;
      const moved = join(to, `${readdirSync(to).length} ${name}`);
      renameSync(path, moved);
      downloads.emit("done", { name, path: moved } satisfies Download);
    }
  });
  page.once("close", () => watcher.close());
  return downloads;
}

/** Downloads go to the folder, under names that Chrome chooses. */
async function follow(session: CDPSession, folder: string, context?: string): Promise<EventEmitter> {
  const downloads = new EventEmitter();
  const names = new Map<string, string>();
  session.on("Browser.downloadWillBegin", ({ guid, suggestedFilename }) => names.set(guid, suggestedFilename));
  session.on("Browser.downloadProgress", ({ guid, state }) => {
    const name = names.get(guid);
    if (state === "completed" && name) downloads.emit("done", { name, path: join(folder, guid) } satisfies Download);
  });
  await session.send("Browser.setDownloadBehavior", {
    behavior: "allowAndName",
    downloadPath: folder,
    eventsEnabled: true,
    ...(context ? { browserContextId: context } : {}),
  });
  return downloads;
}

/** Throws the page's error if it could not start at all, since then no state would ever come. */
export async function inState(page: Page, state: string): Promise<void> {
  const found = await page.waitForFunction(
    (wanted) => {
      if (document.body.dataset["state"] === wanted) return "there";
      const unstarted = document.getElementById("fault-code")?.textContent === "NOT_STARTED";
      return unstarted && document.getElementById("fault-message")!.textContent;
    },
    { polling: "mutation" },
    state,
  );
  const said = await found.jsonValue();
  if (said !== "there") throw new Error(`the page did not start: ${said}`);
}

/** Waits until the steps under way when training was paused are done and counted. */
export const untilStill = (page: Page) => page.waitForSelector('body[data-still="true"]');

/** Waits until an element's text matches. Returns the text. */
export async function untilText(page: Page, id: string, pattern: RegExp): Promise<string> {
  const found = await page.waitForFunction(
    (id, source) => {
      const text = document.getElementById(id)!.textContent.trim();
      return new RegExp(source).test(text) && { text };
    },
    { polling: 100 },
    id,
    pattern.source,
  );
  return ((await found.jsonValue()) as { text: string }).text;
}

/** Waits until the model after this many steps is saved in the browser. */
export const untilKept = (page: Page, steps: number) =>
  untilText(page, "autosave", new RegExp(`^Saved in this browser at [\\d:]+ after ${steps} steps?\\.`));

/** The settings in the address; puppeteer's own copy of it lags behind. */
export const hashOf = (page: Page) => page.evaluate(() => location.hash);

export const text = (page: Page, id: string) => page.$eval(`#${id}`, (element) => element.textContent.trim());
export const shown = (page: Page, id: string) => page.$eval(`#${id}`, (element) => element.checkVisibility());

/** The error that the page shows. */
export const faultOf = async (page: Page) => ({
  title: await text(page, "fault-title"),
  message: await text(page, "fault-message"),
  code: await text(page, "fault-code"),
});

/** Steps done, from the text next to the progress bar and the step within the epoch. */
export async function stepsDone(page: Page): Promise<number> {
  const position = await text(page, "position");
  const [, epoch, step, all] = /epoch (\d+) of \d+, step (\d+) of (\d+)/i.exec(position) ?? [];
  if (!epoch) throw new Error(`no position: ${position}`);
  return (Number(epoch) - 1) * Number(all) + Number(step);
}

/** Waits until at least `steps` steps of the first epochs are done. */
export const untilStep = (page: Page, steps: number) =>
  page.waitForFunction(
    (wanted) => {
      const position = document.getElementById("position")!.textContent;
      const [, epoch, step, all] = /epoch (\d+) of \d+, step (\d+) of (\d+)/i.exec(position) ?? [];
      return epoch !== undefined && (Number(epoch) - 1) * Number(all) + Number(step) >= wanted;
    },
    { polling: 100 },
    steps,
  );

export async function train(page: Page, steps: number): Promise<void> {
  await page.click("#play");
  await untilStep(page, steps);
  await page.click("#play");
  await inState(page, "paused");
  await untilStill(page);
}

/** Types a value into a field, as a visitor who has selected what was there. */
export async function fill(page: Page, id: string, value: string): Promise<void> {
  await page.click(`#${id}`);
  await page.$eval(`#${id}`, (input) => (input as HTMLInputElement).select());
  await page.keyboard.type(value);
  await page.keyboard.press("Tab");
}

/** The file that the page downloads when `button` is clicked. */
export async function downloaded(
  { page, downloads }: Opened,
  button: string,
): Promise<{ name: string; bytes: Buffer }> {
  const [[{ name, path }]] = await Promise.all([
    once(downloads, "done", { signal: AbortSignal.timeout(PATIENCE) }) as Promise<[Download]>,
    page.click(`#${button}`),
  ]);
  return { name, bytes: readFileSync(path) };
}

/** The pictures on a sheet made by the page, values from 0 to 1. */
export function picturesOf(bytes: Buffer, side: number, columns: number, rows: number): Float32Array[] {
  const { width, height, data } = PNG.sync.read(bytes);
  const scale = Math.round(width / (columns * side + 2 * (columns - 1)));
  expect([width, height]).toEqual([
    scale * (columns * side + 2 * (columns - 1)),
    scale * (rows * side + 2 * (rows - 1)),
  ]);
  return Array.from({ length: columns * rows }, (_, index) => {
    const [left, top] = [(index % columns) * (side + 2), Math.floor(index / columns) * (side + 2)];
    return Float32Array.from({ length: side * side }, (_, i) => {
      const [x, y] = [left + (i % side), top + Math.floor(i / side)].map((at) => at * scale + (scale >> 1));
      return data[4 * (y! * width + x!)]! / 255;
    });
  });
}

/** An element's appearance, for comparison. */
export async function looks(page: Page, selector: string): Promise<string> {
  const element = await page.waitForSelector(selector);
  return await element!.screenshot({ encoding: "base64" });
}

/** Its appearance once it has been stable for a while. */
export async function looksStill(page: Page, selector: string): Promise<string> {
  for (let last = ""; ;) {
    const now = await looks(page, selector);
    if (now === last) return now;
    last = now;
    await new Promise((done) => setTimeout(done, 500));
  }
}

/** Its appearance once it differs from the given one. */
export async function looksOther(page: Page, selector: string, than: string): Promise<string> {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const now = await looks(page, selector);
    if (now !== than) return now;
  }
  throw new Error(`${selector} still looks the same`);
}
