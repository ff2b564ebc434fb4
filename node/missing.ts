// What to say where WebGPU in Node finds no GPU: what is missing, and how to get it on this system.
import type { Vulkan } from "./vulkan.mjs";

const withoutGpu: Partial<Record<string, string>> = {
  x64: "Without a GPU, npm install @sparticuz/chromium brings a software driver (SwiftShader)",
  arm64: "Without a GPU, an installed Chromium brings a software driver (SwiftShader): apt-get install chromium",
};

/** Where a GPU's driver comes from on Linux. */
export const GPU_DRIVERS =
  "On Debian and Ubuntu, apt-get install libvulkan1 mesa-vulkan-drivers for a GPU of Intel or AMD; NVIDIA's driver " +
  "brings its own for Vulkan, in a container with NVIDIA_DRIVER_CAPABILITIES=all";

/** Why there is no adapter, though Dawn runs. */
export function whyNoAdapter(found: Vulkan, platform: string, arch: string): string {
  const software = withoutGpu[arch];
  const advice = [GPU_DRIVERS, ...(software ? [software] : [])].join(". ");
  if (found.missing === "loader") return `Vulkan's loader, libvulkan.so.1, is not installed. ${advice}`;
  if (found.missing === "driver") return `there is no Vulkan driver that WebGPU can use. ${advice}`;
  if (platform === "darwin") {
    return "WebGPU found no adapter: it needs Metal, so macOS 11 or later on a machine, or in a virtual one, that has a GPU";
  }
  if (platform === "win32") {
    return "WebGPU found no adapter: it needs Direct3D 12, so Windows 10 or later. Update the GPU's driver";
  }
  return (
    `WebGPU found no adapter on ${found.description}: the driver is too old, or has no device here that it can use. ` +
    `Update it, or choose the software driver: WEBVAE_ADAPTER=swiftshader. ${advice}`
  );
}

/** What to say of a driver's libraries that only a new process finds. */
export function startAnew(folders: readonly string[], description: string): string {
  const path = folders.join(":");
  return (
    `${description} has its libraries in ${path}, where the dynamic linker does not look, and it can be told so only ` +
    `before a process starts: run LD_LIBRARY_PATH=${path} node ..., or add the folder to /etc/ld.so.conf.d and run ldconfig`
  );
}

/** What to say in a worker thread, whose process.env does not reach the libraries. */
export function notInWorker(names: readonly string[]): string {
  return (
    `in a worker thread the variables that choose a Vulkan driver (${names.join(", ")}) cannot be set. Create the ` +
    "worker with { env: SHARE_ENV } of node:worker_threads, or set them before the process starts"
  );
}
