// One library in a separate Chrome, so that no two share a GPU process with its memory, caches and errors.
import type { Browser, Page } from "puppeteer";
import { launchChrome } from "../../node/chrome.mjs";
import { TimeUp, type PageCalls } from "./protocol.js";

export interface BrowserOptions {
  readonly headful: boolean;
  readonly adapter: "swiftshader" | "default" | undefined;
}

interface PageGlobals {
  readonly bench: Record<string, (...inputs: unknown[]) => Promise<unknown>>;
}

export class Session {
  #closed = false;
  private constructor(
    private readonly browser: Browser,
    private readonly page: Page,
    /** Errors that no promise reported. */
    private readonly troubles: string[],
    /** Such as "Chrome/150.0.1". */
    readonly version: string,
  ) {}

  static async open(url: string, options: BrowserOptions): Promise<Session> {
    const { headful, adapter } = options;
    const browser = await launchChrome({ headful, ...(adapter ? { adapter } : {}) });
    try {
      const page = await browser.newPage();
      const troubles: string[] = [];
      page.on("pageerror", (error) => troubles.push(firstLine(String(error))));
      page.on("console", (message) => {
        if (message.type() === "error") troubles.push(firstLine(message.text()));
      });
      await page.goto(url);
      await page.waitForFunction("'bench' in globalThis");
      return new Session(browser, page, troubles, await browser.version());
    } catch (error) {
      await browser.close().catch(() => {});
      throw error;
    }
  }

  /** Calls the page. If it takes longer than `limitMs`, closes the browser and throws TimeUp. */
  async call<Name extends keyof PageCalls>(
    name: Name,
    limitMs: number,
    ...inputs: Parameters<PageCalls[Name]>
  ): Promise<Awaited<ReturnType<PageCalls[Name]>>> {
    if (this.#closed) throw new Error("its page is closed");
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TimeUp()), limitMs);
    });
    const called = this.page.evaluate(
      async (wanted, given) => {
        const { bench } = globalThis as unknown as PageGlobals;
        try {
          return { value: await bench[wanted]!(...given) };
        } catch (error) {
          return { fault: error instanceof Error ? error.message : String(error) };
        }
      },
      name,
      inputs,
    );
    called.catch(() => {});
    try {
      const { value, fault } = (await Promise.race([called, over])) as { value?: unknown; fault?: string };
      if (fault !== undefined) throw new Error(firstLine(fault) || this.troubles.at(-1) || "failed without a message");
      return value as Awaited<ReturnType<PageCalls[Name]>>;
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async heapBytes(): Promise<number | null> {
    const client = await this.page.createCDPSession();
    await client.send("HeapProfiler.collectGarbage");
    const { JSHeapUsedSize } = await this.page.metrics();
    return JSHeapUsedSize ?? null;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A page that is computing cannot respond, so its process is killed.
    const child = this.browser.process();
    const late = new Promise((resolve) => setTimeout(resolve, 3000));
    await Promise.race([this.browser.close().catch(() => {}), late]);
    if (child && child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

const firstLine = (text: string) => (text.split("\n")[0] ?? "").trim();
