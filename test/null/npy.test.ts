import fc from "fast-check";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readNpy } from "../../src/data/npy.js";
import { WebvaeError } from "../../src/errors.js";
import { fault } from "../support/fault.js";
import { npyBytes, npyFile, npyHeader as head } from "../support/npy.js";
import { processorMs } from "../support/turns.js";

const invalid = (pattern: RegExp) => fault("INVALID_FILE", pattern);
const read = (bytes: Uint8Array) => () => readNpy(bytes, { name: "a.npy" });
const body = (bytes: number) => new Uint8Array(bytes);

/** Files written by NumPy 2.4.6, zlib-compressed in base64. */
const numpy = {
  bytes:
    "eNqb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgpAZKypo1CrQB7gYmBkYmZhZWPn4OTiBgDLRhwY",
  floats:
    "eNqb7BfqGxDJxFDCwMBQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkaaOgq1CmQCLgYwaLADEvYMDA5A3ADEB/YDAMwKHuU=",
  doubles:
    "eNqb7BfqGxDJzFDCwMBQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CoY6CiBSU0ehVoFkwMWADBxCHSB0KoR+kO8AALm2HrI=",
  objects:
    "eNqb7BfqGxDJyFDGUK2eklqcXKRupaBe46+uo6Cell9UUpSYF59flJIKEnZLzClOBYoXZyQWpAL5GkY6mjoKtQqUAK4Glqm9DBDQI5ZXmltQqRefnF+UqpdbmlOSmVhUlFg5pYcnvig1OT+vuKSoNLlkyuQpPaxglVN62PNSIEomT/FmaJ3izJg0pX1K0BQNb0ZvptYpGcw9rCkllQWpIC1M/hZTOjsgssw9jDVT/Pz8vP4DAZjwti+ZktQZC9Lplwpk6gEAvAxZAw==",
  fortran:
    "eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsaaOgq1CuQDLgaGBntsGAAOQx+7",
  bigEndian:
    "eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAu+wYGBhAGADZGHNk=",
  records:
    "eNqb7BfqGxDJyFDGUK2eklqcXKRupRCtoZ6orqOgbpNmoq6po6ChngTmZVqoa8YCGWn5RSVFiXnx+UUpqSDlbok5xalA8eKMxIJUIF/DSAeoq1aBGMDFgAMAABAyHUE=",
  integers: "eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBjQAAAuVG2A=",
};
const written = (name: keyof typeof numpy) => new Uint8Array(inflateSync(Buffer.from(numpy[name], "base64")));

