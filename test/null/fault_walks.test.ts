// A sample of the fault-injection walks; `npm run soak` runs all of them.
import { expect, test } from "vitest";
import { faultWalks } from "../soak/faults.js";

/** One case in this many, for a few seconds per walk. */
const EVERY = Number(process.env["WEBVAE_WALK_EVERY"] ?? 31);

test.each(faultWalks.map((walk) => [walk.name, walk] as const))("%s", async (_, walk) => {
  const { name, runs, unharmed, ...found } = await walk({ every: EVERY, seed: 1 });
  console.log(`${name}: ${runs} cases, ${unharmed} of them without harm`);
  expect(found).toEqual({ untyped: [], leaks: [], unusable: [], wrong: [] });
  expect(runs).toBeGreaterThanOrEqual(10);
  expect(unharmed).toBeLessThan(runs);
});
