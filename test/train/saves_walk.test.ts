// A sample of the checkpoint walk; `npm run soak -- saves` makes two hundred.
import { expect, test } from "vitest";
import { walkSaves } from "../soak/saves.js";

test("checkpoints at random times of a run, resumed, end with its bits", async () => {
  const { runs, moments, failed, wrong, leaks } = await walkSaves({ count: 16, seed: 1 });
  console.log(`${runs} checkpoints, after ${moments} numbers of steps`);
  expect({ failed, wrong, leaks }).toEqual({ failed: [], wrong: [], leaks: [] });
  expect(runs).toBe(16);
  expect(moments).toBeGreaterThan(4);
});
