// Crashes the GPU process of a headless Chrome while calls are under way on a page: each must end with an appropriate
// error, and the last copy from a training run must load in another browser.
import type { Browser, Page } from "puppeteer";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { launchChrome } from "../../node/chrome.mjs";
import { RandomSequence, Stream } from "../../src/random.js";
import { textOf } from "./errors.js";
import type { Ending, PageFunctions, Rescue } from "./crash_page.js";

export interface CrashWalk {
  readonly name: string;
  /** Crashes. */
  runs: number;
  /** Calls that were under way. */
  calls: number;
  /** The number of those that succeeded all the same. */
  unharmed: number;
  /** Counts by the code they ended with. */
  readonly codes: Record<string, number>;
  /** The longest time that a call took to end, in milliseconds since the page was notified of the crash. */
  slowestMs: number;
  /** Lost training runs, and how many of them had their weights saved and loaded elsewhere. */
  trainings: number;
  rescued: number;
  readonly untyped: string[];
  readonly hanging: string[];
  readonly wrong: string[];
}

export interface CrashOptions {
  readonly count: number;
  readonly seed: number;
}

/** Allowed error codes for a call on a lost device, and for one that requests a device meanwhile. */
const lostCodes = ["DEVICE_LOST"];
const openingCodes = [...lostCodes, "NO_ADAPTER", "DEVICE_REFUSED", "TIMEOUT"];

const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>crashes</title><link rel="icon" href="data:,">
  <script type="module" src="crash_page.js"></script></html>`;

/** With Chrome's own command, or by killing the process. */
async function crashGpu(browser: Browser, kill: boolean): Promise<void> {
  const session = await browser.target().createCDPSession();
  if (kill) {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const gpu = processInfo.find(({ type }) => type === "GPU");
    if (!gpu) throw new Error("this browser has no GPU process");
    process.kill(gpu.id, "SIGKILL");
  } else {
    // Nobody answers if the GPU process should have.
    void session.send("Browser.crashGpuProcess").catch(() => {});
  }
}

async function opened(browser: Browser, url: string): Promise<{ page: Page; heard: string[] }> {
  const page = await browser.newPage();
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(textOf(error)));
  await page.goto(url);
  await page.waitForFunction("'pageFunctions' in globalThis");
  return { page, heard };
}

/** Calls a function on the page, which returns JSON. */
function call<Name extends keyof PageFunctions>(
  page: Page,
  name: Name,
  ...inputs: Parameters<PageFunctions[Name]>
): Promise<Awaited<ReturnType<PageFunctions[Name]>>> {
  return page.evaluate(
    (wanted, given) => {
      const functions = (globalThis as unknown as { pageFunctions: Record<string, (...all: unknown[]) => unknown> })
        .pageFunctions;
      return functions[wanted]!(...given);
    },
    name,
    inputs,
  ) as Promise<Awaited<ReturnType<PageFunctions[Name]>>>;
}

function judge(walk: CrashWalk, what: string, endings: readonly Ending[]): void {
  for (const { call: name, code, message, hangs, ms } of endings) {
    walk.calls++;
    const where = `${what}: ${name}`;
    if (hangs) {
      walk.hanging.push(`${where}, ${ms} ms after the crash`);
      continue;
    }
    walk.slowestMs = Math.max(walk.slowestMs, ms);
    if (message === undefined) {
      walk.unharmed++;
      // Calls that need the lost device cannot succeed; save returns the last copy, and load has its own device.
      if (!name.startsWith("create") && !["save", "load"].includes(name))
        walk.wrong.push(`${where}: a result on a lost device`);
      continue;
    }
    const codes = name.startsWith("create") || name === "load" ? openingCodes : lostCodes;
    const said = code ?? "untyped";
    walk.codes[said] = (walk.codes[said] ?? 0) + 1;
    if (!codes.includes(said)) walk.untyped.push(`${where}: ${message.slice(0, 400)}`);
  }
}

/** Loads training's last copy in a healthy browser. */
async function judgeRescue(
  walk: CrashWalk,
  what: string,
  { promised, file, refused }: Rescue,
  well: Page,
): Promise<void> {
  walk.trainings++;
  if (!file) {
    if (refused?.code !== "DEVICE_LOST") walk.untyped.push(`${what}: save afterwards: ${refused?.message}`);
    if (promised !== undefined) walk.wrong.push(`${what}: ${promised} steps were promised, and cannot be saved`);
    return;
  }
  const { steps, elbo, more } = await call(well, "revive", file);
  if (promised !== undefined && steps !== promised)
    walk.wrong.push(`${what}: ${promised} steps were promised, ${steps} saved`);
  if (!Number.isFinite(elbo) || more !== 3)
    walk.wrong.push(`${what}: loaded, its ELBO is ${elbo}, and it trains ${more} of 3 steps`);
  walk.rescued++;
}

/** The same seed gives the same kinds of calls and waits before the crash. */
export async function walkCrashes({ count, seed }: CrashOptions): Promise<CrashWalk> {
  const walk: CrashWalk = {
    ...{ name: "the GPU process crashes", runs: 0, calls: 0, unharmed: 0, codes: {}, slowestMs: 0 },
    ...{ trainings: 0, rescued: 0, untyped: [], hanging: [], wrong: [] },
  };
  const scripts = await bundleScripts([new URL("crash_page.ts", import.meta.url).pathname]);
  const files = new Map<string, Buffer | string>([["/", html], ...scripts, ...(await libraryFiles())]);
  const server = await serve(files);
  const wellBrowser = await launchChrome();
  try {
    const well = (await opened(wellBrowser, server.url)).page;
    const kinds = (await well.evaluate("crashKinds")) as string[];
    const random = new RandomSequence(seed, Stream.data);
    for (let i = 0; i < count; i++) {
      const kind = kinds[(i + seed) % kinds.length]!;
      const [owned, kill] = [random.integer(2) === 0, random.integer(2) === 0];
      const what = `crash ${i} of seed ${seed}, ${kind}, ${owned ? "its own" : "the page's"} device, ${kill ? "killed" : "crashed"}`;
      // A new browser each time, because Chrome gives a page no GPU after a few crashes.
      const browser = await launchChrome();
      try {
        const { page, heard } = await opened(browser, server.url);
        await call(page, "begin", kind, i, owned);
        await new Promise((done) => setTimeout(done, 1500 * random.uniform()));
        await crashGpu(browser, kill);
        const endings = await call(page, "endings");
        walk.runs++;
        judge(walk, what, endings);
        if (kind.startsWith("train")) {
          const messages = endings.map(({ message = "" }) => message);
          await judgeRescue(walk, what, await call(page, "rescue", messages), well);
        }
        walk.untyped.push(...heard.map((text) => `${what}: uncaught ${text}`));
      } finally {
        await browser.close();
      }
    }
  } finally {
    await wellBrowser.close();
    server.close();
  }
  return walk;
}
