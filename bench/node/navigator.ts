// What tfjs's webgpu backend looks for in a page and Node has not. It needs no DOM: only navigator.gpu, which it asks for
// an adapter and without which it does not even register itself, and the globals such as GPUBufferUsage and GPUBuffer.
// tfjs finds no document, takes Node's platform and uses nothing else of a browser.
import { globals } from "webgpu";

export function offerGpu(gpu: GPU): void {
  Object.assign(globalThis, globals);
  // Node has had a navigator since version 21.
  const given = globalThis.navigator as Navigator | undefined;
  if (given) Object.defineProperty(given, "gpu", { value: gpu, configurable: true });
  else Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
}
