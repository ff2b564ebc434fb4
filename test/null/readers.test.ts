// A seeded sample of the walk over all readers; test/soak/readers.ts has what is walked.
import { expect, it } from "vitest";
import { readerNames, walkReader } from "../soak/readers.js";

it.each(readerNames)("%s: damaged or costly, each ends typed and within a second", async (name) => {
  const { runs, read, untyped, slow } = await walkReader(name, { count: 300, seed: 20 });
  console.log(`${name}: ${runs} files, ${read} of them read`);
  expect({ untyped, slow }).toEqual({ untyped: [], slow: [] });
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(runs);
});
