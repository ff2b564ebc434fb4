import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gunzipIfNeeded, readIdx } from "../../src/data/idx.js";
import { WebvaeError } from "../../src/errors.js";
import { fault } from "../support/fault.js";
import { gzip, idxBytes, idxFile } from "../support/idx.js";

const invalid = (pattern: RegExp) => fault("INVALID_FILE", pattern);
const read = (bytes: Uint8Array) => () => readIdx(bytes, { name: "a.idx" });

describe("readIdx", () => {
  it("reads bytes without a copy", () => {
    const file = idxBytes([2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
    const { shape, values } = readIdx(file);
    expect(shape).toEqual([2, 3]);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(values.buffer).toBe(file.buffer);
    expect(readIdx(Buffer.from(file)).values.constructor).toBe(Uint8Array);
  });

  it.each([
    ["an empty file", new Uint8Array(), /^a\.idx: 0 bytes is too short/],
    ["another magic", Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0), /starts with 01 00 08 01/],
    ["an unknown type", idxFile(0x07, [1], Uint8Array.of(0)), /starts with 00 00 07 01/],
    ["an unsupported type", idxFile(0x0c, [1], new Uint8Array(4)), /type int; only/],
    ["no dimensions", idxFile(0x08, [], Uint8Array.of(1)), /no dimensions/],
    [
      "a truncated header",
      idxBytes([2, 2, 2], new Uint8Array(8)).subarray(0, 10),
      /10 bytes, but a header of 3 dimensions takes 16/,
    ],
    ["a dimension of 0", idxBytes([4, 0], new Uint8Array(4)), /dimension 1 is 0/],
    ["a dimension of 0 after one too large", idxBytes([1000, 0], new Uint8Array(4)), /dimension 1 is 0/],
    ["missing values", idxBytes([2, 3], new Uint8Array(5)), /shape 2x3 takes 6 bytes, 5 follow/],
    ["trailing bytes", idxBytes([2, 3], new Uint8Array(9)), /3 bytes too many for shape 2x3/],
    ["floats", idxFile(0x0d, [2, 3], new Uint8Array(24)), /type float; only/],
    ["floats labelled bytes", idxFile(0x08, [2, 3], new Uint8Array(24)), /18 bytes too many/],
    [
      "a product beyond 2^53",
      idxBytes(new Array<number>(8).fill(0xffffffff), new Uint8Array(8)),
      /4294967295 takes \d/,
    ],
  ])("refuses %s", (_, file, pattern) => {
    expect(read(file)).toThrow(invalid(pattern));
  });

  it("round-trips any shape", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(255)),
        (shape, stream) => {
          const size = shape.reduce((a, b) => a * b, 1);
          const values = Uint8Array.from([...stream.take(size)]);
          expect(readIdx(idxBytes(shape, values))).toEqual({ shape, values });
        },
      ),
    );
  });

  it("meets any damage with INVALID_FILE, and never returns more than came in", () => {
    const files = [idxBytes([3, 4, 5], new Uint8Array(60)), idxBytes([15], new Uint8Array(15))];
    const damage = fc.record({
      file: fc.constantFrom(...files),
      keep: fc.nat(80),
      flips: fc.array(fc.record({ at: fc.nat(79), bit: fc.nat(7) }), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(damage, ({ file, keep, flips }) => {
        const damaged = file.slice(0, keep);
        for (const { at, bit } of flips) if (at < damaged.length) damaged[at]! ^= 1 << bit;
        try {
          const { shape, values } = readIdx(damaged);
          expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
          expect(values.byteLength).toBeLessThan(damaged.length);
        } catch (error) {
          expect(error).toBeInstanceOf(WebvaeError);
          expect((error as WebvaeError).code).toBe("INVALID_FILE");
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("gunzipIfNeeded", () => {
  const plain = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251);

  it("passes on what is not gzip", async () => {
    expect(await gunzipIfNeeded(plain, { maxBytes: 5000 })).toBe(plain);
    await expect(gunzipIfNeeded(plain, { maxBytes: 4999 })).rejects.toEqual(invalid(/more than the 4999 bytes/));
  });

  it("unpacks gzip up to the limit", async () => {
    expect(await gunzipIfNeeded(gzip(plain), { maxBytes: 5000 })).toEqual(plain);
    await expect(gunzipIfNeeded(gzip(plain), { maxBytes: 4999, name: "b.gz" })).rejects.toEqual(
      invalid(/^b\.gz: more than the 4999 bytes/),
    );
  });

  it("ends a decompression bomb early", async () => {
    const bomb = gzip(new Uint8Array(200_000_000));
    const before = process.memoryUsage().arrayBuffers;
    await expect(gunzipIfNeeded(bomb, { maxBytes: 1_000_000 })).rejects.toEqual(invalid(/more than the 1000000/));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  it("meets any damage with INVALID_FILE", async () => {
    const packed = gzip(plain);
    await expect(gunzipIfNeeded(packed.subarray(0, 100), { maxBytes: 5000 })).rejects.toEqual(
      invalid(/corrupt or truncated gzip \(100 bytes in/),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: packed.length }),
        fc.nat(packed.length - 1),
        fc.nat(7),
        async (keep, at, bit) => {
          const damaged = packed.slice(0, keep);
          if (at >= 2 && at < keep) damaged[at]! ^= 1 << bit;
          const outcome = await gunzipIfNeeded(damaged, { maxBytes: 5000 }).catch((error: unknown) => error);
          // A flipped bit in the header (time stamp, flags) may do no harm; the checksum guards the content.
          if (outcome instanceof Uint8Array) expect(outcome).toEqual(plain);
          else expect(outcome).toEqual(invalid(/./));
        },
      ),
      { numRuns: 200 },
    );
  });
});
