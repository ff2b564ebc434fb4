// Data sets from npy files. What readNpy accepts and rejects is in npy.test.ts.
import { describe, expect, it } from "vitest";
import { fromNpy, type FromNpyOptions } from "../../src/data/from_npy.js";
import { fault } from "../support/fault.js";
import { gzip } from "../support/idx.js";
import { npyBytes, npyFile, npyHeader } from "../support/npy.js";

const body = (bytes: number) => new Uint8Array(bytes);

describe("fromNpy", () => {
  const refused = (
    bytes: Uint8Array,
    code: "INVALID_FILE" | "INVALID_DATA",
    pattern: RegExp,
    options?: FromNpyOptions,
  ) => expect(fromNpy(bytes, { name: "set", ...options })).rejects.toEqual(fault(code, pattern));

  it.each([
    ["bytes [n, h, w]", [3, 2, 2], Uint8Array.from({ length: 12 }, (_, i) => 20 * i), [2, 2, 1]],
    ["bytes [n, h, w, c]", [1, 2, 2, 3], Uint8Array.from({ length: 12 }, (_, i) => 20 * i), [2, 2, 3]],
    ["rows of bytes", [4, 3], Uint8Array.from({ length: 12 }, (_, i) => 20 * i), [3]],
    ["shares", [2, 1, 2], Float32Array.of(0, 0.25, 0.5, 1), [1, 2, 1]],
    ["black and white", [2, 1, 2], Float32Array.of(0, 1, 1, 0), [1, 2, 1]],
    ["features of any size", [2, 2], Float32Array.of(-3, 0.5, 1e30, 4), [2]],
  ] as const)("takes %s as they are", async (_, shape, values, example) => {
    const dataset = await fromNpy(npyBytes(shape, values));
    expect(dataset).toEqual({ name: "npy", shape: example, count: shape[0], values });
  });

  const file = (descr: string, shape: number[], values: ArrayBufferView) =>
    npyFile(npyHeader(descr, `(${shape.join(", ")},)`), new Uint8Array(values.buffer));

  it("interprets values by their type alone", async () => {
    const cases: [string, ArrayBufferView, number[]][] = [
      ["<f4", Float32Array.of(0, 2, 128, 255), [0, 2, 128, 255]],
      ["<f4", Float32Array.of(0, 2, 128, 256), [0, 2, 128, 256]],
      ["<f8", Float64Array.of(0, 0.1, 0.5, 98), [0, Math.fround(0.1), 0.5, 98]],
      ["<f2", Uint16Array.of(0x3c00, 0xbc00, 0, 0x7bff), [1, -1, 0, 65504]],
      ["|b1", Uint8Array.of(0, 1, 1, 0), [0, 1, 1, 0]],
      ["|i1", Int8Array.of(-128, 0, 1, 127), [-128, 0, 1, 127]],
      ["<i2", Int16Array.of(-300, 0, 1, 255), [-300, 0, 1, 255]],
      ["<u2", Uint16Array.of(0, 1, 255, 65535), [0, 1, 255, 65535]],
      ["<i4", Int32Array.of(-(2 ** 24), 0, 1, 2 ** 24), [-(2 ** 24), 0, 1, 2 ** 24]],
      ["<u4", Uint32Array.of(0, 1, 2, 3), [0, 1, 2, 3]],
      ["<i8", BigInt64Array.of(-1n, 0n, 255n, 16777216n), [-1, 0, 255, 16777216]],
      ["<u8", BigUint64Array.of(0n, 1n, 254n, 255n), [0, 1, 254, 255]],
    ];
    for (const [descr, values, wanted] of cases) {
      for (const shape of [
        [2, 2],
        [1, 2, 2],
      ]) {
        const dataset = await fromNpy(file(descr, shape, values));
        expect([descr, dataset.values]).toEqual([descr, Float32Array.from(wanted)]);
      }
    }
  });

  it("rejects integers that are not exact as 32-bit floats, and says where", async () => {
    const beyond = /value 3 \(row 1, column 1\) is -?16777217; integers beyond 2\^24/;
    await refused(file("<i4", [2, 2], Int32Array.of(0, 1, 2, -16777217)), "INVALID_DATA", beyond);
    await refused(file("<u4", [2, 2], Uint32Array.of(0, 1, 2, 16777217)), "INVALID_DATA", beyond);
    await refused(file("<i8", [2, 2], BigInt64Array.of(0n, 1n, 2n, -16777217n)), "INVALID_DATA", beyond);
    await refused(file("<u8", [2, 2], BigUint64Array.of(0n, 1n, 2n, 16777217n)), "INVALID_DATA", beyond);
    await refused(
      file("|b1", [2, 2], Uint8Array.of(0, 1, 2, 0)),
      "INVALID_DATA",
      /value 2 of type b1 is 2, not 0 or 1/,
    );
  });

  it("divides by the scale", async () => {
    const pixels = Float32Array.of(0, 51, 102, 255);
    const { values } = await fromNpy(npyBytes([1, 2, 2], pixels), { scale: 255 });
    expect(values).toEqual(Float32Array.of(0, 0.2, 0.4, 1));
    const bytes = npyBytes([1, 2, 2], Uint8Array.of(0, 4, 8, 16));
    expect((await fromNpy(bytes, { scale: 255 })).values).toEqual(Uint8Array.of(0, 4, 8, 16));
    expect((await fromNpy(bytes, { scale: 16 })).values).toEqual(Float32Array.of(0, 0.25, 0.5, 1));
    for (const scale of [0, -1, NaN, Infinity, "255", null]) {
      await expect(fromNpy(bytes, { scale } as FromNpyOptions)).rejects.toEqual(
        fault("INVALID_OPTION", /npy: scale must be a positive number, not/),
      );
    }
  });

  it("moves channels that come first", async () => {
    // [1, 3, 2, 2]: the red plane, the green, the blue.
    const planes = Uint8Array.of(1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24);
    const dataset = await fromNpy(npyBytes([1, 3, 2, 2], planes), { channels: "first" });
    expect(dataset).toMatchObject({ shape: [2, 2, 3], count: 1 });
    expect([...dataset.values]).toEqual([1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24]);
    const many = Float32Array.from({ length: 5 * 2 * 3 * 4 }, (_, i) => i);
    const turned = await fromNpy(npyBytes([5, 2, 3, 4], many), { channels: "first" });
    expect(turned).toMatchObject({ shape: [3, 4, 2], count: 5 });
    for (let i = 0; i < many.length; i++) {
      const [n, c, p] = [Math.floor(i / 24), Math.floor(i / 12) % 2, i % 12];
      expect(turned.values[24 * n + 2 * p + c]).toBe(i);
    }
    await refused(npyBytes([2, 2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)), "INVALID_FILE", /needs \[n, c, h, w\]/, {
      channels: "first",
    });
    await expect(fromNpy(npyBytes([1, 2], planes.subarray(0, 2)), { channels: 3 } as never)).rejects.toEqual(
      fault("INVALID_OPTION", /channels must be "first" or "last", not 3/),
    );
  });

  it("decompresses gzip, and accepts labels of any type that can represent them", async () => {
    const images = gzip(npyBytes([3, 1, 1], Uint8Array.of(7, 8, 9)));
    for (const labels of [Uint8Array.of(2, 0, 255), Float32Array.of(2, 0, 255), Float64Array.of(2, 0, 255)]) {
      const dataset = await fromNpy(images, { labels: npyBytes([3], labels), name: "mine" });
      expect(dataset).toEqual({
        name: "mine",
        shape: [1, 1, 1],
        count: 3,
        values: Uint8Array.of(7, 8, 9),
        labels: Uint8Array.of(2, 0, 255),
      });
    }
  });

  it("describes values that do not fit", async () => {
    const image = (...values: number[]) => npyBytes([1, 2, 2], Float64Array.from(values));
    await refused(image(0, 1, NaN, 2), "INVALID_DATA", /value 2 \(row 0, column 2\) is NaN/);
    await refused(image(0, 1, 1e39, 2), "INVALID_DATA", /is 1e\+39, not a finite 32-bit float/);
  });

  it("rejects anything that is not a data set", async () => {
    const bytes = (...shape: number[]) => npyBytes(shape, body(shape.reduce((a, b) => a * b, 1)));
    await refused(bytes(6), "INVALID_FILE", /^set: shape 6 is not \[n, h, w\]/);
    await refused(bytes(1, 1, 1, 1, 1), "INVALID_FILE", /shape 1x1x1x1x1 is not/);
    await refused(
      npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", body(4)),
      "INVALID_FILE",
      /a single/,
    );
    await refused("text" as unknown as Uint8Array, "INVALID_FILE", /set: must be a Uint8Array, not "text"/);
    const labels = (file: Uint8Array) => ({ labels: file });
    await refused(bytes(3, 2), "INVALID_FILE", /3 examples but 2 labels/, labels(bytes(2)));
    await refused(bytes(3, 2), "INVALID_FILE", /set labels: expected one number per example, got/, labels(bytes(3, 2)));
    const halves = npyBytes([3], Float32Array.of(0, 0.5, 1));
    await refused(bytes(3, 2), "INVALID_DATA", /label 1 is 0\.5/, labels(halves));
    await expect(fromNpy(bytes(3, 2), { nmae: "x" } as FromNpyOptions)).rejects.toEqual(
      fault("INVALID_OPTION", /nmae/),
    );
  });
});
