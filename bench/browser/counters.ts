// Counts a page's use of WebGPU and WebAssembly, whatever the library: dispatches, submits, and memory.

export interface GpuCounters {
  dispatches: number;
  submits: number;
  /** Bytes of buffers created and not destroyed. */
  bytes: number;
  /** The peak of that number. */
  peakBytes: number;
}

/** Bytes of the WebAssembly memories that scripts create from now on. */
export function countWasm(): () => number {
  const memories: WebAssembly.Memory[] = [];
  const Memory = WebAssembly.Memory;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

type Method = (this: unknown, ...inputs: unknown[]) => unknown;

/** Call before the library is loaded, which may store references to the methods. */
export function countGpu(): GpuCounters {
  const counts: GpuCounters = { dispatches: 0, submits: 0, bytes: 0, peakBytes: 0 };
  if (typeof GPUDevice === "undefined") return counts;
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroups", () => void counts.dispatches++);
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", () => void counts.dispatches++);
  wrap(GPUQueue.prototype, "submit", () => void counts.submits++);
  const live = new WeakSet<GPUBuffer>();
  wrap(GPUDevice.prototype, "createBuffer", (_, result) => {
    const buffer = result as GPUBuffer;
    live.add(buffer);
    counts.bytes += buffer.size;
    counts.peakBytes = Math.max(counts.peakBytes, counts.bytes);
  });
  wrap(GPUBuffer.prototype, "destroy", (self) => {
    const buffer = self as GPUBuffer;
    if (live.delete(buffer)) counts.bytes -= buffer.size;
  });
  return counts;
}

function wrap(prototype: object, name: string, after: (self: unknown, result: unknown) => void): void {
  const method = Reflect.get(prototype, name) as Method;
  Reflect.set(prototype, name, function (this: unknown, ...inputs: unknown[]) {
    const result = method.apply(this, inputs);
    after(this, result);
    return result;
  });
}
