// The built bundle in headless Chrome: trains on a page and in a worker, reports errors, and stops on request.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inFirefox } from "../../node/browser.mjs";
import { policy } from "../../demo/serve.mjs";
import { Lab, run, type CaseResult, type Watched } from "./harness.js";

/** Turns of the event loop: every call ends at once, even while its kernels are being compiled. */
const TURNS = 20;

let lab: Lab;
let watched: Watched;
beforeAll(async () => void (lab = await Lab.open()));
afterAll(() => lab?.close());
beforeEach(async () => void (watched = await lab.page()));
afterEach(() => watched.page.close());

function judge(result: CaseResult<"trains">) {
  const { first, last, epochs, samples, elbos, disposed } = result;
  expect(epochs).toHaveLength(3);
  expect(result.trained).toEqual({ steps: 24, epochs: 3 });
  // 784 ln 2 = 543 nats for an untrained model.
  expect(-first.elbo).toBeGreaterThan(400);
  const train = epochs.map((end) => -end.train.elbo);
  expect(train[2]).toBeLessThan(0.8 * train[0]!);
  expect(-last.elbo).toBeLessThan(0.7 * -first.elbo);
  const test = epochs.map((end) => -end.test!.elbo);
  expect(test[2]).toBeLessThan(test[0]!);
  expect(last.reconstruction + last.kl).toBeCloseTo(-last.elbo, 6);
  expect(samples).toMatchObject({ count: 100 * 784, finite: true });
  expect(samples.least).toBeGreaterThanOrEqual(0);
  expect(samples.most).toBeLessThanOrEqual(1);
  expect(samples.most - samples.least).toBeGreaterThan(0.1);
  expect(result.repeats).toBe(true);
  expect(elbos[1]).toEqual(elbos[0]);
  expect(elbos[2]).not.toEqual(elbos[0]);
  // A file without training state has no step count.
  expect(result.reloaded).toEqual({ ...elbos[0], step: 0 });
  expect(result.reloadedSpec).toMatchObject({ latent: 20 });
  expect(result.deviceBuffers).toBeGreaterThan(0);
  expect(disposed.code).toBe("DISPOSED");
}

describe("training", () => {
  test("on a page: the loss falls, samples are images, results depend only on the seed, save and load work", async () => {
    const result = await run(watched, "trains");
    const { createMs, firstMs, adapter } = result;
    console.log(
      `${adapter.name}: created after ${createMs.toFixed(0)} ms, first report ${firstMs.toFixed(0)} ms later`,
    );
    judge(result);
    expect(watched.troubles).toEqual([]);
  });

  test("in a module worker", async () => {
    judge(await run(watched, "trains", "worker"));
    expect(watched.troubles).toEqual([]);
  });

  test.each(["page", "worker"] as const)(
    "a convolutional model, whose WGSL is loaded on demand, on a %s",
    async (where) => {
      const { trained, losses, before, after, sample } = await run(watched, "convolves", where);
      console.log(`conv on 8 digits, one step: ELBO ${before.toFixed(1)}, then ${after.toFixed(1)}`);
      expect(trained).toEqual({ steps: 1, epochs: 1 });
      expect(losses).toHaveLength(1);
      expect(losses[0]).toBeGreaterThan(400);
      expect(losses[0]).toBeLessThan(700);
      expect(after).toBeGreaterThan(before + 1);
      expect(sample).toMatchObject({ count: 3 * 784, finite: true });
      expect(watched.troubles).toEqual([]);
    },
  );

  test("under a policy that forbids evaluating text", async () => {
    const strict = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";
    expect(policy.startsWith(strict)).toBe(true);
    expect(policy).not.toContain("unsafe");
    expect(await run(watched, "evaluates")).toBe("EvalError");
  });
});

