// A clock that does not count, like that of Dawn's null backend.
import { expect, test } from "vitest";
import { nullDevice, withErrorScopes } from "../support/gpu.js";
import { timed } from "../support/timed.js";

test("with timestamps of zero, it falls back to the host's clock", async () => {
  const gpu = await nullDevice();
  expect(gpu.features.has("timestamp-query")).toBe(true);
  const { ms, wallMs } = await withErrorScopes(gpu, () => timed(gpu, 1000));
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThan(1000 * wallMs);
});
