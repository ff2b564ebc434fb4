// Every public call that takes data, with every container that people use: it works, or the error says what was given
// and which call to use. Non-numbers never become numbers.
import vm from "node:vm";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../src/examples.js";
import * as datasets from "../../src/datasets.js";
import { as, bits, doors, refuses, rows, shape, thrown, vae, WIDTH } from "../support/data_doors.js";

const foreign = (type: string): unknown => vm.runInNewContext(`${type}.from(${JSON.stringify(bits)})`);

describe("numbers in any container", () => {
  const containers: [string, unknown, RegExp, "bytes"?][] = [
    ["a Float32Array", Float32Array.from(bits), /a Float32Array of 24/],
    ["a Float64Array", Float64Array.from(bits), /a Float64Array of 24/],
    ["an Int8Array", Int8Array.from(bits), /an Int8Array of 24/],
    ["an Int16Array", Int16Array.from(bits), /an Int16Array of 24/],
    ["a Uint16Array", Uint16Array.from(bits), /a Uint16Array of 24/],
    ["an Int32Array", Int32Array.from(bits), /an Int32Array of 24/],
    ["a Uint32Array", Uint32Array.from(bits), /a Uint32Array of 24/],
    ["a plain array", bits, /an Array of 24/],
    ["plain rows", rows, /an Array of 2/],
    ["rows of Float32Array", rows.map((row) => Float32Array.from(row)), /an Array of 2/],
    ["rows of Float64Array", rows.map((row) => Float64Array.from(row)), /an Array of 2/],
    ["rows of both", [rows[0], Int32Array.from(rows[1]!)], /an Array of 2/],
    ["a Float32Array of another frame", foreign("Float32Array"), /a Float32Array of 24/],
    ["a plain array of another frame", foreign("Array"), /an Array of 24/],
    ["a Uint8Array", Uint8Array.from(bits), /a Uint8Array of 24/, "bytes"],
    ["a Buffer", Buffer.from(bits), /a Uint8Array of 24/, "bytes"],
    ["a Uint8ClampedArray", Uint8ClampedArray.from(bits), /a Uint8ClampedArray of 24/, "bytes"],
    ["rows of Uint8Array", rows.map((row) => Uint8Array.from(row)), /an Array of 2/, "bytes"],
    ["rows of Uint8ClampedArray", rows.map((row) => Uint8ClampedArray.from(row)), /an Array of 2/, "bytes"],
    ["a Uint8Array of another frame", foreign("Uint8Array"), /a Uint8Array of 24/, "bytes"],
  ];

  it.each(containers)("%s", async (_, given, named, bytes) => {
    for (const [door, act] of Object.entries(doors.numbers!))
      expect([door, await thrown(() => act(given))]).toEqual([door, undefined]);
    const wanted = bytes ? Uint8Array.from(bits) : Float32Array.from(bits);
    expect(datasets.fromArray(as(given), { shape })).toMatchObject({ count: 2 });
    const flat = datasets.fromArray(as(given), { shape }).values;
    expect(new (wanted.constructor as typeof Uint8Array)(flat)).toEqual(wanted);
    expect(flat).toBeInstanceOf(wanted.constructor);
    expect(rowsOf("encode", as(given), shape)).toEqual({ source: wanted, width: WIDTH, count: 2 });

    if (bytes) await refuses("latents", given, /^decode: decode: latents must be floats, not bytes/);
    else {
      expect(await thrown(() => vae.decode(as(given)))).toBeUndefined();
      expect(rowsOf("decode", as(given), [WIDTH]).source).toEqual(wanted);
    }
    await refuses(
      "datasets",
      given,
      /make a Dataset with fromArray\(values, \{ shape: \[(2, 2, 3)?\] \}\) from webvae\/datasets/,
    );
    await refuses("datasets", given, named);
    await refuses("pictures", given, /picture 0 is|expected an array of ImageData, found a/);
    if (!bytes) await refuses("files", given, /must be a Uint8Array( or an ArrayBuffer)?, not/);
  });

  it("as labels, whole numbers in 0..255", () => {
    for (const Type of [Uint8Array, Uint8ClampedArray, Int8Array, Int16Array, Uint32Array, Int32Array, Float64Array]) {
      const { labels } = datasets.fromArray(Uint8Array.from(bits), { shape, labels: Type.of(3, 7) });
      expect(labels).toEqual(Uint8Array.of(3, 7));
    }
    expect(datasets.fromArray(as(bits), { shape, labels: [3, 255] }).labels).toEqual(Uint8Array.of(3, 255));
  });
});

