import { describe, expect, it } from "vitest";
import { fromImageData, type Pixels } from "../../src/datasets.js";
import { fault } from "../support/fault.js";

const pixels = (width: number, height: number, ...data: number[]): Pixels => ({
  width,
  height,
  data: Uint8ClampedArray.from(data),
});
const red = [255, 0, 0, 255];
const grey = [100, 100, 100, 255];
const clear = [0, 0, 0, 0];
const half = [200, 100, 0, 51];

describe("fromImageData", () => {
  const list = [pixels(2, 1, ...red, ...grey), pixels(2, 1, ...clear, ...half)];

  it("keeps colours, grey, or all four channels", () => {
    expect(fromImageData(list, { channels: 4, name: "all" })).toEqual({
      name: "all",
      shape: [1, 2, 4],
      count: 2,
      values: Uint8Array.of(...red, ...grey, ...clear, ...half),
    });
    const colours = fromImageData(list, { channels: 3, labels: Int32Array.of(4, 5) });
    expect(colours).toMatchObject({ shape: [1, 2, 3], count: 2, labels: Uint8Array.of(4, 5) });
    // A fifth of the colour, four fifths of white.
    expect([...colours.values]).toEqual([255, 0, 0, 100, 100, 100, 255, 255, 255, 244, 224, 204]);
    const luma = fromImageData(list, { channels: 1 });
    expect(luma.shape).toEqual([1, 2, 1]);
    expect([...luma.values]).toEqual([76, 100, 255, Math.round(0.299 * 244 + 0.587 * 224 + 0.114 * 204)]);
  });

  it("blends transparent pixels with the background", () => {
    const black = fromImageData(list, { channels: 3, background: 0 });
    expect([...black.values.subarray(6)]).toEqual([0, 0, 0, 40, 20, 0]);
    expect([...fromImageData(list, { channels: 1, background: 7 }).values][2]).toBe(7);
  });

  it("copies, and accepts plain bytes", () => {
    const given = { width: 1, height: 1, data: Uint8Array.of(9, 8, 7, 255) };
    const { values } = fromImageData([given], { channels: 4 });
    given.data.fill(0);
    expect([...values]).toEqual([9, 8, 7, 255]);
  });

  it.each([
    ["no pictures", [], { channels: 3 }, /picture 0 is undefined, not \{ width/],
    [
      "one picture outside a list",
      list[0],
      { channels: 3 },
      /found an object with the keys .*; put the single picture in an array/,
    ],
    [
      "another size",
      [list[0], pixels(1, 2, ...red, ...red)],
      { channels: 3 },
      /picture 1 has 1 x 2 pixels, and picture 0 has 2 x 1/,
    ],
    [
      "three bytes per pixel",
      [pixels(2, 1, 1, 2, 3, 4, 5, 6)],
      { channels: 3 },
      /picture 0 has 6 bytes, but 2 x 1 .* take 8/,
    ],
    [
      "floats",
      [{ width: 1, height: 1, data: new Float32Array(4) }],
      { channels: 3 },
      /picture 0 is an object .* with bytes/,
    ],
    ["a width of text", [{ ...list[0], width: "2" }], { channels: 3 }, /picture 0 is an object/],
    ["a hole", [list[0], null], { channels: 3 }, /picture 1 is null/],
  ])("rejects %s", (_, given, options, pattern) => {
    expect(() => fromImageData(given as never, options as never)).toThrow(fault("INVALID_DATA", pattern));
  });

  it.each([
    [{ channels: 2 }, /channels must be 1, 3 or 4, not 2/],
    [{}, /channels must be 1, 3 or 4, not undefined/],
    [{ channels: 3, background: 256 }, /background must be a whole number in 0\.\.255, not 256/],
    [{ channels: 3, colours: 1 }, /unknown key "colours"/],
  ])("rejects the options %j", (options, pattern) => {
    expect(() => fromImageData(list, options as never)).toThrow(fault("INVALID_OPTION", pattern));
  });
});
