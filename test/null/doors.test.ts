// Every public call that takes data, with every container that people have them in: it works, or the error says what was
// given and which call makes it right. What is no number becomes none.
import vm from "node:vm";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../src/examples.js";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, WebvaeError, type Dataset, type Examples, type ModelSpec } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { nullDevice } from "../support/gpu.js";

const shape = [2, 2, 3];
const WIDTH = 12;
const spec: ModelSpec = { input: shape, encoder: [], latent: WIDTH, decoder: [dense(WIDTH)], likelihood: "bernoulli" };
const device = await nullDevice();
const vae = await VAE.create(spec, { device, tuning: false });

/** Two examples of zeros and ones, which any type holds, or three where they are bytes. */
const bits = Array.from({ length: 2 * WIDTH }, (_, i) => (i * i + i) % 3 && 1);
const rows = [bits.slice(0, WIDTH), bits.slice(WIDTH)];
const good = datasets.fromArray(Float32Array.from(bits), { shape, name: "good" });
const as = <T>(given: unknown) => given as T;
const drain = async (run: AsyncIterable<unknown>) => {
  for await (const report of run) void report;
};

/** By what they take. Each gives what came of it. */
const doors: Record<string, Record<string, (given: unknown) => unknown>> = {
  numbers: {
    fromArray: (given) => datasets.fromArray(as(given), { shape }),
    encode: (given) => vae.encode(as<Examples>(given)),
    reconstruct: (given) => vae.reconstruct(as<Examples>(given)),
  },
  latents: { decode: (given) => vae.decode(as(given)) },
  datasets: {
    train: (given) => drain(vae.train(as(given), { steps: 1, batchSize: 1 })),
    "train's test set": (given) => drain(vae.train(good, { steps: 1, batchSize: 1, test: as<Dataset>(given) })),
    elbo: (given) => vae.elbo(as(given)),
    take: (given) => datasets.take(as(given), 1),
    standardise: (given) => datasets.standardise(as(given)),
  },
  pictures: { fromImageData: (given) => datasets.fromImageData(as(given), { channels: 3 }) },
  labels: { "fromArray's labels": (given) => datasets.fromArray(new Uint8Array(24), { shape, labels: as(given) }) },
  files: {
    fromNpy: (given) => datasets.fromNpy(as(given)),
    "fromNpy's labels": (given) => datasets.fromNpy(npy, { labels: as<Uint8Array>(given) }),
    imagesFromIdx: (given) => datasets.imagesFromIdx({ images: as(given), name: "i" }),
    "imagesFromIdx's labels": (given) => datasets.imagesFromIdx({ images: idx, labels: as(given), name: "i" }),
    load: (given) => VAE.load(as(given), { device }),
  },
};
const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7);
const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), }".padEnd(117);
const npy = Buffer.from(`\x93NUMPY\x01\x00v\x00${header}\n\x07`, "latin1");

/** What `act` threw or rejected with; nothing where it did neither. */
async function thrown(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error ?? "nothing";
  }
}

const refuses = (kind: string, given: unknown, pattern: RegExp) => refusesAt(doors[kind]!, kind, given, pattern);

