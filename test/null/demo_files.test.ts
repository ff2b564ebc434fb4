// What the demo makes of a visitor's files, as far as no browser is needed: headers, arrays, notes. Pictures are decoded in
// test/browser/demo_data.test.ts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrayKind, headOf } from "../../demo/data/array_kind.js";
import { dataFromFiles } from "../../demo/data/files.js";
import { classesOf } from "../../demo/data/folders.js";
import { holdOut, sampleOf, shuffled } from "../../demo/data/hold_out.js";
import { LeftOut, shortName } from "../../demo/data/left_out.js";
import { DataFault } from "../../demo/data/loaded.js";
import { pictureSize } from "../../demo/data/picture_header.js";
import { fromArray } from "../../src/datasets.js";
import { gzip, idxBytes, idxFile } from "../support/idx.js";
import { npyBytes, npyFile } from "../support/npy.js";

const file = (name: string, ...parts: (Uint8Array | string)[]) => new File(parts as BlobPart[], name);
const ascending = (n: number) => Array.from({ length: n }, (_, i) => i);
const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it loaded"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(DataFault);
      return error as DataFault;
    },
  );

describe("pictureSize", () => {
  const bytes = (...parts: (string | number[])[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));
  const png = bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 0x4e, 0x20, 0, 0, 1, 2, 8, 2, 0, 0, 0]);
  const gif = bytes("GIF89a", [0x34, 0x12, 2, 0, 0, 0, 0]);
  const lossy = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8 ", [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 0x20, 0x43, 7, 0]);
  const lossless = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8L", [0, 0, 0, 0, 0x2f, 0x63, 0x40, 0x31, 0, 0, 0, 0, 0, 0]);
  const extended = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0]);
  const frame = [0xff, 0xc2, 0, 17, 8, 0, 30, 0x02, 0x58, 3];
  // A segment that holds a thumbnail with a frame of its own, fill bytes, a table, then the frame.
  const jpeg = bytes(
    [0xff, 0xd8, 0xff, 0xe1, 0, 12],
    [0xff, 0xc0, 0, 17, 8, 0, 1, 0, 1, 3],
    [0xff, 0xff, 0xff, 0xc4, 0, 4, 1, 2],
    frame,
    [1, 2, 3],
  );

  it.each([
    ["PNG", png, 20_000, 258],
    ["GIF", gif, 0x1234, 2],
    ["WebP", lossy, 800, 7],
    ["WebP", lossless, 100, 198],
    ["WebP", extended, 65_537, 5],
    ["JPEG", jpeg, 600, 30],
  ] as const)("reads the size of a %s", (kind, picture, width, height) => {
    expect(pictureSize(picture)).toEqual({ kind, width, height });
    // Wherever it lies in memory.
    const shifted = new Uint8Array(picture.length + 3).subarray(3);
    shifted.set(picture);
    expect(pictureSize(shifted)).toEqual({ kind, width, height });
  });

  it.each([
    ["text", bytes("a line of text that is longer than every header")],
    ["a PNG of no pixels", png.map((byte, i) => (i >= 16 && i < 20 ? 0 : byte))],
    ["a PNG that begins with another chunk", png.map((byte, i) => (i === 12 ? 0x43 : byte))],
    ["a WebP of another chunk", lossy.map((byte, i) => (i === 15 ? 0x39 : byte))],
    ["a sound", bytes("RIFF", [0, 0, 0, 0], "WAVEfmt ", new Array<number>(20).fill(0))],
    ["a JPEG whose data come first", bytes([0xff, 0xd8, 0xff, 0xda, 0, 2], frame)],
    ["a JPEG segment shorter than its length", bytes([0xff, 0xd8, 0xff, 0xe0, 0, 1], frame)],
    ["a JPEG without frames", bytes([0xff, 0xd8], new Array<number>(500).fill(0xff))],
  ])("finds none in %s", (_, other) => {
    expect(pictureSize(other)).toBeUndefined();
  });

  it("survives every cut and any damage", () => {
    const all = [png, gif, lossy, lossless, extended, jpeg];
    for (const picture of all) {
      const whole = pictureSize(picture);
      for (let keep = 0; keep < picture.length; keep++) {
        const found = pictureSize(picture.subarray(0, keep));
        if (found) expect(found).toEqual(whole);
      }
    }
    const change = fc.record({ at: fc.nat(60), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.array(change, { maxLength: 8 }), (picture, changes) => {
        const damaged = picture.slice();
        for (const { at, byte } of changes) if (at < damaged.length) damaged[at] = byte;
        const found = pictureSize(damaged);
        if (found) expect(Math.min(found.width, found.height)).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("holding out", () => {
  it("orders by seed, each number once", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), (n, seed) => {
        expect([...shuffled(n, seed)].sort((a, b) => a - b)).toEqual(ascending(n));
      }),
    );
    expect(shuffled(100, 1)).toEqual(shuffled(100, 1));
    expect(shuffled(100, 1)).not.toEqual(shuffled(100, 2));
  });

  it("puts every number anywhere about as often", () => {
    const places = ascending(10).map(() => 0);
    for (let seed = 0; seed < 2000; seed++) places[shuffled(10, seed).indexOf(3)]!++;
    // 200 each; five standard deviations are 67.
    for (const count of places) expect(Math.abs(count - 200)).toBeLessThan(67);
  });

  it.each([
    [2, 1],
    [14, 1],
    [15, 2],
    [1000, 100],
    [150_000, 10_000],
  ])("keeps of %i examples %i for the test, and loses none", (count, tested) => {
    const values = Float32Array.from({ length: 2 * count }, (_, i) => i >> 1);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 7);
    const { train, test } = holdOut(fromArray(values, { shape: [2], labels, name: "n" }), 5);
    expect([train.count, test.count, train.name, test.shape]).toEqual([count - tested, tested, "n", [2]]);
    const seen = new Uint8Array(count);
    for (const set of [train, test]) {
      for (let i = 0; i < set.count; i++) {
        const index = set.values[2 * i]!;
        seen[index]!++;
        if (set.values[2 * i + 1] !== index || set.labels![i] !== index % 7) expect.unreachable("rows were mixed");
      }
    }
    expect(seen.every((times) => times === 1)).toBe(true);
  });

  it("takes a sample where there are too many", () => {
    const dataset = fromArray(Uint8Array.from(ascending(100)), { shape: [1] });
    expect(sampleOf(dataset, 100, 1)).toBe(dataset);
    const sample = sampleOf(dataset, 10, 1);
    expect(sample.count).toBe(10);
    expect(new Set(sample.values).size).toBe(10);
    expect([...sample.values]).not.toEqual(ascending(10));
    expect(sampleOf(dataset, 10, 1)).toEqual(sample);
  });
});

