// If a submit never runs, for example because a driver drops it, no call returns stale figures.
import { expect, test } from "vitest";
import { WebvaeError } from "../../src/index.js";
import { open } from "../support/gpu.js";
import { hooked } from "../soak/gpu_calls.js";
import { create, vaeCalls } from "../soak/vae_calls.js";

/** The library does not read back what it writes to a page's buffer. */
const calls = Object.entries(vaeCalls).filter(([name]) => !/to a buffer/.test(name));

/** Without timings. */
const steady = (result: unknown) =>
  JSON.stringify(result, (key, value: unknown) => (/second/i.test(key) ? undefined : value));

test.each(calls)("%s", async (_, call) => {
  const device = await open();
  let left = Infinity;
  let submits = 0;
  hooked(device, (name, use) => {
    if (name !== "submit") return use();
    submits++;
    return --left === 0 ? undefined : use();
  });
  const run = async (drop: number) => {
    const vae = await create({ device, seed: 4 });
    await call.before?.(vae);
    [left, submits] = [drop, 0];
    try {
      return { result: steady(await call.run(vae)), submits };
    } catch (error) {
      return { error, submits };
    } finally {
      left = Infinity;
      vae.dispose();
    }
  };
  const { result, submits: all } = await run(Infinity);
  expect(all).toBeGreaterThan(0);
  const before = await run(Infinity);
  expect(before.result).toBe(result);
  let refused = 0;
  for (let n = 1; n <= Math.min(all, 6); n++) {
    const found = await run(n);
    if (found.error) {
      expect(found.error, `submit ${n} of ${all}`).toBeInstanceOf(WebvaeError);
      expect((found.error as WebvaeError).code).toBe("GPU_FAILED");
      refused++;
      // A safe point's submit does not contribute to the result.
    } else expect(found.result, `submit ${n} of ${all}`).toBe(result);
  }
  expect(refused).toBeGreaterThan(0);
  device.destroy();
});
