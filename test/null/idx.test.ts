import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gunzipIfNeeded } from "../../src/data/gunzip.js";
import { idxLength, readIdx } from "../../src/data/idx.js";
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
    ["an empty file", new Uint8Array(), /^a\.idx: 0 bytes are too few/],
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
  ])("rejects %s", (_, file, pattern) => {
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

  it("answers any damage with INVALID_FILE, and never returns more than it was given", () => {
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
  const plain = idxBytes(
    [40, 500],
    Uint8Array.from({ length: 20_000 }, (_, i) => (i * i) % 251),
  );
  const unpack = (bytes: Uint8Array) => gunzipIfNeeded(bytes, "b.gz", (head) => idxLength(head, "b.gz"));
  const refused = (bytes: Uint8Array, pattern: RegExp) => expect(unpack(bytes)).rejects.toEqual(invalid(pattern));

  it("passes on other files, and decompresses gzip", async () => {
    expect(await unpack(plain)).toBe(plain);
    expect(await unpack(gzip(plain))).toEqual(plain);
    const short = idxBytes([3], Uint8Array.of(1, 2, 3));
    expect(await unpack(gzip(short))).toEqual(short);
  });

  it("reads the compressed bytes before it returns", async () => {
    const packed = gzip(plain);
    const unpacked = unpack(packed);
    packed.fill(0);
    expect(await unpacked).toEqual(plain);
  });

  it("allocates no more than the header says, and at once rejects a file whose gzip length differs", async () => {
    const bomb = (shape: number[], zeros: number) => gzip(idxBytes(shape, new Uint8Array(zeros)));
    const files = [bomb([1000], 200_000_000), bomb([40_000, 28, 28], 200_000_000), bomb([20_000, 10_000], 1000)];
    const before = process.memoryUsage().arrayBuffers;
    const ms = process.cpuUsage();
    for (const file of files)
      await refused(file, /^b\.gz: corrupt or truncated gzip: its header is for \d+ bytes, but/);
    const { user, system } = process.cpuUsage(ms);
    expect((user + system) / 1000).toBeLessThan(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
    const huge = bomb([2 ** 31], 1000);
    await refused(huge, /^b\.gz: 2147483656 bytes decompressed; the limit is 1073741824/);
    // gzip's length can be forged, so the output is counted; no byte of deflate data becomes more than 1032.
    const forged = bomb([100_000], 200_000);
    new DataView(forged.buffer).setUint32(forged.length - 4, 100_008, true);
    await refused(forged, /corrupt or truncated gzip \(\d+ bytes in/);
    const claimed = bomb([2 ** 29], 10);
    new DataView(claimed.buffer).setUint32(claimed.length - 4, 2 ** 29 + 8, true);
    await refused(claimed, /corrupt or truncated/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
  });

  it("answers gzip of another kind of file with that kind's error", async () => {
    await refused(gzip(Buffer.from("a line of text")), /^b\.gz: not an IDX file: it starts with 61 20 6c/);
    await refused(gzip(new Uint8Array()), /0 bytes are too few/);
  });

  it("answers any damage with INVALID_FILE", async () => {
    const packed = gzip(plain);
    await refused(packed.subarray(0, 100), /corrupt or truncated gzip \(100 bytes in/);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: packed.length }),
        fc.nat(packed.length - 1),
        fc.nat(7),
        async (keep, at, bit) => {
          const damaged = packed.slice(0, keep);
          if (at >= 2 && at < keep) damaged[at]! ^= 1 << bit;
          const outcome = await unpack(damaged).catch((error: unknown) => error);
          // A flipped bit in the header (time stamp, flags) may do no harm; the checksum guards the content.
          if (outcome instanceof Uint8Array) expect(outcome).toEqual(plain);
          else expect(outcome).toEqual(invalid(/./));
        },
      ),
      { numRuns: 200 },
    );
  });
});
