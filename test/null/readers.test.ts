// A seeded sample of the walk over all readers, which is defined in test/soak/readers.ts.
import { expect, it } from "vitest";
import { readerNames, walkReader } from "../soak/readers.js";

it.each(readerNames)("%s: damaged or costly files end with a result or a typed error within a second", async (name) => {
  const { runs, read, untyped, slow } = await walkReader(name, { count: 300, seed: 20 });
  console.log(`${name}: ${runs} files, ${read} of them read`);
  expect({ untyped, slow }).toEqual({ untyped: [], slow: [] });
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(runs);
});
