// npm run size: how a script's bytes are shared out among its sources.
import { expect, test } from "vitest";
import { bytesBySource } from "../../build/size.mjs";

test("bytes of each source, by the map's segments", () => {
  // "abcd" is of the first source, "é" and "f" of the second, ";" of none, and the second line of the first again.
  const sources = ["../src/a.ts", "../src/b.ts"];
  const mappings = "AAAA,EAAA,ECAA,C,CAAA;ADAA";
  expect(bytesBySource("abcdé;f\nxyz\n", { sources, mappings })).toEqual([
    ["../src/a.ts", 7],
    ["../src/b.ts", 3],
    ["", 3],
  ]);
});

test("all bytes are counted, whatever the map leaves out", () => {
  expect(bytesBySource("abc\n", { sources: [], mappings: "" })).toEqual([["", 4]]);
});

test("numbers of several digits and negative ones", () => {
  // 16 is "gB", -1 is "D".
  const script = `${"a".repeat(16)}bb`;
  expect(bytesBySource(script, { sources: ["a", "b"], mappings: "ACAA,gBDAA" })).toEqual([
    ["b", 16],
    ["a", 2],
  ]);
});