describe("files loaded on demand", () => {
  const isFile = (name: string) => (url: string) => new URL(url).pathname === `/dist/${name}`;
  const [isLayers, isFiles] = [isFile("layers.js"), isFile("files.js")];

  /** Only Chrome's own messages about failed requests for a file. */
  function judgeTroubles(name: string) {
    const known = (trouble: string) => trouble.includes(`/${name}`) || trouble.includes("404");
    expect(watched.troubles.filter((trouble) => !known(trouble))).toEqual([]);
  }

  test("shaders are loaded once, and files.js only to save or load", async () => {
    const requests: string[] = [];
    watched.page.on("request", (request) => requests.push(request.url()));
    await run(watched, "ownDevice");
    // Nothing was saved or loaded.
    expect(requests.filter(isFiles)).toEqual([]);
    // A dense model needs them where lanes share operands in their subgroup or the tuner tries the tiled products.
    expect(requests.filter(isLayers).length).toBeLessThanOrEqual(1);
    await run(watched, "convolves");
    expect(requests.filter(isLayers)).toHaveLength(1);
    expect(watched.troubles).toEqual([]);
  });

  /** The first call makes two requests, with two addresses, each later call one with another; the third succeeds. */
  const REQUESTS = 4;

  describe.skipIf(inFirefox).each(["page", "worker"] as const)("that cannot be loaded, on a %s", (where) => {
    test("layers.js: is reported, and a later call tries again", async () => {
      const requests = lab.lack("/dist/layers.js");
      const { failures, sample } = await run(watched, "offline", where);
      for (const { name, code, message } of failures) {
        expect([name, code]).toEqual(["WebvaeError", "DOWNLOAD_FAILED"]);
        expect(message).toMatch(/the code that this model needs could not be loaded from the library's layers\.js/);
      }
      expect(sample).toMatchObject({ count: 784, finite: true });
      expect(requests()).toBe(REQUESTS);
      judgeTroubles("layers.js");
    });

    test("files.js: a model that could not be saved can be saved and loaded later", async () => {
      const requests = lab.lack("/dist/files.js");
      const { failures, elbos, cut, other } = await run(watched, "offlineFiles", where);
      for (const { name, code, message } of failures) {
        expect([name, code]).toEqual(["WebvaeError", "DOWNLOAD_FAILED"]);
        expect(message).toMatch(/model files could not be loaded from the library's files\.js/);
      }
      expect(elbos[1]).toEqual(elbos[0]);
      // Only instances of the page's own WebvaeError report a code.
      expect([cut.name, cut.code, other.name, other.code]).toEqual([
        ...["WebvaeError", "INVALID_FILE"],
        ...["WebvaeError", "SPEC_MISMATCH"],
      ]);
      expect(requests()).toBe(REQUESTS);
      judgeTroubles("files.js");
    });
  });
});

test.each(["page", "worker"] as const)(
  "a WebGPU error that the library does not catch is noticed here, on a %s",
  async (where) => {
    await run(watched, "misuses", where);
    expect(watched.troubles.join()).toMatch(/usage|uncaptured/i);
  },
);

describe("devices", () => {
  test("the page's own is used and shared, and not destroyed", async () => {
    const { losses, sample, left, words, error, lost } = await run(watched, "ownDevice");
    expect(losses.every((loss) => loss > 100 && loss < 700)).toBe(true);
    expect(sample).toMatchObject({ count: 4 * 784, finite: true });
    expect(left).toBeGreaterThan(0);
    expect(words).toEqual([1, 2, 3, 4]);
    expect([error, lost]).toEqual([undefined, false]);
    expect(watched.troubles).toEqual([]);
  });

  test("the library's own is destroyed with the VAE", async () => {
    expect(await run(watched, "libraryDevice")).toBe("destroyed");
    expect(watched.troubles).toEqual([]);
  });

  test("no WebGPU, no adapter, and no device have separate error codes", async () => {
    expect(await run(watched, "withoutWebgpu")).toMatchObject({ name: "WebvaeError", code: "NO_WEBGPU" });
    expect(await run(watched, "withoutAdapter")).toMatchObject({ name: "WebvaeError", code: "NO_ADAPTER" });
    const refused = await run(watched, "refusedDevice");
    expect(refused).toMatchObject({ name: "WebvaeError", code: "DEVICE_REFUSED" });
    expect(refused.message).toContain("no more devices");
    expect(watched.troubles).toEqual([]);
  });

  test("losing the device during training ends the run within a second, and later calls too", async () => {
    const { run: ended, ms, turns, after, create } = await run(watched, "lostDevice");
    console.log(`DEVICE_LOST after ${ms.toFixed(0)} ms, ${turns} turns after the page heard of it`);
    expect(ended).toMatchObject({ name: "WebvaeError", code: "DEVICE_LOST" });
    expect(turns).toBeLessThanOrEqual(TURNS);
    expect([after.code, create.code]).toEqual(["DEVICE_LOST", "DEVICE_LOST"]);
    expect(watched.troubles).toEqual([]);
  });
});

describe("the tuner", () => {
  test.skipIf(inFirefox)("stores its measurements: a reloaded page measures nothing", async () => {
    const first = await run(watched, "tunes");
    expect(first.runs).toBeGreaterThan(0);
    const [[name, choices]] = Object.entries(await run(watched, "kept")) as [[string, Record<string, string>]];
    expect(name).toMatch(/; kernels \d+$/);
    expect(Object.keys(choices)).toContain("linear 256x784x40");
    await watched.page.reload();
    expect(await run(watched, "tunes")).toEqual({ runs: 0, elbo: first.elbo });
    expect(watched.troubles).toEqual([]);
  });

  test.skipIf(inFirefox).each(["tunesDenied", "tunesBlocked"] as const)("works without storage: %s", async (name) => {
    const { runs, elbo } = await run(watched, name);
    expect(runs).toBeGreaterThan(0);
    expect(elbo).toBeLessThan(0);
    expect(watched.troubles).toEqual([]);
  });
});

test("an AbortSignal ends every call, with its reason", async () => {
  const { latency, waited, reasons, steps, loss, before } = await run(watched, "aborts");
  const text = Object.entries(latency).map(
    ([name, all]) => `${name} ${all.map(({ ms, turns }) => `${ms.toFixed(0)} (${turns})`).join(", ")}`,
  );
  console.log(`from abort() to the rejection, ms (turns): ${text.join("; ")}; the GPU lets ${waited} turns pass`);
  expect(waited).toBeGreaterThan(TURNS);
  expect(reasons.every(Boolean)).toBe(true);
  for (const [name, all] of Object.entries(latency)) {
    for (const { turns } of all) expect(turns, name).toBeLessThanOrEqual(TURNS);
  }
  expect(steps).toBeGreaterThan(8);
  expect(loss).toBeLessThan(450);
  expect(before.message).toContain("enough");
  expect(watched.troubles).toEqual([]);
});
