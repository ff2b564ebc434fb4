// A sample of the walk over crashes of the GPU process; `npm run soak -- crashes` makes a hundred.
import { expect, test } from "vitest";
import { inFirefox } from "../../node/browser.mjs";
import { walkCrashes } from "../soak/crashes.js";

/** The first of them crashes a run of training with other calls beside it. */
const SEED = 4;

test.skipIf(inFirefox)(
  "when the GPU process crashes, every call ends with a typed error, and the last copy can be loaded",
  async () => {
    const { untyped, hanging, wrong, ...counts } = await walkCrashes({ count: 3, seed: SEED });
    console.log(`crashes: ${JSON.stringify(counts)}`);
    expect({ untyped, hanging, wrong }).toEqual({ untyped: [], hanging: [], wrong: [] });
    expect(counts.runs).toBe(3);
    expect(counts.calls).toBeGreaterThanOrEqual(5);
    expect(counts.codes).toHaveProperty("DEVICE_LOST");
    expect(counts.rescued).toBeGreaterThan(0);
  },
);
