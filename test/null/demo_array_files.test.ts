// IDX and npy files among a visitor's files: recognized by their bytes, combined, or rejected by name.
import { describe, expect, it } from "vitest";
import { arrayKind, headOf } from "../../demo/data/array_kind.js";
import { dataFromFiles } from "../../demo/data/files.js";
import { DataFault } from "../../demo/data/loaded.js";
import { gzip, idxBytes, idxFile } from "../support/idx.js";
import { npyBytes, npyFile } from "../support/npy.js";

const file = (name: string, ...parts: (Uint8Array | string)[]) => new File(parts as BlobPart[], name);
const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it loaded"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(DataFault);
      return error as DataFault;
    },
  );

describe("arrays among the files", () => {
  const values = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37) % 256);
  const images = idxBytes([20, 4, 3], values(240));
  const labels = idxBytes(
    [20],
    Uint8Array.from({ length: 20 }, (_, i) => i % 5),
  );

  it("are recognized by their bytes", async () => {
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

  it("give images with their labels, a tenth held out", async () => {
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

  it("combine MNIST's four files", async () => {
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
    expect(notes).toEqual([expect.stringMatching(/^60 examples for training and 10 for testing/)]);
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
    expect(points.notes.join(" ")).toMatch(/shifted by \([-\d.]+, [-\d.]+\)/);
  });

  it("treats rows of n² values as pictures", async () => {
    const { shape, notes, train } = await dataFromFiles([file("rows", npyBytes([30, 64], values(1920)))]);
    expect(shape).toEqual([8, 8, 1]);
    expect(train.count).toBe(27);
    expect(notes).toContain("Each row of 64 values is treated as a picture of 8 x 8.");
    const dim = await dataFromFiles([
      file(
        "digits",
        npyBytes(
          [30, 64],
          values(1920).map((value) => value % 17),
        ),
      ),
    ]);
    expect(dim.notes.join(" ")).toContain("The largest value is 16 of 255");
  });

  it("leaves out other files, by name", async () => {
    const { notes, train } = await dataFromFiles([
      file("a", images),
      file("b", idxBytes([7], values(7))),
      file("c", npyBytes([20], values(20))),
      file("README", "text"),
    ]);
    expect(train.labels).toBeUndefined();
    expect(notes.at(-1)).toBe(
      "Left out 3 of 4 files. Not an IDX or npy file like the others: README; labels that match no images here: b, c.",
    );
  });

  it("are sampled if a GPU could not hold them", async () => {
    const huge = idxFile(0x08, [10_000, 128, 128], new Uint8Array(10_000 * 128 * 128));
    const { train, test, notes } = await dataFromFiles([file("huge", gzip(huge))]);
    expect(train.count + test.count).toBe(8192);
    expect(notes.join(" ")).toContain("8,192 of 10,000 examples are used, chosen at random");
  });

  const normalized = Float32Array.from({ length: 6 * 784 }, (_, i) => (i % 7) - 0.42);
  it.each([
    ["labels alone", [file("l", labels)], "Labels without images", /one number per example/],
    [
      "three arrays of images",
      [1, 2, 3].map((n) => file(`${n}`, images)),
      "Too many arrays",
      /belong together: 1, 2, 3/,
    ],
    ["two of other shapes", [file("a", images), file("b", idxBytes([2, 4, 4], values(32)))], "Too many arrays", /a, b/],
    ["two of points", ["a", "b"].map((n) => file(n, npyBytes([6, 2], values(12)))), "Too many arrays", /single file/],
    ["one example", [file("one", idxBytes([1, 4, 4], values(16)))], "One example is too few", /one for testing/],
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
      "This page cannot show this data",
      /rows of 10 values/,
    ],
    [
      "large images",
      [file("l", npyBytes([2, 256, 256], values(131_072)))],
      "This page cannot show these pictures",
      /256 x 256; the limit here is 128 x 128/,
    ],
    [
      "four channels",
      [file("f", npyBytes([2, 4, 4, 4], values(128)))],
      "This page cannot show these pictures",
      /4x4x4, that is, 4 channels/,
    ],
    [
      "normalized rows",
      [file("n", npyBytes([6, 784], normalized))],
      "This page cannot show these pictures",
      /values from -0\.42 to 5\.58;/,
    ],
    ["no file", [], "No files", /nothing to train on/],
  ] as const)("rejects %s", async (_, files, title, message) => {
    const fault = await faultOf(dataFromFiles(files));
    expect([fault.title, fault.message]).toEqual([title, expect.stringMatching(message)]);
    expect(fault.hints.length).toBeGreaterThan(0);
  });

  it("says what to do about PyTorch's order of axes", async () => {
    const fault = await faultOf(dataFromFiles([file("f", npyBytes([2, 3, 8, 8], values(384)))]));
    expect(fault.hints).toEqual(["If the array is [n, channels, height, width], save a.transpose(0, 2, 3, 1)."]);
  });

  it("rejects unreasonable sizes and numbers of files", async () => {
    for (const size of [7, 129, 32.5, NaN]) {
      expect((await faultOf(dataFromFiles([file("a", images)], { size }))).title).toBe("This size is not supported");
    }
    const one = file("a", images);
    const many = await faultOf(dataFromFiles(Array.from({ length: 100_001 }, () => one)));
    expect(many.message).toMatch(/100,001 files; the limit is 100,000/);
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
