// Invalid or damaged safetensors files.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebvaeError } from "../../src/errors.js";
import { asFloat32, readSafetensors, writeSafetensors } from "../../src/safetensors.js";
import { entry, errorOf, f32, file, zeros } from "../support/safetensors.js";

describe("safetensors, bad files", () => {
  const eight = zeros(8);
  const two = `{"dtype":"U8","shape":[2],"data_offsets":[0,2]}`;
  /** The name of the case, the file, and what the message must contain. */
  const cases: [string, Uint8Array, RegExp][] = [
    ["no bytes", new Uint8Array(0), /0 bytes/],
    ["seven bytes", new Uint8Array(7), /7 bytes/],
    ["no header", file(""), /start with/],
    ["a length beyond the file", file(entry(), eight, 200n), /claims 200 bytes, but \d+ follow/],
    ["a length beyond the limit", file(entry(), eight, 100_000_001n), /claims 100000001 bytes, more than 100000000/],
    ["a length past 2^32", file(entry(), eight, 2n ** 32n + 2n), /claims 4294967298/],
    ["a length past 2^53", file(entry(), eight, 2n ** 64n - 1n), /claims 18446744073709552000/],
    ["another kind of file", new TextEncoder().encode("<!doctype html><html></html>"), /claims/],
    ["a header that starts with a blank", file(" " + entry(), eight), /start with "{"/],
    ["a header that starts with a byte order mark", file("\ufeff" + entry(), eight), /start with "{"/],
    ["a header that is an array", file("[]"), /start with "{"/],
    ["a header that is not UTF-8", file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), /UTF-8/],
    ["an overlong encoding", file(new Uint8Array([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d])), /UTF-8/],
    ["half a surrogate", file(`{"__metadata__":{"\\ud800":""}}`), /half a character/],
    ["an unfinished header", file("{"), /expected a string/],
    ["an unfinished string", file(`{"w`), /well-formed string/],
    ["a string that ends in a backslash", file(`{"w\\`), /well-formed string/],
    ["a bad escape", file(`{"\\x":0}`), /well-formed string/],
    ["a line break in a string", file(`{"a\nb":0}`), /well-formed string/],
    ["text after the header", file("{}x"), /expected the end/],
    ["two objects", file("{}{}"), /expected the end/],
    ["a zero byte as padding", file("{}\0"), /expected the end/],
    ["a comma too many", file(`{"w":${two},}`, [0, 0]), /expected a string/],
    ["a comma missing", file(`{"w":${two}"v":${two}}`, [0, 0]), /expected "}"/],
    ["a colon missing", file(`{"w"}`), /expected ":"/],
    ["a name without quotes", file(`{w:${two}}`, [0, 0]), /expected a string/],
    ["the same tensor twice", file(`{"w":${two},"w":${two}}`, [0, 0]), /the key "w" twice/],
    ["the same tensor twice, once escaped", file(`{"w":${two},"\\u0077":${two}}`, [0, 0]), /the key "w" twice/],
    ["__proto__ twice", file(`{"__proto__":${two},"__proto__":${two}}`, [0, 0]), /"__proto__" twice/],
    ["the same key of a tensor twice", file(entry({ dtype: `"F32","dtype":"F32"` }), eight), /"dtype" twice/],
    ["metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`), /"__metadata__" twice/],
    ["the same metadata twice", file(`{"__metadata__":{"a":"1","a":"2"}}`), /"a" twice/],
    ["metadata that is not an object", file(`{"__metadata__":"a"}`), /expected "{"/],
    ["metadata that is a number", file(`{"__metadata__":{"a":1}}`), /expected a string/],
    ["metadata that is null", file(`{"__metadata__":null}`), /expected "{"/],
    ["a tensor that is null", file(`{"w":null}`), /expected "{"/],
    ["a tensor without dtype", file(`{"w":{"shape":[1],"data_offsets":[0,1]}}`, [0]), /"w" needs/],
    ["a tensor without shape", file(`{"w":{"dtype":"U8","data_offsets":[0,1]}}`, [0]), /"w" needs/],
    ["a tensor without offsets", file(`{"w":{"dtype":"U8","shape":[1]}}`, [0]), /"w" needs/],
    ["an unknown key", file(entry({ dtype: `"F32","__proto__":{}` }), eight), /unknown key "__proto__"/],
    ["an unknown dtype", file(entry({ dtype: `"F33"` }), eight), /"w" has the unknown dtype "F33"/],
    ["a lower-case dtype", file(entry({ dtype: `"f32"` }), eight), /unknown dtype/],
    ["an inherited name as dtype", file(entry({ dtype: `"toString"` }), eight), /unknown dtype/],
    ["a dtype that is a number", file(entry({ dtype: "32" }), eight), /expected a string/],
    ["a negative size", file(entry({ shape: "[-2]" }), eight), /expected an integer/],
    ["minus zero", file(entry({ shape: "[-0]", offsets: "[0,0]" })), /expected an integer/],
    ["a fraction", file(entry({ shape: "[2.0]" }), eight), /expected an integer/],
    ["an exponent", file(entry({ shape: "[2e0]" }), eight), /expected an integer/],
    ["a leading zero", file(entry({ shape: "[02]" }), eight), /expected an integer/],
    ["a size past 2^53", file(entry({ shape: "[9007199254740993]" }), eight), /expected an integer/],
    ["a size of a hundred digits", file(entry({ shape: `[${"9".repeat(100)}]` }), eight), /expected an integer/],
    ["a size as text", file(entry({ shape: `["2"]` }), eight), /expected an integer/],
    ["a size that is null", file(entry({ shape: "[null]" }), eight), /expected an integer/],
    ["a shape that is a number", file(entry({ shape: "2" }), eight), /expected "\["/],
    ["an unfinished shape", file(entry({ shape: "[2" }), eight), /expected an integer|expected "\]"/],
    ["a product past 2^53", file(entry({ shape: "[67108864,67108864,2]" }), eight), /"w" has an impossible shape/],
    ["a product past 2^64", file(entry({ shape: "[4294967296,4294967296]" }), eight), /"w" has an impossible shape/],
    ["a product hidden by a zero", file(entry({ shape: "[67108864,67108864,2,0]" }), eight), /impossible shape/],
    ["bytes past 2^53", file(entry({ shape: "[9007199254740991]" }), eight), /"w" has an impossible shape/],
    ["one offset", file(entry({ offsets: "[8]" }), eight), /"w" has 1 data_offsets/],
    ["three offsets", file(entry({ offsets: "[0,4,8]" }), eight), /"w" has 3 data_offsets/],
    ["a negative offset", file(entry({ offsets: "[-8,0]" }), eight), /expected an integer/],
    ["swapped offsets", file(entry({ offsets: "[8,0]" }), eight), /"w" starts at byte 8 of the data, not 0/],
    [
      "too few bytes for the shape",
      file(entry({ offsets: "[0,7]" }), zeros(7)),
      /bytes 0 to 7, but \[2\] of F32 takes 8/,
    ],
    ["too many bytes for the shape", file(entry({ offsets: "[0,9]" }), zeros(9)), /bytes 0 to 9, but/],
    ["truncated data", file(entry(), zeros(7)), /"w" ends at byte 8 of the data, which has 7/],
    ["bytes after the data", file(entry(), zeros(9)), /1 bytes follow/],
    ["bytes after an empty header", file("{}", [0]), /1 bytes follow/],
    ["a hole at the start", file(entry({ offsets: "[1,9]" }), zeros(9)), /"w" starts at byte 1 of the data, not 0/],
    ["a hole in the middle", file(`{"v":${two},"w":${two.replace("[0,2]", "[3,5]")}}`, zeros(5)), /"w".*3.*not 2/],
    ["an overlap", file(`{"v":${two},"w":${two.replace("[0,2]", "[1,3]")}}`, zeros(3)), /"w".*1.*not 2/],
    ["two tensors at the same place", file(`{"v":${two},"w":${two}}`, zeros(2)), /"w".*0.*not 2/],
  ];
  it.each(cases)("rejects %s", (_fault, bytes, message) => {
    const error = errorOf(() => readSafetensors(bytes));
    expect(error.code).toBe("INVALID_FILE");
    expect(error.message).toMatch(message);
  });

  it("keeps its messages short, however long the names in the file", () => {
    const name = "w".repeat(1_000_000);
    const error = errorOf(() => readSafetensors(file(`{"${name}":{"dtype":"${name}"}}`)));
    expect(error.message.length).toBeLessThan(300);
  });

  it("reads a header with a string of megabytes", () => {
    const note = "\\n".repeat(3_000_000);
    const { metadata } = readSafetensors(file(`{"__metadata__":{"note":"${note}"}}`));
    expect(metadata.get("note")!.length).toBe(3_000_000);
  });

  it("asFloat32 rejects other dtypes by name", () => {
    const error = errorOf(() => asFloat32({ dtype: "BF16", shape: [1], data: new Uint8Array(2) }, "enc.w"));
    expect(error.message).toMatch(/"enc.w" must be F32 or F16, not BF16/);
  });
});

