// If WebGPU does not respond, or has no memory or adapter, the error is typed and nothing is left over.
import { expect, test } from "vitest";
import { VAE } from "../../src/index.js";
import { walkHangs, walkMemory } from "../soak/hangs.js";
import { spec } from "../soak/vae_calls.js";
import { fault } from "../support/fault.js";
import { open } from "../support/gpu.js";

const never = () => new Promise<never>(() => {});

test("no response gives TIMEOUT", async () => {
  const { runs, wrong } = await walkHangs({ every: 11 });
  console.log(`${runs} cases`);
  expect(wrong).toEqual([]);
  expect(runs).toBeGreaterThan(20);
});

test("too little memory gives OUT_OF_MEMORY with the number of bytes, and no uncaptured error", async () => {
  const { runs, wrong } = await walkMemory({ every: 9 });
  console.log(`${runs} cases`);
  expect(wrong).toEqual([]);
  expect(runs).toBeGreaterThan(20);
});

test("an adapter or device that fails or never comes gives a typed error; a signal ends the wait", async () => {
  const device = await open({ backend: "null" });
  const { features, limits, adapterInfo: info } = device;
  const adapter = (requestDevice: unknown) => ({ features, limits, info, requestDevice });
  const gpu = (requestAdapter: unknown) => ({ gpu: { requestAdapter } as GPU, timeoutMs: 50 });
  const given = (requestDevice: unknown) => gpu(() => Promise.resolve(adapter(requestDevice)));
  await expect(VAE.create(spec, gpu(never))).rejects.toThrow(fault("TIMEOUT", /requestAdapter.*50 ms/));
  await expect(VAE.create(spec, given(never))).rejects.toThrow(fault("TIMEOUT", /requestDevice.*50 ms/));
  const rejecting = () => Promise.reject(new Error("no such thing"));
  await expect(VAE.create(spec, gpu(rejecting))).rejects.toThrow(fault("NO_ADAPTER", /no such thing/));
  await expect(VAE.create(spec, given(rejecting))).rejects.toThrow(fault("DEVICE_REFUSED", /no such thing/));

  // If the adapter's own limits are refused, the default limits may work.
  const asked: (GPUDeviceDescriptor | undefined)[] = [];
  const modest = (descriptor?: GPUDeviceDescriptor) => {
    asked.push(descriptor);
    return descriptor?.requiredLimits ? rejecting() : Promise.resolve(device);
  };
  using vae = await VAE.create(spec, given(modest));
  expect(asked).toHaveLength(2);
  expect(vae.gpuDevice).toBe(device);

  const abort = new AbortController();
  let late: GPUDevice | undefined;
  const slow = async () => {
    await new Promise((done) => setTimeout(done, 60));
    return (late = await open({ backend: "null" }));
  };
  const opening = VAE.create(spec, { ...given(slow), timeoutMs: 5000, signal: abort.signal });
  setTimeout(() => abort.abort(new Error("changed my mind")), 10);
  await expect(opening).rejects.toThrow("changed my mind");
  // A device that arrives when nobody waits for it is released.
  await expect.poll(() => late, { timeout: 5000 }).toBeDefined();
  expect((await late!.lost).reason).toBe("destroyed");
});
