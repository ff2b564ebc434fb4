// A clock that counts nothing, as that of Dawn's null backend.
import { expect, test } from "vitest";
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
