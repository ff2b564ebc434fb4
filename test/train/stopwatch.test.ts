// Time measured by the GPU's clock and by the host's.
import { expect, test, vi } from "vitest";
import { openGpu } from "../../node/gpu.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { timed } from "../support/timed.js";

test("the GPU's clock agrees with wall time on a long dispatch, whatever the host's clock says", async () => {
  const gpu = await testDevice();
  if (!gpu.features.has("timestamp-query")) return;
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, 1000));
  console.log(`${ms.toFixed(2)} ms by the GPU's clock, ${wallMs.toFixed(2)} ms wall time`);
  expect(ms).toBeLessThan(1.1 * wallMs);
  // On a GPU the submit takes longer than the dispatch.
  expect(ms).toBeGreaterThan(0.3 * Math.min(wallMs, 20));
});

test("without the feature, the host's clock is used", async () => {
  const adapter = await (await openGpu()).requestAdapter();
  const gpu = await adapter!.requestDevice();
  const made = vi.spyOn(gpu, "createQuerySet");
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, 1000));
  expect(made).not.toHaveBeenCalled();
  expect(ms).toBeGreaterThan(300 * wallMs);
  expect(ms).toBeLessThan(1000 * wallMs);
  gpu.destroy();
});
