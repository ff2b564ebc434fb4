// Chrome with pages that use the bundle as any page would: over http, under a strict policy, through its public API.
import type { Browser, ElementHandle, Page } from "puppeteer";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { inFirefox, launchBrowser } from "../../node/browser.mjs";
import type * as cases from "./pages/cases.js";

export type CaseName = keyof typeof cases;
export type CaseResult<Name extends CaseName> = Awaited<ReturnType<(typeof cases)[Name]>>;

/** Milliseconds that a condition may take to become true. Only failing tests wait this long; busy machines are slow. */
export const PATIENCE = 240_000;

/** A page, and its errors that no promise reports: console errors, uncaught errors, failed requests. */
export interface Watched {
  readonly page: Page;
  readonly troubles: string[];
}

export async function watch(page: Page): Promise<Watched> {
  const troubles: string[] = [];
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    // WebGPU errors outside error scopes arrive as warnings.
    if (["error", "warn"].includes(message.type())) troubles.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`uncaught: ${String(error)}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    // Chrome also reports this for a response whose body the page has read completely.
    if (why === "net::ERR_ABORTED" && request.response()?.ok()) return;
    troubles.push(`failed: ${request.url()} ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()}: ${response.url()}`);
  });
  // Every device's uncaptured errors, before any script of the page runs.
  await page.evaluateOnNewDocument(() => {
    type Request = (this: GPUAdapter, ...options: unknown[]) => Promise<GPUDevice>;
    const requestDevice = Reflect.get(GPUAdapter.prototype, "requestDevice") as Request;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      const device = await requestDevice.apply(this, options);
      device.addEventListener("uncapturederror", ({ error }) => console.error(`uncaptured: ${error.message}`));
      Object.assign(globalThis, { lastDevice: device });
      return device;
    };
  });
  return { page, troubles };
}

const elements = { button: "button", tab: "[role=tab]", radio: "input[type=radio]", slider: "input[type=range]" };
type Role = keyof typeof elements;

const inAccessibilityTree = (role: Role, name: string) => `::-p-aria([name="${name}"][role="${role}"])`;

/** Runs on the page. The visible elements with this selector and name, in any shadow root. */
function findNamed(selector: string, name: string): Element | undefined {
  const nameOf = (it: Element) =>
    it.getAttribute("aria-label") ?? ((it as HTMLInputElement).labels?.[0] ?? it).textContent;
  const find = (root: Document | ShadowRoot): Element | undefined => {
    for (const it of root.querySelectorAll("*")) {
      if (it.matches(selector) && it.checkVisibility() && nameOf(it).trim() === name) return it;
      const inner = it.shadowRoot && find(it.shadowRoot);
      if (inner) return inner;
    }
    return undefined;
  };
  return find(document);
}

/** An element by role and name. Puppeteer uses Chrome's accessibility tree; Firefox's lacks shadow roots. */
export async function byRole(page: Page, role: Role, name: string): Promise<ElementHandle<HTMLElement>> {
  const found = inFirefox
    ? await page.waitForFunction(findNamed, {}, elements[role], name)
    : await page.waitForSelector(inAccessibilityTree(role, name));
  return found as ElementHandle<HTMLElement>;
}

/** Whether there is nothing of this role and name. */
export async function lacks(page: Page, role: Role, name: string): Promise<boolean> {
  if (!inFirefox) return (await page.$(inAccessibilityTree(role, name))) === null;
  return (await page.evaluateHandle(findNamed, elements[role], name)).asElement() === null;
}

/** Waits until the condition holds; if it never does, reports the actual value. */
export async function untilEqual<T>(read: () => Promise<T>, wanted: T, what: string): Promise<void> {
  await vi.waitFor(async () => expect(await read(), what).toEqual(wanted), { timeout: PATIENCE, interval: 50 });
}

/** Files of which a server may temporarily lack some. */
class Files extends Map<string, Buffer | string> {
  missing = "";
  readonly asked: string[] = [];

  override get(path: string): Buffer | string | undefined {
    if (path === "/online") {
      this.missing = "";
      return "it has all of them again";
    }
    this.asked.push(path);
    return path === this.missing ? undefined : super.get(path);
  }
}

export class Lab {
  private constructor(
    readonly browser: Browser,
    private readonly server: { url: string; close: () => void },
    private readonly files: Files,
  ) {}

  static async open(): Promise<Lab> {
    const folder = join(import.meta.dirname, "pages");
    const scripts = await bundleScripts(readdirSync(folder).map((name) => join(folder, name)));
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">
      <script type="module" src="page.js"></script></html>`;
    const files = new Files([["/", html], ...scripts, ...(await libraryFiles())]);
    return new Lab(await launchBrowser(), await serve(files), files);
  }

  /** The server lacks a file until a page requests "/online". Returns how often that file was requested. */
  lack(path: string): () => number {
    this.files.missing = path;
    this.files.asked.length = 0;
    return () => this.files.asked.filter((asked) => asked === path).length;
  }

  async page(): Promise<Watched> {
    const watched = await watch(await this.browser.newPage());
    await watched.page.goto(this.server.url);
    return watched;
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }
}

interface PageGlobals {
  readonly runCase: (name: string) => Promise<unknown>;
  readonly runInWorker: (name: string) => Promise<unknown>;
}

/** Runs one of pages/cases.ts on the page, or in a module worker. */
export async function run<Name extends CaseName>(
  { page }: Watched,
  name: Name,
  where: "page" | "worker" = "page",
): Promise<CaseResult<Name>> {
  await page.waitForFunction("'runCase' in globalThis");
  // As text, because Firefox returns only the outermost two levels of nested objects.
  const result = await page.evaluate(
    async (wanted, inWorker) => {
      const { runCase, runInWorker } = globalThis as unknown as PageGlobals;
      return JSON.stringify((await (inWorker ? runInWorker(wanted) : runCase(wanted))) ?? null);
    },
    name,
    where === "worker",
  );
  return JSON.parse(result) as CaseResult<Name>;
}
