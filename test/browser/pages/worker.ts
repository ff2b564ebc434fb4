// The same cases in a module worker, without DOM or window. Errors outside promises are sent to the page.
import * as cases from "./cases.js";

const byName = cases as unknown as Record<string, () => Promise<unknown>>;
const tell = (trouble: string) => postMessage({ trouble });

const found = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "requestDevice")!;
const requestDevice = found.value as (this: GPUAdapter, ...options: unknown[]) => Promise<GPUDevice>;
GPUAdapter.prototype.requestDevice = async function (...options) {
  const device = await requestDevice.apply(this, options);
  device.addEventListener("uncapturederror", ({ error }) => tell(`uncaptured: ${error.message}`));
  return device;
};
addEventListener("unhandledrejection", ({ reason }) => tell(`unhandled: ${String(reason)}`));
addEventListener("error", ({ message }) => tell(`uncaught: ${message}`));

onmessage = ({ data }: MessageEvent<string>) => {
  byName[data]!().then(
    (value) => postMessage({ value }),
    (error: unknown) => postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
};
