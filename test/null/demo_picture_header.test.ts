// A picture's size from its header. Pictures themselves are decoded in test/browser/demo_data.test.ts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pictureSize, tooLarge } from "../../demo/data/picture_header.js";

describe("pictureSize", () => {
  const bytes = (...parts: (string | number[])[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));
  const png = bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 0x4e, 0x20, 0, 0, 1, 2, 8, 2, 0, 0, 0]);
  // A table of two colours, an extension of two blocks, then a frame of 9 x 7 at (0, 1).
  const gif = bytes(
    "GIF89a",
    [0x34, 0x12, 2, 0, 0x80, 0, 0],
    [1, 2, 3, 4, 5, 6],
    [0x21, 0xf9, 2, 0x2c, 0x2c, 1, 0, 0],
    [0x2c, 0, 0, 1, 0, 9, 0, 7, 0, 0],
  );
  const lossy = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8 ", [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 0x20, 0x43, 7, 0]);
  const lossless = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8L", [0, 0, 0, 0, 0x2f, 0x63, 0x40, 0x31, 0, 0, 0, 0, 0, 0]);
  const extended = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0]);
  const frame = [0xff, 0xc2, 0, 17, 8, 0, 30, 0x02, 0x58, 3];
  // A segment with a thumbnail that has its own frame, fill bytes, a table, then the frame.
  const jpeg = bytes(
    [0xff, 0xd8, 0xff, 0xe1, 0, 12],
    [0xff, 0xc0, 0, 17, 8, 0, 1, 0, 1, 3],
    [0xff, 0xff, 0xff, 0xc4, 0, 4, 1, 2],
    frame,
    [1, 2, 3],
  );

  it.each([
    ["PNG", png, 20_000, 258],
    ["GIF", gif, 0x1234, 8],
    ["WebP", lossy, 800, 7],
    ["WebP", lossless, 100, 198],
    ["WebP", extended, 65_537, 5],
    ["JPEG", jpeg, 600, 30],
  ] as const)("reads the size of a %s", (kind, picture, width, height) => {
    expect(pictureSize(picture)).toEqual({ kind, width, height });
    // At any offset in memory.
    const shifted = new Uint8Array(picture.length + 3).subarray(3);
    shifted.set(picture);
    expect(pictureSize(shifted)).toEqual({ kind, width, height });
  });

  it.each([
    ["text", bytes("a line of text that is longer than every header")],
    ["a PNG without pixels", png.map((byte, i) => (i >= 16 && i < 20 ? 0 : byte))],
    ["a PNG that begins with another chunk", png.map((byte, i) => (i === 12 ? 0x43 : byte))],
    ["a WebP with another chunk", lossy.map((byte, i) => (i === 15 ? 0x39 : byte))],
    ["a sound", bytes("RIFF", [0, 0, 0, 0], "WAVEfmt ", new Array<number>(20).fill(0))],
    ["a JPEG whose data comes first", bytes([0xff, 0xd8, 0xff, 0xda, 0, 2], frame)],
    ["a GIF without a frame", gif.subarray(0, 27)],
    ["a JPEG marker that has no length", bytes([0xff, 0xd8, 0xff, 0xe0, 0, 2, 0xff, 0xd0, 0, 2], frame)],
    ["a JPEG segment shorter than its length", bytes([0xff, 0xd8, 0xff, 0xe0, 0, 1], frame)],
    ["a JPEG without frames", bytes([0xff, 0xd8], new Array<number>(500).fill(0xff))],
  ])("finds none in %s", (_, other) => {
    expect(pictureSize(other)).toBeUndefined();
  });

  it("says which pictures are not decoded, by their pixels and their file's size", () => {
    const small = bytes("GIF89a", [1, 0, 1, 0, 0, 0, 0], [0x2c, 0, 0, 0, 0, 0x80, 0x3e, 0x9e, 0x3e, 0]);
    const size = pictureSize(small)!;
    expect(size).toEqual({ kind: "GIF", width: 16_000, height: 16_030 });
    expect(tooLarge(size, 184)).toBe("more than 50 million pixels (16000 x 16030)");
    const of = (width: number, height: number, length: number) => tooLarge({ kind: "PNG", width, height }, length);
    expect(of(7000, 7000, 184)).toBe("more pixels (7000 x 7000) than a file of its size can show");
    expect(of(7000, 7000, 98_000)).toBeUndefined();
    expect(of(2000, 2000, 100)).toBeUndefined();
    expect(of(3840, 2160, 30_000)).toBeUndefined();
    expect(of(10_000, 5001, 2 ** 26)).toMatch(/50 million/);
  });

  it("survives every truncation and any damage", () => {
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
