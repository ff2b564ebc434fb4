// Every call that the library can make to WebGPU on a device, in one list, so that a walk can make any of them fail.
// Not with a Proxy, because WebGPU's methods reject another `this`.

/** Replaces a call; `call` makes the original one. */
export type Hook = (name: string, call: () => unknown) => unknown;

const ofDevice = [
  "createBuffer",
  "createBindGroup",
  "createBindGroupLayout",
  "createPipelineLayout",
  "createShaderModule",
  "createComputePipelineAsync",
  "createCommandEncoder",
  "createQuerySet",
  "pushErrorScope",
  "popErrorScope",
] as const;
const ofQueue = ["submit", "writeBuffer", "onSubmittedWorkDone"] as const;
const ofBuffer = ["mapAsync", "getMappedRange", "unmap"] as const;
const ofEncoder = ["beginComputePass", "copyBufferToBuffer", "finish"] as const;

/** All their names. */
export const gpuCalls: readonly string[] = [...ofDevice, ...ofQueue, ...ofBuffer, ...ofEncoder];
/** Those that return a promise. */
export const asynchronous: ReadonlySet<string> = new Set([
  "createComputePipelineAsync",
  "popErrorScope",
  "onSubmittedWorkDone",
  "mapAsync",
]);

/** From now on every call on `device` goes through `hook`. */
export function hooked(device: GPUDevice, hook: Hook): GPUDevice {
  const replace = (object: object, names: readonly string[], then?: (name: string, made: unknown) => void) => {
    for (const name of names) {
      const own = (Reflect.get(object, name) as (...values: unknown[]) => unknown).bind(object);
      Reflect.set(object, name, (...values: unknown[]) => {
        const made = hook(name, () => own(...values));
        then?.(name, made);
        return made;
      });
    }
  };
  replace(device, ofDevice, (name, made) => {
    if (name === "createBuffer") replace(made as object, ofBuffer);
    if (name === "createCommandEncoder") replace(made as object, ofEncoder);
  });
  replace(device.queue, ofQueue);
  return device;
}