describe("cells that are not numbers", () => {
  /** The same length, but with a hole at `index`. */
  const without = (values: unknown[], index: number) => {
    const sparse = new Array<unknown>(values.length);
    values.forEach((value, i) => i !== index && (sparse[i] = value));
    return sparse;
  };
  const hole = without(rows[1]!, 5);
  const cells: [string, unknown, RegExp][] = [
    ["null", null, /is null, not/],
    ["undefined", undefined, /is undefined, not/],
    ["an empty string", "", /is "", not/],
    ["a space", " ", /is " ", not/],
    ["a number as text", "0.5", /is "0\.5", not/],
    ["true", true, /is true, not/],
    ["false", false, /is false, not/],
    ["a list of one number", [3], /is an Array of 1, not/],
    ["a date", new Date(0), /is a Date, not/],
    ["a bigint", 1n, /is 1n, not/],
    ["a symbol", Symbol("one"), /is Symbol\(one\), not/],
    ["a function", () => 1, /is function, not/],
    ["a boxed NaN", Object(NaN), /is a Number, not/],
    ["a boxed number", Object(1), /is a Number, not/],
    ["an object that says 1", { valueOf: () => 1 }, /is an object with the keys valueOf, not/],
    ["an object without a prototype", Object.create(null), /is an object with the keys , not/],
    ["NaN", NaN, /is NaN, not a finite/],
    ["infinity", -Infinity, /is -Infinity, not a finite/],
    ["a double beyond floats", 1e39, /is 1e\+39, not a finite 32-bit float/],
  ];

  it.each([...cells, ["a hole", hole, /is undefined, not/] as const])("%s", async (name, cell, pattern) => {
    const bad = name === "a hole" ? hole : rows[1]!.map((value, i) => (i === 5 ? cell : value));
    const place = /value 17 \(row 1, column 5\)/;
    for (const given of [
      [rows[0], bad],
      [Float64Array.from(rows[0]!), bad],
    ]) {
      for (const kind of ["numbers", "latents"]) {
        await refuses(kind, given, place);
        await refuses(kind, given, pattern);
      }
    }
    const flat = name === "a hole" ? without(bits, 17) : bits.map((bit, i): unknown => (i === 17 ? cell : bit));
    for (const kind of ["numbers", "latents"]) {
      await refuses(kind, flat, place);
      await refuses(kind, flat, pattern);
    }
    const labels = [1, cell];
    if (name !== "a hole")
      await refuses("labels", labels, new RegExp(`label 1 ${pattern.source.replace(/, not.*/, "")}`));
    else await refuses("labels", [, 1], /label 0 is undefined/); // eslint-disable-line no-sparse-arrays
  });

  it("in labels: fractions, negative numbers, and numbers above 255", async () => {
    for (const label of [0.5, -1, 256, -0.1, 1e9]) {
      await refuses("labels", [0, label], new RegExp(`label 1 is ${label}, not an integer in 0\\.\\.255`));
      await refuses("labels", Float64Array.of(0, label), new RegExp(`label 1 is ${label}, not`));
    }
    await refuses("labels", Int32Array.of(0, 256), /label 1 is 256/);
  });

  it("integers that are not exact as floats", async () => {
    const exact = Int32Array.from(bits, (bit) => bit * 2 ** 24);
    expect(datasets.fromArray(exact, { shape }).values).toContain(2 ** 24);
    for (const Type of [Int32Array, Uint32Array]) {
      const given = Type.from(bits);
      given[17] = 2 ** 24 + 1;
      await refuses("numbers", given, /value 17 \(row 1, column 5\) is 16777217; integers beyond 2\^24/);
    }
  });
});
