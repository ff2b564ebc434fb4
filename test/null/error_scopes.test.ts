// The device helpers of the tests.
import { describe, expect, test } from "vitest";
import { nullDevice, open, withErrorScopes } from "../support/gpu.js";

describe("withErrorScopes", () => {
  const wrong = (device: GPUDevice) => device.createShaderModule({ code: "fn main( {" });

  test("returns what the function returns, and throws what it throws", async () => {
    const device = await nullDevice();
    expect(await withErrorScopes(device, () => 7)).toBe(7);
    await expect(withErrorScopes(device, () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  });

  test("throws on a validation error, with what the function threw as the cause", async () => {
    const device = await nullDevice();
    await expect(withErrorScopes(device, () => void wrong(device))).rejects.toThrow(/^validation: .*pars/s);
    const both = withErrorScopes(device, () => {
      wrong(device);
      throw new Error("mine");
    });
    await expect(both).rejects.toMatchObject({ cause: { message: "mine" } });
    // Reported once: the next call is clean.
    await withErrorScopes(device, () => undefined);
  });

  test("throws on an error that came outside", async () => {
    const device = await nullDevice();
    wrong(device);
    await expect(withErrorScopes(device, () => undefined)).rejects.toThrow("outside error scopes");
  });

  test("throws when the device is lost", async () => {
    const device = await open({ backend: "null" });
    await expect(withErrorScopes(device, () => device.destroy())).rejects.toThrow("device lost (destroyed)");
  });
});
