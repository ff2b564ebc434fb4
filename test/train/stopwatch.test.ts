// Time by the GPU's clock and by the host's.
import { expect, test, vi } from "vitest";
import { openGpu } from "../../node/gpu.js";
import { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import { linear } from "../../src/ops/linear.js";
import { plan } from "../../src/plan.js";
import { createStopwatch } from "../../src/stopwatch.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import { nullDevice, testDevice, withErrorScopes } from "../support/gpu.js";

/** 134 million multiply-adds: some tens of milliseconds on a processor. */
const node = linear(
  "y",
  tensor("x", "input", [512, 512]),
  weightTensor("W", "param", [512], [512]),
  tensor("b", "param", [512]),
);

/** Milliseconds by the stopwatch while the host's clock goes `pace` times as fast, and by that of the wall. */
async function timed(gpu: GPUDevice, pace: number): Promise<{ ms: number; wallMs: number }> {
  const device = await Device.open({ device: gpu });
  const executable = await Executable.create(device, plan({ nodes: [node] }));
  const stopwatch = await createStopwatch(device);
  const now = performance.now.bind(performance);
  try {
    await stopwatch.time((pass) => executable.encode(pass, 0));
    const began = now();
    vi.spyOn(performance, "now").mockImplementation(() => pace * now());
    const ms = await stopwatch.time((pass) => executable.encode(pass, 0));
    return { ms, wallMs: now() - began };
  } finally {
    vi.restoreAllMocks();
    stopwatch.dispose();
    executable.dispose();
  }
}

test("the GPU's clock agrees with the wall's on a long dispatch, whatever the host's says", async () => {
  const gpu = await testDevice();
  if (!gpu.features.has("timestamp-query")) return;
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, 1000));
  console.log(`${ms.toFixed(2)} ms by the GPU's clock, ${wallMs.toFixed(2)} by the wall's`);
  expect(ms).toBeLessThan(1.1 * wallMs);
  // On a GPU the submit takes longer than the dispatch.
  expect(ms).toBeGreaterThan(0.3 * Math.min(wallMs, 20));
});

test("without the feature it is the host's clock", async () => {
  const adapter = await (await openGpu()).requestAdapter();
  const gpu = await adapter!.requestDevice();
  const made = vi.spyOn(gpu, "createQuerySet");
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, 1000));
  expect(made).not.toHaveBeenCalled();
  expect(ms).toBeGreaterThan(300 * wallMs);
  expect(ms).toBeLessThan(1000 * wallMs);
  gpu.destroy();
});

test("timestamps of zero are no measurement: the host's clock", async () => {
  const gpu = await nullDevice();
  expect(gpu.features.has("timestamp-query")).toBe(true);
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, 1000));
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThan(1000 * wallMs);
});