describe("folders", () => {
  it("are classes where there are several", () => {
    expect(classesOf(["a.png", "b.png"])).toBeUndefined();
    expect(classesOf(["all/a.png", "all/b.png"])).toBeUndefined();
    expect(classesOf(["pets/dogs/1", "pets/cats/1", "pets/dogs/2"])).toEqual({
      labels: Uint8Array.of(1, 0, 1),
      labelNames: ["cats", "dogs"],
    });
    expect(classesOf(["x/train/1", "y/train/1", "1"])).toEqual({
      labels: Uint8Array.of(1, 2, 0),
      labelNames: ["no folder", "x/train", "y/train"],
    });
    const paths = (n: number) => Array.from({ length: n }, (_, i) => `${i}/picture`);
    expect(classesOf(paths(256))!.labelNames).toHaveLength(256);
    expect(classesOf(paths(257))).toBeUndefined();
  });
});

describe("files that are left out", () => {
  it("are named with their reasons, a few of each", () => {
    const leftOut = new LeftOut();
    expect(leftOut.notes(9)).toEqual([]);
    leftOut.add("a.txt", "no picture");
    for (let i = 0; i < 1003; i++) leftOut.add(`${i}.png`, "empty");
    expect(leftOut.notes(2000)).toEqual([
      "Left out 1,004 of 2,000 files. No picture: a.txt; empty: 0.png, 1.png, 2.png and 1,000 more.",
    ]);
  });

  it("have names that fit a line", () => {
    expect(shortName("plain name.png")).toBe("plain name.png");
    expect(shortName(`${"x".repeat(300)}.jpeg`)).toBe(`${"x".repeat(24)}…${"x".repeat(7)}.jpeg`);
    expect(shortName("\u202egnp.exe\n\0")).toBe("\ufffdgnp.exe\ufffd\ufffd");
    expect(shortName("🙂".repeat(60))).toBe(`${"🙂".repeat(24)}…${"🙂".repeat(12)}`);
  });
});

