// Writing and reading safetensors files, and what the writer rejects.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asFloat32, readSafetensors, writeSafetensors, type Dtype, type NamedTensor } from "../../src/safetensors.js";
import { entry, errorOf, f32, file } from "../support/safetensors.js";

describe("safetensors, good files", () => {
  it("writes the golden file byte for byte, and reads it", () => {
    const header = `{"__metadata__":{"spec":"a"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}`;
    const golden = [
      // 137 characters of header, padded to 144.
      ...[144, 0, 0, 0, 0, 0, 0, 0],
      ...new TextEncoder().encode(header + " ".repeat(7)),
      // 1 and -2 in IEEE 754, little-endian; then the bytes, whose elements are smaller.
      ...[0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0],
      ...[7, 8, 9],
    ];
    const written = writeSafetensors(
      [{ name: "a", dtype: "U8", shape: [3], data: new Uint8Array([7, 8, 9]) }, f32("b", [1, 2], [1, -2])],
      [["spec", "a"]],
    );
    expect([...written]).toEqual(golden);

    const { tensors, metadata } = readSafetensors(new Uint8Array(golden));
    expect([...tensors.keys()]).toEqual(["b", "a"]);
    expect(tensors.get("b")).toMatchObject({ dtype: "F32", shape: [1, 2] });
    expect([...asFloat32(tensors.get("b")!)]).toEqual([1, -2]);
    expect([...tensors.get("a")!.data]).toEqual([7, 8, 9]);
    expect([...metadata]).toEqual([["spec", "a"]]);
  });

  it("writes the same bytes whatever the order of tensors and metadata", () => {
    const a = f32("a", [1], [1]);
    const b = f32("b", [], [2]);
    const metadata: [string, string][] = [
      ["y", "1"],
      ["x", "2"],
    ];
    expect(writeSafetensors([b, a], metadata)).toEqual(writeSafetensors([a, b], metadata.toReversed()));
  });

  it("reads an empty file, scalars, empty tensors, whitespace, and headers in another order than the data", () => {
    expect(readSafetensors(file("{}")).tensors.size).toBe(0);
    expect(readSafetensors(file(`{"__metadata__":{}}`)).metadata.size).toBe(0);
    expect(readSafetensors(file("{ \t} \n\r\t")).tensors.size).toBe(0);
    const scalar = readSafetensors(file(entry({ shape: "[]", offsets: "[0,4]" }), [0, 0, 128, 63]));
    expect([...asFloat32(scalar.tensors.get("w")!)]).toEqual([1]);
    expect(readSafetensors(file(entry({ shape: "[0, 5]", offsets: "[0,0]" }))).tensors.get("w")!.data.length).toBe(0);
    const info = (from: number, to: number): string =>
      `{"data_offsets":[${from},${to}],"shape":[${to - from}],"dtype":"I8"}`;
    const reordered = readSafetensors(file(`{"z":${info(2, 3)},"none":${info(2, 2)},"a":${info(0, 2)}}`, [1, 2, 3]));
    expect([...reordered.tensors].map(([name, { data }]) => [name, [...data]])).toEqual([
      ["a", [1, 2]],
      ["none", []],
      ["z", [3]],
    ]);
  });

  it("treats __proto__ and the like as ordinary names", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "", '"\\\n\u0000', "é🙂"];
    const written = writeSafetensors(
      names.map((name, i) => f32(name, [1], [i])),
      names.map((name) => [name, name]),
    );
    const { tensors, metadata } = readSafetensors(written);
    names.forEach((name, i) => {
      expect([...asFloat32(tensors.get(name)!)]).toEqual([i]);
      expect(metadata.get(name)).toBe(name);
    });
    expect(Object.prototype).not.toHaveProperty("dtype");
  });

  it("copies misaligned data, and returns plain views for a Node Buffer", () => {
    const bytes = file(`${entry()} `, [0, 0, 128, 63, 0, 0, 0, 64]);
    expect((8 + entry().length + 1) % 4).not.toBe(0);
    const moved = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    const tensor = readSafetensors(moved).tensors.get("w")!;
    expect(tensor.data.constructor).toBe(Uint8Array);
    const values = asFloat32(tensor);
    expect([...values]).toEqual([1, 2]);
    values[0] = 5;
    expect([...asFloat32(tensor)]).toEqual([1, 2]);
  });

  it("keeps any tensors of any dtype, and aligns them", () => {
    const widths: Record<Dtype, number> = {
      ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
      ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 },
    };
    const tensor = fc
      .record({
        name: fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
        dtype: fc.constantFrom(...(Object.keys(widths) as Dtype[])),
        shape: fc.array(fc.nat(4), { maxLength: 3 }),
      })
      .chain((info) => {
        const length = info.shape.reduce((a, b) => a * b, widths[info.dtype]);
        return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ ...info, data }));
      });
    const strings = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })));
    fc.assert(
      fc.property(fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 6 }), strings, (tensors, metadata) => {
        const bytes = writeSafetensors(tensors, metadata);
        const read = readSafetensors(bytes);
        expect(read.metadata).toEqual(new Map(metadata));
        expect(read.tensors.size).toBe(tensors.length);
        for (const { name, dtype, shape, data } of tensors) {
          expect(read.tensors.get(name)).toEqual({ dtype, shape, data });
          expect(read.tensors.get(name)!.data.byteOffset % widths[dtype]).toBe(0);
        }
        const again = [...read.tensors].map(([name, info]) => ({ name, ...info }));
        expect(writeSafetensors(again, read.metadata)).toEqual(bytes);
      }),
    );
  });
});

describe("safetensors, what the writer rejects", () => {
  const good = f32("w", [2], [1, 2]);
  it.each<[string, NamedTensor[], [string, string][], RegExp]>([
    ["a duplicate name", [good, good], [], /"w": that name is taken/],
    ["the metadata's name", [{ ...good, name: "__metadata__" }], [], /that name is taken/],
    ["a size that does not fit", [{ ...good, shape: [3] }], [], /"w": \[3\] of F32 takes 12 bytes, not 8/],
    ["a size that is not an integer", [{ ...good, shape: [0.5, 4] }], [], /impossible shape/],
    ["a negative size", [{ ...good, shape: [-1, -2] }], [], /impossible shape/],
    ["an unknown dtype", [{ ...good, dtype: "C64" as Dtype }], [], /unknown dtype "C64"/],
    ["half a character in a name", [{ ...good, name: "\ud800" }], [], /half a character/],
    ["half a character in metadata", [good], [["a", "\udc00"]], /half a character/],
  ])("%s", (_fault, tensors, metadata, message) => {
    const error = errorOf(() => writeSafetensors(tensors, metadata));
    expect(error.code).toBe("INVALID_DATA");
    expect(error.message).toMatch(message);
  });
});