async function refusesAt(asked: (typeof doors)[string], kind: string, given: unknown, pattern: RegExp): Promise<void> {
  for (const [door, act] of Object.entries(asked)) {
    const error = await thrown(() => act(given));
    expect(error, `${door} of ${kind}`).toBeInstanceOf(WebvaeError);
    const { code, message } = error as WebvaeError;
    expect([door, code]).toEqual([door, kind === "files" ? "INVALID_FILE" : "INVALID_DATA"]);
    expect(`${door}: ${message}`).toMatch(pattern);
  }
}

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

    if (bytes) await refuses("latents", given, /^decode: decode: latents are floats, not bytes/);
    else {
      expect(await thrown(() => vae.decode(as(given)))).toBeUndefined();
      expect(rowsOf("decode", as(given), [WIDTH]).source).toEqual(wanted);
    }
    await refuses(
      "datasets",
      given,
      /fromArray\(values, \{ shape: \[(2, 2, 3)?\] \}\) of webvae\/datasets makes a Dataset/,
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

describe("cells that are no numbers", () => {
  /** Without its value at `index`, and yet as long. */
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
    ["a blank", " ", /is " ", not/],
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
    ["an object of nothing", Object.create(null), /is an object with the keys , not/],
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

  it("integers that floats do not have", async () => {
    const exact = Int32Array.from(bits, (bit) => bit * 2 ** 24);
    expect(datasets.fromArray(exact, { shape }).values).toContain(2 ** 24);
    for (const Type of [Int32Array, Uint32Array]) {
      const given = Type.from(bits);
      given[17] = 2 ** 24 + 1;
      await refuses("numbers", given, /value 17 \(row 1, column 5\) is 16777217; integers beyond 2\^24/);
    }
  });
});

describe("what is no examples", () => {
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
      /found a BigInt64Array.*; Float64Array\.from\(values, Number\)/,
    ],
    ["a picture", picture(), /found an object with the keys width, height, data; fromImageData/],
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
        /row 0 is an object with the keys width, height, data.*; fromImageData/,
      );
    }
    await refuses("datasets", [picture()], /expected a Dataset, found an Array of 1; fromImageData\(list/);
  });

  it("the pixels of three pictures, which would be four examples", async () => {
    const pixels = new Uint8ClampedArray(3 * 2 * 2 * 4);
    const both =
      /are these 3 RGBA pictures or 4 examples\? For pictures use fromImageData\(list, \{ channels: 3 \}\), for examples fromArray/;
    await refuses("numbers", pixels, both);
    // Who says how many there are is believed, or refused.
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
    await refuses("numbers", nested, /row 0 has 2 values, the shape takes 12; row\.flat\(Infinity\) makes one list/);
  });

  it("rows of which some are bytes", async () => {
    const mixed = [Uint8Array.from(rows[0]!), rows[1]];
    await refuses(
      "numbers",
      mixed,
      /row 1 is an Array of 12, but row 0 is a Uint8Array of 12: rows of bytes, which stand for value \/ 255, cannot be mixed with others/,
    );
    await refuses("numbers", mixed.toReversed(), /row 1 is a Uint8Array of 12, but row 0 is an Array of 12/);
  });

  it("rows that are none, of another length, or missing", async () => {
    await refuses("numbers", [rows[0], null], /row 1 is null, not 12 numbers/);
    await refuses("numbers", [rows[0], "text"], /row 1 is "text", not 12 numbers/);
    await refuses("numbers", [rows[0], rows[1]!.slice(1)], /row 1 has 11 values, the shape takes 12/);
    await refuses("numbers", [rows[0], , rows[1]], /row 1 is undefined/); // eslint-disable-line no-sparse-arrays
    await refuses("numbers", new Float32Array(25), /25/);
    await refuses("numbers", [], /no examples|found 0/);
    expect(() => datasets.fromArray([[1]], { shape: [2 ** 40] })).toThrow(fault("INVALID_DATA", /row 0 has 1 values/));
  });

  it("data sets whose arrays are of other types", async () => {
    const with_ = (more: object) => ({ ...good, ...more });
    const hint = /; fromArray\(values, \{ shape: \[2, 2, 3\] \}\) of webvae\/datasets makes a Dataset/;
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

describe("values that the likelihood refuses", () => {
  const cases: [string, unknown][] = [
    ["floats", Float32Array.from(bits, (bit) => 255 * bit)],
    ["rows", rows.map((row) => row.map((bit) => 255 * bit))],
    ["doubles", Float64Array.from(bits, (bit) => 255 * bit)],
  ];
  const said =
    /a Bernoulli likelihood takes values in \[0, 1\]; value \d+ of example 0 is 255.*scale: 255 of fromArray and fromNpy/;
  it.each(cases)("%s", async (_, given) => {
    for (const call of ["encode", "reconstruct"]) {
      await expect(doors.numbers![call]!(given)).rejects.toThrow(fault("INVALID_DATA", said));
    }
    const dataset = datasets.fromArray(as(given), { shape });
    for (const call of ["train", "train's test set", "elbo"]) {
      await expect(doors.datasets![call]!(dataset)).rejects.toThrow(fault("INVALID_DATA", said));
    }
    await expect(doors.numbers!["encode"]!(dataset)).rejects.toThrow(fault("INVALID_DATA", said));
    // As the message has it.
    const scaled = datasets.fromArray(as(given), { shape, scale: 255 });
    expect(scaled.values).toEqual(Float32Array.from(bits));
    await vae.encode(scaled);
    // A latent may have any value.
    await vae.decode(as(given));
  });
});