describe("arrays among the files", () => {
  const values = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37) % 256);
  const images = idxBytes([20, 4, 3], values(240));
  const labels = idxBytes(
    [20],
    Uint8Array.from({ length: 20 }, (_, i) => i % 5),
  );

  it("are told apart by their bytes", async () => {
    const told = async (bytes: Uint8Array) => arrayKind(await headOf(file("x.png", bytes)));
    expect(await told(images)).toEqual({ format: "IDX", shape: [20, 4, 3] });
    expect(await told(gzip(labels))).toEqual({ format: "IDX", shape: [20] });
    expect(await told(npyBytes([5, 7], values(35)))).toEqual({ format: "npy", shape: [5, 7] });
    expect(await told(gzip(npyBytes([9], values(9), 3)))).toEqual({ format: "npy", shape: [9] });
    // Damaged further on.
    const large = gzip(
      npyBytes(
        [50_000],
        Uint8Array.from({ length: 50_000 }, () => Math.random() * 256),
      ),
    );
    expect(await told(large.subarray(0, 45_000))).toEqual({ format: "npy", shape: [50_000] });
    for (const other of ["", "text", "\0\0\x01\0\x02", "\x1f\x8bno gzip"]) {
      expect(await told(Buffer.from(other, "latin1"))).toBeUndefined();
    }
  });

  it("give images with the labels beside them, a tenth held out", async () => {
    const files = [file("labels.png", labels), file("images.txt", gzip(images))];
    const loaded = await dataFromFiles(files);
    expect(loaded).toMatchObject({ name: "images.txt", kind: "images", shape: [4, 3, 1] });
    expect([loaded.train.count, loaded.test.count]).toEqual([18, 2]);
    expect(loaded.labelNames).toEqual(["0", "1", "2", "3", "4"]);
    for (const { values: held, labels: classes, count } of [loaded.train, loaded.test]) {
      for (let i = 0; i < count; i++) {
        const row = values(240).findIndex((_, at) => at % 12 === 0 && held[12 * i] === (at * 37) % 256) / 12;
        expect(classes![i]).toBe(row % 5);
      }
    }
    expect((await dataFromFiles(files)).test).toEqual(loaded.test);
    expect((await dataFromFiles(files, { seed: 1 })).test).not.toEqual(loaded.test);
  });

  it("give MNIST's four files as they belong together", async () => {
    const set = (n: number, name: string) => [
      file(`${name}-images`, gzip(idxBytes([n, 2, 2], values(4 * n)))),
      file(
        `${name}-labels`,
        gzip(
          idxBytes(
            [n],
            values(n).map((value) => value % 10),
          ),
        ),
      ),
    ];
    const { train, test, notes } = await dataFromFiles([...set(10, "t10k"), ...set(60, "train")]);
    expect([train.count, test.count]).toEqual([60, 10]);
    expect([...train.labels!.subarray(0, 3)]).toEqual([0, 7, 4]);
    expect(notes).toEqual([expect.stringMatching(/^60 examples to train on and 10 for the test/)]);
  });

  it("give npy images of floats, colour, and points", async () => {
    const shares = Float32Array.from({ length: 10 * 2 * 2 * 3 }, (_, i) => i / 120);
    const colour = await dataFromFiles([file("c", npyBytes([10, 2, 2, 3], shares))]);
    expect(colour).toMatchObject({ kind: "images", shape: [2, 2, 3] });
    expect(colour.train.values).toBeInstanceOf(Float32Array);

    const raw = Float64Array.from({ length: 2000 }, (_, i) => (i % 2 ? 500 : -3) + ((i * 7919) % 100));
    const points = await dataFromFiles([file("p", npyBytes([1000, 2], raw))]);
    expect(points).toMatchObject({ kind: "points", shape: [2], train: { count: 900 } });
    const all = [...points.train.values, ...points.test.values];
    for (const axis of [0, 1]) {
      const of = all.filter((_, i) => i % 2 === axis);
      const mean = of.reduce((a, b) => a + b, 0) / 1000;
      expect(mean).toBeCloseTo(0, 4);
      expect(of.reduce((a, b) => a + b * b, 0) / 1000).toBeCloseTo(1, 1);
    }
    expect(points.notes.join(" ")).toMatch(/moved by \([-\d.]+, [-\d.]+\)/);
  });

  it("takes rows of a square for pictures", async () => {
    const { shape, notes, train } = await dataFromFiles([file("rows", npyBytes([30, 64], values(1920)))]);
    expect(shape).toEqual([8, 8, 1]);
    expect(train.count).toBe(27);
    expect(notes).toContain("Each row of 64 values is taken as a picture of 8 x 8.");
    const dim = await dataFromFiles([
      file(
        "digits",
        npyBytes(
          [30, 64],
          Float64Array.from(values(1920), (value) => value % 17),
        ),
      ),
    ]);
    expect(dim.notes.join(" ")).toContain("Its values reach 16 of 255");
  });

  it("leaves out what does not belong to them, by name", async () => {
    const { notes, train } = await dataFromFiles([
      file("a", images),
      file("b", idxBytes([7], values(7))),
      file("c", npyBytes([20], values(20))),
      file("README", "text"),
    ]);
    expect(train.labels).toBeUndefined();
    expect(notes.at(-1)).toBe(
      "Left out 3 of 4 files. Neither an IDX nor an npy file, as others here are: README; labels of no images here: b, c.",
    );
  });

  it("are sampled where a GPU could not hold them", async () => {
    const huge = idxFile(0x08, [10_000, 128, 128], new Uint8Array(10_000 * 128 * 128));
    const { train, test, notes } = await dataFromFiles([file("huge", gzip(huge))]);
    expect(train.count + test.count).toBe(8192);
    expect(notes.join(" ")).toContain("8,192 of 10,000 examples are used, chosen by chance");
  });

  const normalized = Float32Array.from({ length: 6 * 784 }, (_, i) => (i % 7) - 0.42);
  it.each([
    ["labels alone", [file("l", labels)], "Labels, but no images", /one number per example/],
    [
      "three arrays of images",
      [1, 2, 3].map((n) => file(`${n}`, images)),
      "Too many arrays",
      /belong together: 1, 2, 3/,
    ],
    ["two of other shapes", [file("a", images), file("b", idxBytes([2, 4, 4], values(32)))], "Too many arrays", /a, b/],
    ["two of points", ["a", "b"].map((n) => file(n, npyBytes([6, 2], values(12)))), "Too many arrays", /one file/],
    ["one example", [file("one", idxBytes([1, 4, 4], values(16)))], "One example is too few", /another for the test/],
    ["a truncated array", [file("cut", images.subarray(0, 100))], "cut cannot be used", /truncated: shape 20x4x3/],
    [
      "a broken gzip",
      [file("cut.gz", gzip(idxBytes([90, 40], values(3600))).subarray(0, 90))],
      "cut.gz cannot be used",
      /gzip/,
    ],
    ["integers", [file("ints", idxFile(0x0c, [1, 2, 2], values(16)))], "ints cannot be used", /type int; only/],
    [
      "a list of numbers",
      [file("a", npyFile("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", values(24)))],
      "a cannot be used",
      /Fortran order/,
    ],
    [
      "wide rows",
      [file("wide", npyBytes([6, 10], values(60)))],
      "This page cannot show these data",
      /rows of 10 values/,
    ],
    [
      "large images",
      [file("l", npyBytes([2, 256, 256], values(131_072)))],
      "This page cannot show these pictures",
      /256 x 256; at most 128/,
    ],
    [
      "four channels",
      [file("f", npyBytes([2, 4, 4, 4], values(128)))],
      "This page cannot show these pictures",
      /4x4x4, that is 4 channels/,
    ],
    [
      "normalized rows",
      [file("n", npyBytes([6, 784], normalized))],
      "This page cannot show these pictures",
      /values from -0\.42 to 5\.58;/,
    ],
    ["no file", [], "No files", /nothing to train on/],
  ] as const)("refuses %s", async (_, files, title, message) => {
    const fault = await faultOf(dataFromFiles(files));
    expect([fault.title, fault.message]).toEqual([title, expect.stringMatching(message)]);
    expect(fault.hints.length).toBeGreaterThan(0);
  });

  it("says what to do about PyTorch's order of axes", async () => {
    const fault = await faultOf(dataFromFiles([file("f", npyBytes([2, 3, 8, 8], values(384)))]));
    expect(fault.hints).toEqual(["If it is [n, channels, height, width], save a.transpose(0, 2, 3, 1)."]);
  });

  it("refuses sizes and numbers of files beyond all sense", async () => {
    for (const size of [7, 129, 32.5, NaN]) {
      expect((await faultOf(dataFromFiles([file("a", images)], { size }))).title).toBe("This size does not work");
    }
    const one = file("a", images);
    const many = await faultOf(dataFromFiles(Array.from({ length: 100_001 }, () => one)));
    expect(many.message).toMatch(/100,001 files; at most 100,000/);
  });

  it("stops with the signal's reason", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(dataFromFiles([file("a", images)], { signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const onProgress = (_: number, total: number | undefined) => total === undefined && controller.abort(reason);
    await expect(
      dataFromFiles([file("a", images)], {
        signal: controller.signal,
        onProgress: (...now) => void onProgress(now[0], now[1]),
      }),
    ).rejects.toBe(reason);
  });
});
