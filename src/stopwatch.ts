// How long a compute pass takes: by the GPU's own clock where it can be read, else by the host's.
import type { Device } from "./device.js";
import { stampAt, stampBuffer, Staging } from "./readback.js";

export interface Stopwatch {
  /** Milliseconds that a measurement should span at least, so that it is off by 5 % at most: 20 ticks of the clock. */
  readonly spanMs: number;
  /** Milliseconds of a pass of what `record` records, so many times; 0 for less than a tick. Throws DEVICE_LOST. */
  time(record: (pass: GPUComputePassEncoder) => void, times?: number): Promise<number>;
  dispose(): void;
}

const BYTES = 16; // Two timestamps.
/** A clock that doesn't move while the host waits so many milliseconds counts nothing: Firefox answers after 100. */
const IDLE_MS = 250;
const RESOLVED = 0x200 | 0x04; // GPUBufferUsage.QUERY_RESOLVE | COPY_SRC

/** By the GPU's clock, or, where the device has none, by the host's, which also counts the submit. */
export async function createStopwatch(device: Device): Promise<Stopwatch> {
  const { gpu } = device;
  const clocked = gpu.features.has("timestamp-query");
  const { staging, stamp, resolved, querySet } = await device.allocating("timestamps", () => ({
    staging: new Staging(device, BYTES),
    stamp: stampBuffer(device),
    resolved: device.buffer("timestamps", BYTES, RESOLVED),
    querySet: clocked
      ? device.call("timestamps", () => gpu.createQuerySet({ type: "timestamp", count: 2 }))
      : undefined,
  }));
  return {
    // Browsers round the GPU's clock to 0.1 ms, and the host's to up to 1 ms, by which also varies what the host adds to a
    // pass. That is little beside the runs of a software adapter.
    spanMs: clocked || device.software ? 2 : 20,
    time: async (record, times = 1) => {
      const mark = stampAt(device, stamp);
      let submitted = 0;
      device.submit("tune", (encoder) => {
        const pass = encoder.beginComputePass({
          ...(querySet && { timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }),
        });
        for (let i = 0; i < times; i++) record(pass);
        pass.end();
        if (querySet) encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
        // Even without timestamps: when this copy can be read, all commands before it are done.
        staging.copy(encoder, [{ buffer: resolved, offset: 0, bytes: BYTES }], mark);
        submitted = performance.now();
      });
      const [began, ended] = new BigUint64Array(await staging.read());
      const hostMs = performance.now() - submitted;
      const gpuMs = Number(ended! - began!) / 1e6;
      // Some drivers give zeros or no sense.
      const least = hostMs < IDLE_MS ? 0 : 1e-6;
      return clocked && gpuMs >= least && gpuMs < hostMs + 0.1 ? gpuMs : hostMs;
    },
    dispose: () => {
      querySet?.destroy();
      staging.dispose();
      device.release(stamp);
      device.release(resolved);
    },
  };
}
