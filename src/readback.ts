// The one file that reads from the GPU.
import type { Device } from "./device.js";
import { WebvaeError } from "./errors.js";

export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

const STAGING = 0x01 | 0x08; // GPUBufferUsage.MAP_READ | COPY_DST
const MAP_READ = 0x01; // GPUMapMode.READ

/** A buffer that ranges are copied to and read from, over and over. */
export class Staging {
  private readonly buffer: GPUBuffer;
  constructor(
    private readonly device: Device,
    bytes: number,
  ) {
    this.buffer = device.buffer("staging", Math.max(16, bytes), STAGING);
  }

  /** Records copies of `ranges`, one after another. */
  copy(encoder: GPUCommandEncoder, ranges: readonly Range[]): void {
    gatherRanges(encoder, ranges, this.buffer);
  }

  /** What was last copied, once the submit that copied it is done. Throws DEVICE_LOST. */
  async read(bytes: number): Promise<ArrayBuffer> {
    try {
      await Promise.race([this.buffer.mapAsync(MAP_READ, 0, bytes), this.device.lost]);
    } catch (cause) {
      await this.device.throwIfLost();
      throw new WebvaeError("DEVICE_LOST", `the GPU gave no data back: ${String(cause)}`, { cause });
    }
    const copy = this.buffer.getMappedRange(0, bytes).slice(0);
    this.buffer.unmap();
    return copy;
  }

  dispose(): void {
    this.device.release(this.buffer);
  }
}

/** Records copies of `ranges` to a buffer, one after another from `at` on. */
export function gatherRanges(encoder: GPUCommandEncoder, ranges: readonly Range[], to: GPUBuffer, at = 0): void {
  for (const { buffer, offset, bytes } of ranges) {
    encoder.copyBufferToBuffer(buffer, offset, to, at, bytes);
    at += bytes;
  }
}

/** The bytes of some ranges, one after another, after everything submitted so far. */
export async function readRanges(device: Device, ranges: readonly Range[]): Promise<ArrayBuffer> {
  const bytes = ranges.reduce((sum, range) => sum + range.bytes, 0);
  const staging = await device.allocating("a read-back", () => new Staging(device, bytes));
  try {
    const encoder = device.gpu.createCommandEncoder({ label: "read back" });
    staging.copy(encoder, ranges);
    device.gpu.queue.submit([encoder.finish()]);
    return await staging.read(bytes);
  } finally {
    staging.dispose();
  }
}
