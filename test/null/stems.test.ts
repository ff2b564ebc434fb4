// One stem, five files: shader, op, twin, test and benchmark.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow } from "../support/sources.js";

/** A shader's variants (linear.tiled.wgsl) belong to its stem. */
const stems = [
  ...new Set(
    filesBelow("shaders", ".wgsl")
      .filter(isOp)
      .map((file) => basename(file).split(".")[0]!),
  ),
];

/** Without the libraries, and without drawing shaders, which are in no graph and are tested by their pixels. */
function isOp(file: string): boolean {
  return !/^shaders\/(lib|canvas)\//.test(file);
}

const placesOf = (stem: string) => [
  `shaders/${stem}.wgsl`,
  `src/ops/${stem}.ts`,
  `test/reference/${stem}.ts`,
  `test/ops/${stem}.test.ts`,
  `bench/ops/${stem}.bench.ts`,
];

/** Files in those folders that do not belong to an op. */
const others = [
  "src/ops/op.ts",
  "src/ops/index.ts",
  // Those that are loaded on demand.
  "src/ops/further.ts",
  // Results of several ops that are so large that their dispatches fold.
  "test/ops/large.test.ts",
  // Twins of shaders/lib, and what a twin is.
  "test/reference/activation.ts",
  "test/reference/random.ts",
  "test/reference/twin.ts",
  "test/reference/index.ts",
];

const files = [
  ...filesBelow("shaders", ".wgsl"),
  ...["src/ops", "test/reference", "test/ops", "bench/ops"].flatMap((folder) => filesBelow(folder, ".ts")),
];

it("there are stems", () => expect(stems.length).toBeGreaterThanOrEqual(8));

describe.each(stems)("%s", (stem) => {
  it.each(placesOf(stem))("%s", (place) => expect(files).toContain(place));
});

it("every file in the five folders belongs to a stem", () => {
  const known = new Set([...stems.flatMap(placesOf), ...others]);
  const variant = (file: string) => stems.some((stem) => file.startsWith(`shaders/${stem}.`));
  expect(files.filter((file) => isOp(file) && !known.has(file) && !variant(file))).toEqual([]);
});

it("every benchmark of an op is run by npm run bench", () => {
  const run = readFileSync(new URL("../../bench/run.ts", import.meta.url), "utf8");
  expect(stems.filter((stem) => !run.includes(`"./ops/${stem}.bench.js"`))).toEqual([]);
});
