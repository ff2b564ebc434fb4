// How long a compute pass takes: by the GPU's own clock where it can be read, else by the host's.
import type { Device } from "./device.js";
import { stampAt, stampBuffer, Staging } from "./readback.js";

export interface Stopwatch {
  /** Milliseconds of a pass of what `record` records. Throws DEVICE_LOST. */
  time(record: (pass: GPUComputePassEncoder) => void): Promise<number>;
  dispose(): void;
}

const BYTES = 16; // Two timestamps.
const RESOLVED = 0x200 | 0x04; // GPUBufferUsage.QUERY_RESOLVE | COPY_SRC

/** By the GPU's clock, or, where the device has none, by the host's, which also counts the submit. */
export async function createStopwatch(device: Device): Promise<Stopwatch> {
  const { gpu } = device;
  const clocked = gpu.features.has("timestamp-query");
  const { staging, stamp, resolved, querySet } = await device.allocating("timestamps", () => ({
    staging: new Staging(device, BYTES),
    stamp: stampBuffer(device),
    resolved: device.buffer("timestamps", BYTES, clocked ? RESOLVED : 0x04),
    querySet: clocked
      ? device.call("timestamps", () => gpu.createQuerySet({ type: "timestamp", count: 2 }))
      : undefined,
  }));
  return {
    time: async (record) => {
      const mark = stampAt(device, stamp);
      let submitted = 0;
      device.submit("tune", (encoder) => {
        const writes = querySet && { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
        const pass = encoder.beginComputePass(writes && { timestampWrites: writes });
        record(pass);
        pass.end();
        if (querySet) encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
        // Even without timestamps: when this copy can be read, all commands before it are done.
        staging.copy(encoder, [{ buffer: resolved, offset: 0, bytes: BYTES }], mark);
        submitted = performance.now();
      });
      const [began = 0n, ended = 0n] = new BigUint64Array(await staging.read());
      const hostMs = performance.now() - submitted;
      const gpuMs = Number(ended - began) / 1e6;
      // Some drivers give zeros or no sense; and browsers round to 0.1 ms.
      return gpuMs > 0 && gpuMs < hostMs + 0.1 ? gpuMs : hostMs;
    },
    dispose: () => {
      querySet?.destroy();
      staging.dispose();
      device.release(stamp);
      device.release(resolved);
    },
  };
}
