// The copies of a model that a run can go back to, with a model that is one number.
import { expect, test } from "vitest";
import type { ModelBuffers } from "../../src/model_buffers.js";
import type { Progress } from "../../src/progress.js";
import { SafePoints } from "../../src/safe_points.js";

/** A model whose weight is set by the test; copies take as long as the test wants. */
function model() {
  const at = { weight: 0, step: 0, waits: Promise.resolve() };
  const buffers = {
    snapshot: async (_: boolean, submitted: () => void) => {
      const weights = Float32Array.of(at.weight);
      submitted();
      await at.waits;
      return { weights, statistics: new Float32Array(), halted: false };
    },
  } as unknown as ModelBuffers;
  const progress = (): Progress => ({ seed: 0, step: at.step, epoch: 0, epochStep: at.step });
  return { at, safe: new SafePoints(buffers), progress };
}
const kept = ({ kept: point }: SafePoints) => point && [point.progress.step, point.snapshot.weights[0]];

test("a copy counts once a later step shows that it is good, a certain one at once", async () => {
  const { at, safe, progress } = model();
  await safe.take(progress, true);
  expect(kept(safe)).toEqual([0, 0]);
  Object.assign(at, { weight: 1, step: 5 });
  await safe.take(progress, false);
  expect(kept(safe)).toEqual([0, 0]);
  safe.good(5, progress);
  expect(kept(safe)).toEqual([0, 0]);
  safe.good(6, progress);
  expect(kept(safe)).toEqual([5, 1]);
});

test("a copy of a run that went back never counts in the next one", async () => {
  const { at, safe, progress } = model();
  Object.assign(at, { weight: 1, step: 10 });
  await safe.take(progress, true);
  Object.assign(at, { weight: 99, step: 15 });
  await safe.take(progress, false);
  // Its steps fail, and it goes back.
  Object.assign(at, { weight: 1, step: 10 });
  await safe.take(progress, true);
  Object.assign(at, { weight: 2, step: 20 });
  safe.good(20, progress);
  expect(kept(safe)).toEqual([10, 1]);
});