describe("safetensors, damaged files only ever throw INVALID_FILE", () => {
  const sample = writeSafetensors(
    [f32("decoder.w", [2, 3], [1, 2, 3, 4, 5, 6]), f32("b", [3], [1, 2, 3])],
    [["k", "v"]],
  );
  const survives = (bytes: Uint8Array): void => {
    try {
      const { tensors } = readSafetensors(bytes);
      for (const { data } of tensors.values()) expect(data.length).toBeLessThanOrEqual(bytes.length);
    } catch (error) {
      expect(error).toBeInstanceOf(WebvaeError);
      expect((error as WebvaeError).code).toBe("INVALID_FILE");
    }
  };

  it("every single bit flipped", () => {
    for (let bit = 0; bit < sample.length * 8; bit++) {
      const damaged = sample.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      survives(damaged);
    }
  });

  it("every truncation is rejected", () => {
    for (let length = 0; length < sample.length; length++) {
      expect(errorOf(() => readSafetensors(sample.subarray(0, length))).code).toBe("INVALID_FILE");
    }
  });

  it("several bytes replaced", () => {
    const patch = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(patch, (changes) => {
        const damaged = sample.slice();
        for (const [at, value] of changes) damaged[at] = value;
        survives(damaged);
      }),
      { numRuns: 3000 },
    );
  });

  it("random bytes, and random headers made from the grammar's own tokens", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      " ",
      "0",
      "1",
      "9e9",
      "-1",
      "null",
      '"a"',
      '"F32"',
      '"U8"',
    ];
    pieces.push('"dtype":', '"shape":', '"data_offsets":', '"__metadata__":', '"__proto__":', entry().slice(1, -1));
    const header = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => "{" + parts.join(""));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 2000 });
    fc.assert(
      fc.property(header, fc.nat(20), (text, count) => survives(file(text, zeros(count)))),
      { numRuns: 5000 },
    );
    // Any JSON that JSON.parse accepts.
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => survives(file(JSON.stringify(value)))),
      { numRuns: 2000 },
    );
  });
});
