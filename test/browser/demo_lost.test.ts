// The demo page when part of it cannot be loaded, or its worker is gone: it says so, never waits forever, and still has
// the saved model.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoFiles, demoPolicy } from "../../demo/build.mjs";
import { serve } from "../../demo/serve.mjs";
import { inFirefox } from "../../node/browser.mjs";
import {
  Demo,
  downloaded,
  faultOf,
  inState,
  shown,
  stepsDone,
  text,
  train,
  untilKept,
  untilStep,
  untilText,
} from "./demo_page.js";

let demo: Demo;
let files: Map<string, Buffer | string>;
let server: Awaited<ReturnType<typeof serve>>;
/** What the server does instead of serving a file. */
const faults = new Map<string, "missing" | "throws">();
const asked = new Set<string>();

class Served extends Map<string, Buffer | string> {
  override get(path: string): Buffer | string | undefined {
    asked.add(path);
    const fault = faults.get(path) ?? faults.get("*");
    if (fault === "missing") return undefined;
    return fault === "throws" ? `throw new Error("broken on purpose");` : super.get(path);
  }
}

beforeAll(async () => {
  demo = await Demo.start();
  files = await demoFiles();
  server = await serve(new Served(files), 0, { "content-security-policy": demoPolicy });
});
afterAll(async () => {
  await demo?.close();
  server?.close();
});

/** The scripts that the page or its worker requests before a model can be trained. */
async function startingScripts(): Promise<string[]> {
  asked.clear();
  const { page } = await demo.open("", { url: server.url });
  await page.close();
  return [...asked].filter((path) => path.endsWith(".js"));
}

test("if any script is missing, or throws while loading, the page says so and what to do", async () => {
  const scripts = await startingScripts();
  expect(scripts).toEqual(expect.arrayContaining(["/main.js", "/worker.js", "/dist/webvae.js", "/dist/explorer.js"]));
  for (const script of scripts) {
    // Without it everything else works and reports what is missing; prefetched files are requested again.
    if (["/early.js", "/dist/files.js", "/dist/layers.js", "/dist/describe.js"].includes(script)) continue;
    for (const kind of ["missing", "throws"] as const) {
      const what = `${script} ${kind}`;
      faults.set(script, kind);
      const page = await demo.browser.newPage();
      await page.goto(server.url);
      await page.waitForSelector("#fault", { visible: true });
      const { title, message, code } = await faultOf(page);
      expect(["NOT_STARTED", "WORKER_LOST", "PART_MISSING"], what).toContain(code);
      expect(title, what).toMatch(/could not|stopped/);
      expect(message, what).toMatch(kind === "throws" ? /broken on purpose|\.js/ : /\.js/);
      expect(await text(page, "position"), what).not.toMatch(/Starting|Looking|Preparing/);
      // The button works once the server is back.
      faults.delete(script);
      if (kind === "missing") {
        await page.click("#fault-again");
        await page.waitForSelector('body[data-state="ready"][data-shown]');
        expect(await shown(page, "fault"), what).toBe(false);
      } else expect(await shown(page, "fault-again"), what).toBe(true);
      await page.close();
    }
  }
});

test("files.js may arrive after the first request for it failed", async () => {
  faults.set("/dist/files.js", "missing");
  const opened = await demo.open("#batch=32", { url: server.url });
  const { page } = opened;
  await page.click("#step");
  await untilText(page, "autosave", /^The model could not be saved; the page will try again: .*files\.js/);
  await page.click("#save");
  await page.waitForSelector("#fault", { visible: true });
  expect((await faultOf(page)).code).toBe("DOWNLOAD_FAILED");
  faults.clear();
  expect((await downloaded(opened, "save")).bytes.length).toBeGreaterThan(1e6);
  await untilKept(page, 1);
  await page.close();
});

test("layers.js may too: a model that needs it is created once it arrives", async () => {
  faults.set("/dist/layers.js", "missing");
  // A convolutional model needs it.
  const { page } = await demo.open("#batch=16&model=conv&latent=2", { url: server.url, state: "failed" });
  await page.waitForSelector("#fault", { visible: true });
  expect((await faultOf(page)).code).toBe("DOWNLOAD_FAILED");
  faults.clear();
  await page.click("#fault-again");
  await inState(page, "ready");
  await page.waitForSelector("#fault", { hidden: true });
  await page.click("#step");
  await untilStep(page, 1);
  await page.close();
});

test("if the server is gone, the model can still be downloaded, and is still saved", async () => {
  const opened = await demo.open("#batch=32", { url: server.url });
  const { page, troubles } = opened;
  faults.set("*", "missing");
  await train(page, 3);
  const steps = await stepsDone(page);
  await untilKept(page, steps);
  expect((await downloaded(opened, "save")).name).toBe("webvae-digits.safetensors");
  expect(troubles).toEqual([]);
  faults.clear();
  await page.close();
});

/** Runs before the page's scripts: makes intervals of seconds three times as short. */
const faster = `{
  const every = setInterval;
  setInterval = (act, ms, ...more) => every(act, ms >= 1000 ? ms / 3 : ms, ...more);
}`;

/** Ways for a worker to die. */
const deaths: Record<string, string> = {
  "that has closed itself": "self.close()",
  "that hangs": "setTimeout(() => { for (;;); })",
};

describe.skipIf(inFirefox).each(Object.entries(deaths))("a worker %s", (_, death) => {
  test("is reported, and the saved model can be continued", async () => {
    const { page } = await demo.open("#batch=32&latent=3&epochs=9", { url: server.url, prepare: faster });
    await train(page, 3);
    const steps = await stepsDone(page);
    await untilKept(page, steps);
    await page.workers()[0]!.evaluate(death);
    // Requests made meanwhile do not wait forever.
    await page.click("#samples-png");
    await inState(page, "failed");
    await page.waitForSelector("#fault", { visible: true });
    expect(await faultOf(page)).toMatchObject({ title: "Training has stopped", code: "WORKER_LOST" });
    expect(await text(page, "fault-again")).toBe("Continue from the saved model");
    expect(await text(page, "autosave")).toMatch(
      new RegExp(`^Last saved in this browser at [\\d:]+ after ${steps} steps\\. Training after that is lost\\.$`),
    );
    expect(await page.$eval("#save", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
    await page.screenshot({ path: "test/artefacts/demo-worker-lost.png" });
    await page.click("#fault-again");
    await inState(page, "paused");
    await page.waitForSelector("#fault", { hidden: true });
    expect(await stepsDone(page)).toBe(steps);
    expect(await page.$eval("#latent", (input) => (input as HTMLInputElement).value)).toBe("3");
    await page.click("#step");
    await untilStep(page, steps + 1);
    await untilKept(page, steps + 1);
    await page.close();
  });
});
