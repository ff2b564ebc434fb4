// isSupported describes what `create` would throw, without requesting a device; and calls on a VAE reject numbers that
// are too large.
import { afterEach, describe, expect, it, vi } from "vitest";
import * as datasets from "../../src/datasets.js";
import { isSupported, models, VAE, WebvaeError, type Dataset } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { nullDevice } from "../support/gpu.js";

afterEach(() => vi.unstubAllGlobals());

const gpuWith = (requestAdapter: () => unknown) => ({ gpu: { requestAdapter } as unknown as GPU });
const requestDevice = vi.fn();
const info = { vendor: "google", architecture: "swiftshader", device: "", description: "SwiftShader Device" };
const spec = models.points([2], 1);

describe("isSupported", () => {
  it("names the adapter, and requests no device", async () => {
    const options = gpuWith(() => Promise.resolve({ info, requestDevice }));
    expect(await isSupported(options)).toEqual({
      supported: true,
      adapter: { name: "google swiftshader (SwiftShader Device)", software: true },
    });
    vi.stubGlobal("navigator", options);
    expect(await isSupported()).toMatchObject({ supported: true });
    expect(requestDevice).not.toHaveBeenCalled();
  });

  const faults: [string, () => object, RegExp][] = [
    [
      "no navigator",
      () => (vi.stubGlobal("navigator", undefined), {}),
      /navigator\.gpu is missing: .*newer.*in Node, use webvae\/node/,
    ],
    [
      "no navigator.gpu",
      () => (vi.stubGlobal("navigator", {}), {}),
      /navigator\.gpu is missing: .*newer.*in Node, use webvae\/node/,
    ],
    [
      "a page that is not secure",
      () => (vi.stubGlobal("navigator", {}), vi.stubGlobal("isSecureContext", false), {}),
      /not secure; use https or localhost/,
    ],
    ["no adapter", () => gpuWith(() => Promise.resolve(null)), /found no adapter: .*hardware acceleration/],
    [
      "a rejection",
      () => gpuWith(() => Promise.reject(new Error("GPU process"))),
      /look for an adapter: .*GPU process/,
    ],
    [
      "a throw",
      () =>
        gpuWith(() => {
          throw new Error("nope");
        }),
      /look for an adapter: .*nope/,
    ],
    [
      "no response",
      () => ({ ...gpuWith(() => new Promise(() => {})), timeoutMs: 30 }),
      /requestAdapter: no response within 30 ms/,
    ],
  ];
  it.each(faults)("gives the reason, the same as create's error: %s", async (_, make, reason) => {
    const options = make();
    const support = await isSupported(options);
    expect(support).toEqual({ supported: false, reason: expect.stringMatching(reason) as string });
    const error: unknown = await VAE.create(spec, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WebvaeError);
    expect((error as Error).message).toBe(support.reason);
  });

  it.each([null, 5, { gup: 1 }, { gpu: 5 }, { timeoutMs: -1 }])("never rejects: %j", async (given) => {
    const { supported, reason } = await isSupported(given as object);
    expect(supported).toBe(false);
    expect(reason).toMatch(/^isSupported: /);
  });
});

describe("numbers that are too large or missing", () => {
  const data: Dataset = datasets.fromArray([[0.5, 1]], { shape: [2] });

  it("samples of elbo and score", async () => {
    using vae = await VAE.create(spec, { device: await nullDevice(), tuning: false });
    for (const samples of [2 ** 20 + 1, 2 ** 30, Infinity, NaN, 0, -1, 1.5, "9", null, 10n]) {
      const options = { samples: samples as number };
      for (const call of [() => vae.elbo(data, options), () => vae.score(data, options)]) {
        await expect(call()).rejects.toThrow(
          fault("INVALID_OPTION", /samples must be a whole number from 1 to 1048576/),
        );
      }
    }
  });

  it("the temperature of sample", async () => {
    using vae = await VAE.create(spec, { device: await nullDevice(), tuning: false });
    for (const temperature of [-1e-9, 100.1, Infinity, NaN, "1", null, true, 1n, {}, [1]]) {
      await expect(vae.sample(1, { temperature: temperature as number })).rejects.toThrow(
        fault("INVALID_OPTION", /^sample: temperature must be a number from 0 to 100, not /),
      );
    }
    const others = { temperature: 1 } as object;
    await expect(vae.reconstruct(data, others)).rejects.toThrow(fault("INVALID_OPTION", /unknown key "temperature"/));
  });
});
