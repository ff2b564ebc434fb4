// Every public call that takes data, with values that are not examples, or not for the model: the error says what was
// given and which call to use.
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../src/examples.js";
import * as datasets from "../../src/datasets.js";
import { fault } from "../support/fault.js";
import { as, bits, doors, good, refuses, refusesAt, rows, shape, thrown, vae } from "../support/data_doors.js";

describe("values that are not examples", () => {
  const picture = (side = 2) => ({ width: side, height: side, data: new Uint8ClampedArray(4 * side * side).fill(9) });
  const nested = [[[[1, 0, 1], [1, 1, 1]], [[1, 0, 1], [1, 1, 1]]]]; // prettier-ignore
  const others: [string, unknown, RegExp, RegExp?][] = [
    ["null", null, /found null/],
    ["nothing", undefined, /found undefined/],
    ["a number", 5, /found 5/],
    ["a text", "pixels", /found "pixels"/],
    ["an object", {}, /found an object with the keys/],
    ["an object without a prototype", Object.create(null), /found an object with the keys/],
    ["a map", new Map([[1, 2]]), /found a Map/],
    ["an ArrayBuffer", new ArrayBuffer(96), /found an ArrayBuffer/],
    ["a DataView", new DataView(new ArrayBuffer(96)), /found a DataView/],
    ["a Blob", new Blob(["x"]), /found a Blob/],
    ["a function", () => bits, /found function/],
    ["a promise of a Dataset", Promise.resolve(good), /found a Promise; await it first/],
    [
      "64-bit integers",
      BigInt64Array.from(bits, BigInt),
      /found a BigInt64Array.*; convert them with Float64Array\.from\(values, Number\)/,
    ],
    ["a picture", picture(), /found an object with the keys width, height, data; for pictures use fromImageData/],
    ["a tensor of another library", { shape: [2, 12], dtype: "float32", kept: false }, /the keys shape, dtype, kept/],
  ];
  it.each(others)("%s", async (_, given, pattern) => {
    for (const kind of ["numbers", "latents", "datasets"]) {
      // Without a test set there is none.
      const { "train's test set": test, ...needed } = doors[kind]!;
      await refusesAt(given === undefined ? needed : { ...needed, ...(test ? { test } : {}) }, kind, given, pattern);
    }
    if (given !== undefined) await refuses("labels", given, /labels must be a typed array or an array of numbers, not/);
    await refuses("pictures", given, /expected an array of ImageData, found/);
    if (given !== undefined && !(given instanceof ArrayBuffer)) {
      for (const [door, act] of Object.entries(doors.files!)) {
        const error = await thrown(() => act(given));
        expect([door, error]).toEqual([door, fault("INVALID_FILE", /must be a Uint8Array|not an npy file/)]);
      }
    }
  });

  it("pictures in a list", async () => {
    for (const kind of ["numbers", "latents"]) {
      await refuses(
        kind,
        [picture(), picture()],
        /row 0 is an object with the keys width, height, data.*; for pictures use fromImageData/,
      );
    }
    await refuses(
      "datasets",
      [picture()],
      /expected a Dataset, found an Array of 1; for pictures use fromImageData\(list/,
    );
  });

  it("the pixels of three pictures, which would be four examples", async () => {
    const pixels = new Uint8ClampedArray(3 * 2 * 2 * 4);
    const both =
      /are these 3 RGBA pictures or 4 examples\? For pictures use fromImageData\(list, \{ channels: 3 \}\), for examples fromArray/;
    await refuses("numbers", pixels, both);
    // An explicit count is trusted, or rejected.
    expect(datasets.fromArray(pixels, { shape, count: 4 }).count).toBe(4);
    const counted = (values: Uint8Array | Uint8ClampedArray, count: number) => () =>
      datasets.fromArray(values, { shape, count });
    for (const values of [pixels, new Uint8Array(pixels)]) {
      expect(counted(values, 3)).toThrow(
        fault(
          "INVALID_DATA",
          /48 values do not divide into 3 examples of 2x2x3 = 12; for pictures of red, .* fromImageData/,
        ),
      );
    }
    expect(counted(new Uint8Array(24), 3)).toThrow(fault("INVALID_DATA", /24 values do not divide into 3 examples/));
    for (const count of [0, -1, 1.5, NaN, "3"]) {
      expect(counted(pixels, count as number)).toThrow(fault("INVALID_OPTION", /count must be a whole number/));
    }
  });

  it("examples in lists of lists", async () => {
    await refuses(
      "numbers",
      nested,
      /row 0 has 2 values, but the shape has 12; flatten each example with row\.flat\(Infinity\)/,
    );
  });

  it("rows of bytes mixed with rows of numbers", async () => {
    const mixed = [Uint8Array.from(rows[0]!), rows[1]];
    await refuses(
      "numbers",
      mixed,
      /row 1 is an Array of 12, but row 0 is a Uint8Array of 12: rows of bytes, which stand for value \/ 255, cannot be mixed with others/,
    );
    await refuses("numbers", mixed.toReversed(), /row 1 is a Uint8Array of 12, but row 0 is an Array of 12/);
  });

  it("values that are not rows, of another length, or missing", async () => {
    await refuses("numbers", [rows[0], null], /row 1 is null, not 12 numbers/);
    await refuses("numbers", [rows[0], "text"], /row 1 is "text", not 12 numbers/);
    await refuses("numbers", [rows[0], rows[1]!.slice(1)], /row 1 has 11 values, but the shape has 12/);
    await refuses("numbers", [rows[0], , rows[1]], /row 1 is undefined/); // eslint-disable-line no-sparse-arrays
    await refuses("numbers", new Float32Array(25), /25/);
    await refuses("numbers", [], /no examples|found 0/);
    expect(() => datasets.fromArray([[1]], { shape: [2 ** 40] })).toThrow(fault("INVALID_DATA", /row 0 has 1 values/));
  });

  it("data sets whose arrays are of other types", async () => {
    const with_ = (more: object) => ({ ...good, ...more });
    const hint = /; make a Dataset with fromArray\(values, \{ shape: \[2, 2, 3\] \}\) from webvae\/datasets/;
    for (const values of [Float64Array.from(bits), bits, Uint8ClampedArray.from(bits), Int32Array.from(bits)]) {
      await refuses(
        "datasets",
        with_({ values }),
        /good: values must be a Uint8Array or a Float32Array, not an? \w+ of 24/,
      );
      await refuses("datasets", with_({ values }), hint);
      expect(() => rowsOf("encode", as(with_({ values })), shape)).toThrow(fault("INVALID_DATA", hint));
    }
    for (const labels of [[0, 1], Int32Array.of(0, 1), "01", null]) {
      await refuses(
        "datasets",
        with_({ labels }),
        /labels must be a Uint8Array, not .*; fromArray\(values, \{ shape, labels \}\)/,
      );
    }
    await refuses(
      "latents",
      good,
      /expected a typed array of numbers, an array of numbers or of rows, found an object/,
    );
  });
});

describe("values that the likelihood rejects", () => {
  const cases: [string, unknown][] = [
    ["floats", Float32Array.from(bits, (bit) => 255 * bit)],
    ["rows", rows.map((row) => row.map((bit) => 255 * bit))],
    ["doubles", Float64Array.from(bits, (bit) => 255 * bit)],
  ];
  const said =
    /a Bernoulli likelihood needs values in \[0, 1\]; value \d+ of example 0 is 255.*scale: 255 of fromArray and fromNpy/;
  it.each(cases)("%s", async (_, given) => {
    for (const call of ["encode", "reconstruct"]) {
      await expect(doors.numbers![call]!(given)).rejects.toThrow(fault("INVALID_DATA", said));
    }
    const dataset = datasets.fromArray(as(given), { shape });
    for (const call of ["train", "train's test set", "elbo"]) {
      await expect(doors.datasets![call]!(dataset)).rejects.toThrow(fault("INVALID_DATA", said));
    }
    await expect(doors.numbers!["encode"]!(dataset)).rejects.toThrow(fault("INVALID_DATA", said));
    // As the message suggests.
    const scaled = datasets.fromArray(as(given), { shape, scale: 255 });
    expect(scaled.values).toEqual(Float32Array.from(bits));
    await vae.encode(scaled);
    // A latent may have any value.
    await vae.decode(as(given));
  });
});
