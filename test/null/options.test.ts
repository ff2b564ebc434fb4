// Invalid arguments: a typed error names the argument and the value, never a bare TypeError or RangeError.
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/errors.js";
import { digits, fashionMnist, fromArray, gaussians, imagesFromIdx, mnist, take } from "../../src/datasets.js";
import { models, VAE, type Dataset } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { idxFile } from "../support/idx.js";

const bytes = new Uint8Array(8);
const few = fromArray(bytes, { shape: [2] });
const spec = models.mlp([2], 1);
const split = "train";
const load = () => Promise.resolve(undefined);

/** Called like from JavaScript, where nothing checks types. */
type Loose = (...given: unknown[]) => unknown;
const call = (f: unknown, ...given: unknown[]) => Promise.resolve().then(() => (f as Loose)(...given));
const throwing = (thrown: unknown) => () => {
  throw thrown;
};

const cases: [ErrorCode, string, () => Promise<unknown>, RegExp][] = [
  ["INVALID_OPTION", "VAE.create(spec, null)", () => call(VAE.create.bind(VAE), spec, null), /^create: .*found null/],
  ["INVALID_OPTION", "an unknown key", () => call(VAE.create.bind(VAE), spec, { sed: 1 }), /^create: .*"sed".*seed/],
  ["INVALID_OPTION", "a seed", () => call(VAE.create.bind(VAE), spec, { seed: null }), /^create: seed .*not null/],
  ["INVALID_OPTION", "tuning", () => call(VAE.create.bind(VAE), spec, { tuning: true }), /^create: tuning .*not true/],
  ["INVALID_OPTION", "a device", () => call(VAE.create.bind(VAE), spec, { device: {} }), /^create: device .*not \{\}/],
  [
    "INVALID_OPTION",
    "no device",
    () => call(VAE.create.bind(VAE), spec, { device: null }),
    /^create: device .*not null/,
  ],
  ["INVALID_OPTION", "a gpu", () => call(VAE.create.bind(VAE), spec, { gpu: "webgpu" }), /^create: gpu .*not "webgpu"/],
  ["INVALID_OPTION", "load's gpu", () => call(VAE.load.bind(VAE), bytes, { gpu: 5 }), /^load: gpu .*not 5/],
  [
    "INVALID_OPTION",
    "a power preference",
    () => call(VAE.create.bind(VAE), spec, { powerPreference: "most" }),
    /^create: powerPreference .*low-power or high-performance, not "most"/,
  ],
  [
    "INVALID_OPTION",
    "half a store",
    () => call(VAE.load.bind(VAE), bytes, { tuning: { load } }),
    /^load: tuning .*load/,
  ],
  ["INVALID_OPTION", "VAE.load's keys", () => call(VAE.load.bind(VAE), bytes, { sed: 1 }), /^load: .*"sed"/],
  ["INVALID_FILE", "VAE.load(null)", () => call(VAE.load.bind(VAE), null), /model file.*not null/],
  ["INVALID_FILE", "VAE.load(text)", () => call(VAE.load.bind(VAE), "abc"), /model file.*not "abc"/],
  ["INVALID_OPTION", "fromArray(x)", () => call(fromArray, bytes), /^fromArray: .*found undefined/],
  ["INVALID_OPTION", "fromArray's keys", () => call(fromArray, bytes, { shap: [2] }), /^fromArray: .*"shap"/],
  ["INVALID_DATA", "fromArray(x, {})", () => call(fromArray, bytes, {}), /shape .*not undefined/],
  ["INVALID_DATA", "a shape of text", () => call(fromArray, bytes, { shape: "2" }), /shape .*not "2"/],
  ["INVALID_DATA", "labels", () => call(fromArray, bytes, { shape: [2], labels: 5 }), /labels .*not 5/],
  ["INVALID_OPTION", "digits()", () => call(digits), /^digits: .*found undefined/],
  ["INVALID_OPTION", "digits' keys", () => call(digits, { split, count: 1, sed: 1 }), /^digits: .*"sed"/],
  ["INVALID_OPTION", "digits' count", () => call(digits, { split, count: 2e9, seed: 1 }), /^digits: 2000000000 ex/],
  ["INVALID_OPTION", "gaussians(null)", () => call(gaussians, null), /^gaussians: .*found null/],
  ["INVALID_OPTION", "mnist()", () => call(mnist), /^mnist: .*found undefined/],
  ["INVALID_OPTION", "mnist's split", () => call(mnist, {}), /^mnist: split .*not undefined/],
  ["INVALID_OPTION", "a split", () => call(digits, { split: "tset", count: 1, seed: 1 }), /^digits: split .*"tset"/],
  ["INVALID_OPTION", "no seed", () => call(digits, { split, count: 1 }), /^digits: seed .*undefined/],
  ["INVALID_OPTION", "mnist's signal", () => call(mnist, { split, signal: {} }), /^mnist: signal .*not \{\}/],
  ["INVALID_OPTION", "fashionMnist()", () => call(fashionMnist), /^fashion-mnist: .*found undefined/],
  [
    "DOWNLOAD_FAILED",
    "a fetch that throws text",
    () => call(mnist, { split, cache: false, fetch: throwing("nope") }),
    /no response \(nope\)/,
  ],
  [
    "INVALID_OPTION",
    "a base URL of another type",
    () => call(mnist, { split, cache: false, baseUrl: 5, fetch: throwing("nope") }),
    /^mnist: baseUrl must be a URL or an array of URLs, not 5/,
  ],
  ["INVALID_FILE", "imagesFromIdx({})", () => call(imagesFromIdx, {}), /images: .*not undefined/],
  ["INVALID_OPTION", "imagesFromIdx()", () => call(imagesFromIdx), /^imagesFromIdx: .*found undefined/],
  [
    "INVALID_FILE",
    "float images",
    () => call(imagesFromIdx, { images: idxFile(0x0d, [1, 2, 1], bytes), name: "set" }),
    /^set images: values of type float/,
  ],
  ["INVALID_DATA", "take(null)", () => call(take, null, 3), /data set.*null/],
  ["INVALID_OPTION", "take -1", () => call(take, few, -1), /take: count .*-1/],
  ["INVALID_OPTION", "take 0", () => call(take, few, 0), /take: count .*0/],
  ["INVALID_OPTION", "take 1.5", () => call(take, few, 1.5), /take: count .*1\.5/],
  ["INVALID_OPTION", "take NaN", () => call(take, few, NaN), /take: count .*NaN/],
  ["INVALID_SPEC", "models.mlp()", () => call(models.mlp), /^input: .*undefined/],
];

describe("invalid arguments", () => {
  it.each(cases)("%s: %s", async (code, _, given, message) => {
    await expect(given()).rejects.toThrow(fault(code, message));
  });
});

it("take returns the first examples, or all", () => {
  const labelled: Dataset = fromArray(Uint8Array.of(1, 2, 3, 4), { shape: [2], labels: [7, 8] });
  expect(take(labelled, 1)).toMatchObject({ count: 1, values: Uint8Array.of(1, 2), labels: Uint8Array.of(7) });
  expect(take(labelled, 9)).toEqual(labelled);
});
