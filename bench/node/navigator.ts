// Provides what tfjs's webgpu backend needs from a page and Node lacks. It needs no DOM, only navigator.gpu, without
// which it does not even register itself, and flags such as GPUBufferUsage, which openGpu has made global. Finding no
// document, tfjs chooses its Node platform and uses nothing else of a browser.

export function offerGpu(gpu: GPU): void {
  // Node has had a navigator since version 21.
  const given = globalThis.navigator as Navigator | undefined;
  if (given) Object.defineProperty(given, "gpu", { value: gpu, configurable: true });
  else Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
}
