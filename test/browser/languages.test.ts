// The page starts whatever the machine's or browser's language: on a Linux without a locale, Chrome reports one that
// Intl's functions reject.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inFirefox, launchBrowser } from "../../node/browser.mjs";
import { EXAMPLES, serveExamples } from "../../examples/serve.mjs";
import { Demo, text } from "./demo_page.js";
import { watch } from "./harness.js";

/** Chrome's names for them: from LANG or LC_ALL on Linux (as of Chrome 153), and on other systems. */
const languages = [
  "en-US@posix", // C, POSIX, C.UTF-8, or nothing
  "sr-RS@latin", // sr_RS@latin
  "ca-ES@valencia",
  "xx-YY", // of no language
  "und", // an empty LANG
  "", // of a private window
  "C",
  "POSIX",
  "en_US.UTF-8",
  "en-US",
  "de",
  "ar-EG",
  "zh-Hans-CN",
  "ca-ES-valencia",
];

/** Runs before all scripts of a page. */
const speaking = (language: string) => `
  Object.defineProperty(Navigator.prototype, "language", { get: () => ${JSON.stringify(language)} });
  Object.defineProperty(Navigator.prototype, "languages", { get: () => [${JSON.stringify(language)}] });`;
const withoutGpu = `Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined });`;

let demo: Demo;
beforeAll(async () => void (demo = await Demo.start()));
afterAll(() => demo?.close());

describe("the demo starts", () => {
  test.each(languages)("in %j", async (language) => {
    // Without a GPU it starts quickly, and its charts are loaded all the same.
    const prepare = speaking(language) + withoutGpu;
    const { page, troubles } = await demo.open("", { prepare, state: "closed" });
    expect(await text(page, "fault-code")).toBe("NO_WEBGPU");
    await page.waitForSelector("#recording canvas");
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("and trains, and draws its chart, in en-US@posix", async () => {
    const { page, troubles } = await demo.open("#batch=32", { prepare: speaking("en-US@posix") });
    await page.click("#step");
    await page.waitForSelector("#chart canvas");
    expect(troubles).toEqual([]);
    await page.close();
  });
});

test("the examples are loaded in en-US@posix", async () => {
  const { url, close } = await serveExamples();
  // One of them draws with WebGPU.
  const browser = await launchBrowser({ canvas: true });
  for (const name of EXAMPLES) {
    const { page, troubles } = await watch(await browser.newPage());
    await page.evaluateOnNewDocument(speaking("en-US@posix"));
    await page.goto(`${url}${name}/`, { waitUntil: "load" });
    // Each shows its progress, or has loaded its model into the explorer.
    await page.waitForFunction(
      () =>
        document.querySelector("output")?.textContent ||
        document.querySelector("webvae-explorer")?.shadowRoot?.querySelector("[role=tab]"),
    );
    expect(troubles, name).toEqual([]);
    await page.close();
  }
  await browser.close();
  close();
});

describe.skipIf(inFirefox)("Chrome as node/chrome.mjs starts it speaks en-US", () => {
  const script = `
    import { launchChrome } from "./node/chrome.mjs";
    const browser = await launchChrome();
    const page = await browser.newPage();
    const said = () => [navigator.language, ...navigator.languages, Intl.NumberFormat().resolvedOptions().locale].join();
    console.log(await page.evaluate(said));
    await browser.close();`;
  const machines: Record<string, string>[] = [
    {},
    { LANG: "" },
    ...["C", "C.UTF-8", "POSIX", "de_DE.UTF-8", "sr_RS@latin"].map((LANG) => ({ LANG })),
    { LC_ALL: "C", LANGUAGE: "de" },
  ];
  test.each(machines)("on a machine with %j", async (locale) => {
    const { PATH = "", HOME = "", CHROME_PATH, WEBVAE_CHROME } = process.env;
    const chosen = { ...(CHROME_PATH ? { CHROME_PATH } : {}), ...(WEBVAE_CHROME ? { WEBVAE_CHROME } : {}) };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      cwd: resolve(import.meta.dirname, "../.."),
      env: { PATH, HOME, ...chosen, ...locale },
    });
    expect(stdout.trim()).toBe("en-US,en-US,en-US");
  });
});
