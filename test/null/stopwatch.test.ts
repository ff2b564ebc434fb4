// A clock that does not count, like that of Dawn's null backend.
import { expect, test, vi } from "vitest";
import { openGpu } from "../../node/gpu.js";
import { Device } from "../../src/device.js";
import { createStopwatch } from "../../src/stopwatch.js";
import { withCopies } from "../support/copying.js";
import { nullDevice, withErrorScopes } from "../support/gpu.js";
import { timed } from "../support/timed.js";

/** Of what the host waits for as long as for nothing, and of what it waits for long. */
const [BRIEFLY, LONG] = [1, 1e6];

test("timestamps of zero are less than a tick", async () => {
  const gpu = await nullDevice();
  expect(gpu.features.has("timestamp-query")).toBe(true);
  expect((await withErrorScopes(gpu, () => timed(gpu, BRIEFLY))).ms).toBe(0);
});

test("timestamps of zero, of what the host waited for long, are no measurement: the host's clock", async () => {
  const gpu = await nullDevice();
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, LONG));
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThan(LONG * wallMs);
});

test("a measurement spans 20 ticks of the clock: of 0.1 ms the GPU's, of 1 ms the host's beside a GPU", async () => {
  const adapter = await (await openGpu({ backend: "null" })).requestAdapter();
  const without = withCopies(await adapter!.requestDevice());
  const spans: number[] = [];
  for (const [gpu, software] of [
    [await nullDevice(), false],
    [without, false],
    [without, true],
  ] as const) {
    const device = await Device.open({ device: gpu });
    Object.defineProperty(device, "software", { value: software });
    const stopwatch = await createStopwatch(device);
    const record = vi.fn();
    await stopwatch.time(record, 3);
    expect(record).toHaveBeenCalledTimes(3);
    spans.push(stopwatch.spanMs);
    stopwatch.dispose();
  }
  expect(spans).toEqual([2, 20, 2]);
  without.destroy();
});
