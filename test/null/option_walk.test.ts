// A sample of the walk over wild options; `npm run soak -- options` tries ten thousand.
import { expect, test } from "vitest";
import { walkOptions } from "../soak/options.js";

test("nonsensical values are rejected with a code before anything is allocated, or do no harm", async () => {
  const { runs, accepted, name, ...found } = await walkOptions({ count: 1200, every: 11, seed: 2 });
  console.log(`${name}: ${runs} cases, ${accepted} of them with a result`);
  expect(found).toEqual({ untyped: [], allocated: [], unusable: [], slow: [], wrong: [] });
  expect(accepted).toBeGreaterThan(50);
  expect(accepted).toBeLessThan(runs / 2);
});