describe("readNpy", () => {
  it("reads what NumPy wrote, in versions 1, 2 and 3", () => {
    const versions = (["bytes", "floats", "doubles"] as const).map((name) => written(name)[6]);
    expect(versions).toEqual([1, 2, 3]);
    expect(readNpy(written("bytes"))).toEqual({
      shape: [2, 2, 3],
      type: "u1",
      values: Uint8Array.from({ length: 12 }, (_, i) => i),
    });
    expect(readNpy(written("floats"))).toEqual({
      shape: [3, 2],
      type: "f4",
      values: Float32Array.of(0, 0.25, 0.5, 0.75, 1, -1.5),
    });
    const doubles = Float64Array.of(0, 85, 170, 255);
    expect(readNpy(written("doubles"))).toEqual({ shape: [2, 1, 2, 1], type: "f8", values: doubles });
    // In the other byte order, and with 64-bit integers.
    expect(readNpy(written("bigEndian"))).toEqual({ shape: [2], type: "f4", values: Float32Array.of(1, 1) });
    expect(readNpy(written("integers")).values).toBeInstanceOf(BigInt64Array);
  });

  it.each([
    ["objects", /^a\.npy: it contains Python objects, which are never loaded/],
    ["fortran", /Fortran order; save it with numpy\.ascontiguousarray/],
    ["records", /records with several fields/],
  ] as const)("refuses NumPy's %s by name", (name, pattern) => {
    expect(read(written(name))).toThrow(invalid(pattern));
  });

  it("shares memory if possible, wherever the file is in it", () => {
    const file = npyBytes([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(readNpy(file).values.buffer).toBe(file.buffer);
    for (let offset = 1; offset < 9; offset++) {
      const shifted = new Uint8Array(new ArrayBuffer(file.length + 16), offset, file.length);
      shifted.set(file);
      expect(readNpy(shifted)).toEqual(readNpy(file));
    }
    expect(readNpy(Buffer.from(npyBytes([3], Uint8Array.of(1, 2, 3)))).values.constructor).toBe(Uint8Array);
  });

  it.each([
    ["other order and spaces", `{ 'shape' :( 2,3 ) ,"descr":"<f4",'fortran_order':False}`, 24, [2, 3]],
    ["Python 2's long sizes", head("<f4", "(2L, 3L)"), 24, [2, 3]],
    ["a trailing comma in the shape", head("<f4", "(2, 3,)"), 24, [2, 3]],
    ["one dimension in Fortran order", head("<f4", "(6,)", "True"), 24, [6]],
    ["a single number", head("<f4", "()"), 4, []],
  ])("reads a header with %s", (_, header, bytes, shape) => {
    expect(readNpy(npyFile(header, body(bytes))).shape).toEqual(shape);
  });

  const good = npyBytes([2, 3], new Uint8Array(6));
  it.each([
    ["an empty file", body(0), /^a\.npy: the file is empty/],
    ["another file", Buffer.from("PK\x03\x04 and more"), /not an npy file: it starts with 50 4b 03 04 20 61/],
    ["version 4", npyFile(head("|u1", "(6,)"), body(6), [4, 0]), /version 4\.0; only/],
    ["version 1.1", npyFile(head("|u1", "(6,)"), body(6), [1, 1]), /version 1\.1/],
    ["half a magic", good.subarray(0, 7), /7 bytes are too short/],
    ["half a header", good.subarray(0, 60), /60 bytes, but the header ends at 128/],
    [
      "a header of megabytes",
      npyFile(head("|u1", "(6,)").padEnd(20_000), body(6), [2, 0]),
      /its header takes \d+ bytes; the limit is 10000/,
    ],
    ["missing values", good.subarray(0, good.length - 1), /shape 2x3 takes 6 bytes, 5 follow/],
    ["too many values", npyFile(head("|u1", "(5,)"), body(6)), /1 bytes too many for shape 5/],
    ["a size of 0", npyFile(head("|u1", "(5, 0)"), body(0)), /dimension 1 is 0/],
    ["sizes beyond 2^53", npyFile(head("<f8", `(${"999999999999999, ".repeat(9)})`), body(8)), /takes [\d.e+]+ bytes/],
    ["a size of 16 digits", npyFile(head("|u1", "(9999999999999999,)"), body(6)), /damaged: expected a size/],
    ["a negative size", npyFile(head("|u1", "(-6,)"), body(6)), /expected a size/],
    ["a number for a shape", npyFile(head("|u1", "6"), body(6)), /expected a shape in parentheses/],
    ["a shape without its comma", npyFile(head("|u1", "(6)"), body(6)), /expected a comma/],
    ["an expression", npyFile(head("|u1", "(__import__('os').system('x'),)"), body(6)), /expected a size/],
    ["a duplicate key", npyFile(`{'descr': '|u1', 'descr': '|u1'}`, body(6)), /"descr" is unknown or duplicate/],
    ["an unknown key", npyFile(`{'descr': '|u1', 'colour': 1}`, body(6)), /"colour" is unknown/],
    ["a prototype's name", npyFile(`{'__proto__': '|u1'}`, body(6)), /"__proto__" is unknown/],
    ["a missing key", npyFile(`{'descr': '|u1', 'shape': (6,)}`, body(6)), /lacks one of/],
    ["a list", npyFile(`['descr']`, body(6)), /expected \{ at character 0/],
    ["text after the dict", npyFile(`${head("|u1", "(6,)")} 1`, body(6)), /expected spaces and a newline/],
    ["quadruple floats", npyFile(head("<f16", "(1,)"), body(16)), /type <f16 \(floats\).*astype\("f4"\)/],
    ["complex numbers", npyFile(head("<c8", "(1,)"), body(8)), /type <c8 \(complex numbers\)/],
    ["floats without an order", npyFile(head("|f4", "(1,)"), body(4)), /type \|f4 \(floats\)/],
    ["no type", npyFile(head("", "(6,)"), body(6)), /values of type ;/],
    ["a type that is a prototype's", npyFile(head("toString", "(6,)"), body(6)), /type toString/],
  ] as const)("refuses %s", (_, file, pattern) => {
    expect(read(file)).toThrow(invalid(pattern));
  });

  it("round-trips any shape, type and version", () => {
    const values = fc.oneof(
      fc.infiniteStream(fc.nat(255)).map((stream) => (n: number) => Uint8Array.from([...stream.take(n)])),
      fc.infiniteStream(fc.float()).map((stream) => (n: number) => Float32Array.from([...stream.take(n)])),
      fc.infiniteStream(fc.double()).map((stream) => (n: number) => Float64Array.from([...stream.take(n)])),
    );
    const shapes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shapes, values, fc.constantFrom(1, 2, 3), (shape, make, major) => {
        const made = make(shape.reduce((a, b) => a * b, 1));
        expect(readNpy(npyBytes(shape, made, major))).toMatchObject({ shape, values: made });
      }),
    );
  });

  it("reads every type of numbers in both byte orders", () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => [0, 1, 60, 191, 66, 128, 7, 64][i % 8]!);
    const big = (at: number, width: number) => new DataView(bytes.slice(at, at + width).buffer);
    const types: Record<string, (view: DataView, little: boolean) => number | bigint> = {
      b1: (view) => view.getUint8(0),
      u1: (view) => view.getUint8(0),
      i1: (view) => view.getInt8(0),
      u2: (view, little) => view.getUint16(0, little),
      i2: (view, little) => view.getInt16(0, little),
      u4: (view, little) => view.getUint32(0, little),
      i4: (view, little) => view.getInt32(0, little),
      f4: (view, little) => view.getFloat32(0, little),
      u8: (view, little) => view.getBigUint64(0, little),
      i8: (view, little) => view.getBigInt64(0, little),
      f8: (view, little) => view.getFloat64(0, little),
    };
    for (const [type, valueOf] of Object.entries(types)) {
      const width = Number(type[1]);
      for (const order of ["<", ">"]) {
        const found = readNpy(npyFile(head(order + type, `(${16 / width},)`), bytes));
        const wanted = Array.from({ length: 16 / width }, (_, i) => valueOf(big(i * width, width), order === "<"));
        expect([found.type, ...found.values]).toEqual([type, ...wanted]);
      }
    }
  });

  it("reads half floats like NumPy", () => {
    // Their bits in numpy.float16.
    const halves: [number, number][] = [
      [0x0000, 0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x7e00, NaN],
    ];
    const bits = Uint16Array.from(halves, ([half]) => half);
    const { values } = readNpy(npyFile(head("<f2", `(${halves.length},)`), new Uint8Array(bits.buffer)));
    expect([...values]).toEqual(halves.map(([, value]) => value));
  });

  /** A typed error, or exactly `right`; if the type was changed, it is read as that type. */
  const errorOr = (damaged: Uint8Array, right: ReturnType<typeof readNpy>) => {
    let found: unknown;
    try {
      found = readNpy(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(WebvaeError);
      expect((error as WebvaeError).code).toBe("INVALID_FILE");
      return "error";
    }
    const descr = Buffer.from(damaged)
      .toString("latin1")
      .match(/'descr': '[<|](..)'/)?.[1];
    if (descr === right.type) expect(found).toEqual(right);
    else expect(found).toMatchObject({ shape: right.shape });
    return "right";
  };
  const files = [
    npyBytes([2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)),
    npyBytes([6], Float32Array.of(1, 2, 3, 4, 5, 6), 2),
    npyBytes([1, 2, 1, 2], Float64Array.of(1, 2, 3, 4), 3),
  ];

  it("answers every truncation with a typed error", () => {
    for (const file of files) {
      for (let keep = 0; keep < file.length; keep++) {
        expect(errorOr(file.slice(0, keep), readNpy(file))).toBe("error");
      }
    }
  });

  it("answers every flipped bit in a header with a typed error or the right array", () => {
    for (const file of files) {
      const right = readNpy(file);
      const header = file.length - right.values.byteLength;
      const outcomes = { error: 0, right: 0 };
      for (let bit = 0; bit < 8 * header; bit++) {
        const damaged = file.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        outcomes[errorOr(damaged, right)]++;
      }
      expect(outcomes.error + outcomes.right).toBe(8 * header);
      expect(outcomes.error).toBeGreaterThan(8 * header * 0.9);
    }
  });

  it("answers any other damage with a typed error, and never returns more than it was given", () => {
    const bytes = fc.record({
      file: fc.constantFrom(...files),
      changes: fc.array(fc.record({ at: fc.nat(180), byte: fc.nat(255) }), { minLength: 2, maxLength: 12 }),
    });
    fc.assert(
      fc.property(bytes, ({ file, changes }) => {
        const damaged = file.slice();
        for (const { at, byte } of changes) if (at < damaged.length) damaged[at] = byte;
        try {
          const { values, shape } = readNpy(damaged);
          expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
          expect(values.length).toBeLessThan(damaged.length);
        } catch (error) {
          expect(error).toEqual(invalid(/./));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("answers any text in place of the header with a typed error, quickly", () => {
    const token = fc.constantFrom("{", "}", "(", ")", "'descr'", "'|u1'", ":", ",", "'shape'", "1", "True", " ", "L");
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        expect(read(npyFile(tokens.join(""), body(1)))).toThrow(invalid(/header/));
      }),
      { numRuns: 2000 },
    );
    // A backtracking grammar would take ages instead of milliseconds.
    const ms = processorMs(() => {
      for (const text of ["(".repeat(9000), "'".repeat(9000), `{'shape': (${"1, ".repeat(2900)}`, " ".repeat(9900)]) {
        expect(read(npyFile(text, body(1)))).toThrow(invalid(/header/));
      }
    });
    expect(ms).toBeLessThan(20_000);
  });
});
