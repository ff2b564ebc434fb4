// A shader whose WGSL is loaded when its first pipeline is created, like some in the bundle.
import { expect, test } from "vitest";
import { compileWgsl } from "../../build/wgsl.mjs";
import { Device } from "../../src/device.js";
import { WebvaeError } from "../../src/errors.js";
import type { ShaderSource } from "../../src/shader_source.js";
import { open as openGpu, withErrorScopes } from "../support/gpu.js";
import { root } from "../support/sources.js";

const { shader } = compileWgsl(`${root}shaders/linear.wgsl`);
/** A new one, because a device remembers modules by name. */
const open = async () => Device.open({ device: await openGpu({ backend: "null" }) });
const offline = new TypeError("Failed to fetch dynamically imported module");

/** The shader, and what each request for its text returns. */
function loading(
  answers: readonly (string | Error)[],
  late: Promise<unknown> = Promise.resolve(),
): { source: ShaderSource; calls: () => number } {
  let calls = 0;
  const code = async () => {
    const answer = answers[Math.min(calls++, answers.length - 1)]!;
    await new Promise((done) => setTimeout(done, 5));
    await late;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { source: { ...shader, code }, calls: () => calls };
}

test("creates the same pipelines as its text, and one module for all", async () => {
  const device = await open();
  let modules = 0;
  const create = device.gpu.createShaderModule.bind(device.gpu);
  device.gpu.createShaderModule = (descriptor) => {
    modules++;
    return create(descriptor);
  };
  const { source, calls } = loading([shader.code]);
  await withErrorScopes(device.gpu, () =>
    Promise.all(Object.keys(shader.entryPoints).map((entryPoint) => device.pipeline(source, entryPoint, {}))),
  );
  const before = calls();
  await device.pipeline(source, "linear", { WORKGROUP_SIZE: 32 });
  expect([modules, calls() - before]).toEqual([1, 0]);
});

test("that cannot be loaded rejects with DOWNLOAD_FAILED, and a later call tries again", async () => {
  const device = await open();
  const { source, calls } = loading([offline, offline, shader.code]);
  for (const tried of [1, 2]) {
    const error: unknown = await device.pipeline(source, "linear", {}).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(WebvaeError);
    expect(error).toMatchObject({ code: "DOWNLOAD_FAILED", cause: offline });
    expect((error as Error).message).toMatch(/the WGSL of linear .*layers\.js: TypeError: Failed to fetch/);
    expect(calls()).toBe(tried);
  }
  await withErrorScopes(device.gpu, () => device.pipeline(source, "linear", {}));
  expect(calls()).toBe(3);
});

test("a text that does not compile is reported with kernel, line and message, and dropped, without uncaptured errors", async () => {
  const device = await open();
  const { source } = loading(["fn fine() {}\nfn broken( {", shader.code]);
  await withErrorScopes(device.gpu, async () => {
    const error: unknown = await device.pipeline(source, "linear", {}).catch((found: unknown) => found);
    expect(error).toMatchObject({ code: "INTERNAL" });
    expect((error as Error).message).toMatch(/linear\.linear does not compile on .*line 2:\d+: /);
    // A correct text compiles afterwards.
    await device.pipeline(source, "linear", {});
  });
});

test("a device lost meanwhile is reported instead", async () => {
  const device = await open();
  const { source } = loading([shader.code], device.gpu.lost);
  const made = device.pipeline(source, "linear", {});
  device.gpu.destroy();
  await expect(made).rejects.toMatchObject({ code: "DEVICE_LOST" });
});
