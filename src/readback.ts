// The one file that reads from the GPU.
import type { Device } from "./device.js";
import { WebvaeError } from "./errors.js";

export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A number that is written just before a submit and copied by its commands. If a read-back lacks it, the submit did not
 * run, and the data is from an earlier one.
 */
export interface Stamp {
  readonly place: Range;
  readonly value: number;
}

const STAGING = 0x01 | 0x08; // GPUBufferUsage.MAP_READ | COPY_DST
const SOURCE = 0x04 | 0x08; // GPUBufferUsage.COPY_SRC | COPY_DST
const MAP_READ = 0x01; // GPUMapMode.READ
export const STAMP_BYTES = 4;

let stamps = 0;
/** A different number for each submit; never 0, which new buffers contain. */
export const nextStamp = (): number => (stamps = (stamps + 1) >>> 0 || 1);

/** A reusable buffer that ranges are copied to and read from. */
export class Staging {
  private readonly buffer: GPUBuffer;
  #bytes = 0;
  #stamp = 0;
  constructor(
    private readonly device: Device,
    bytes: number,
  ) {
    this.buffer = device.buffer("staging", bytes + STAMP_BYTES, STAGING);
  }

  /** Records copies of `ranges`, one after another, and of the stamp. */
  copy(encoder: GPUCommandEncoder, ranges: readonly Range[], { place, value }: Stamp): void {
    this.#bytes = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#stamp = value;
    gatherRanges(encoder, [...ranges, place], this.buffer);
  }

  /** The bytes last copied, once that submit is done. Throws DISPOSED, DEVICE_LOST, TIMEOUT, GPU_FAILED. */
  async read(): Promise<ArrayBuffer> {
    const bytes = this.#bytes;
    const all = bytes + STAMP_BYTES;
    const stamp = this.#stamp;
    await this.device.wait("reading from the GPU", () => this.buffer.mapAsync(MAP_READ, 0, all));
    const { copy, found } = this.device.call("reading from the GPU", () => {
      try {
        const mapped = this.buffer.getMappedRange(0, all);
        return { copy: mapped.slice(0, bytes), found: new DataView(mapped).getUint32(bytes, true) };
      } finally {
        this.buffer.unmap();
      }
    });
    if (found === stamp) return copy;
    throw new WebvaeError("GPU_FAILED", `the GPU did not run submit ${stamp}; the last one it ran is ${found}`);
  }

  dispose(): void {
    this.device.release(this.buffer);
  }
}

/** A buffer for a stamp, for submits without a Step that has one. Use inside `allocating`. */
export function stampBuffer(device: Device): GPUBuffer {
  return device.buffer("stamp", STAMP_BYTES, SOURCE);
}

/** Writes the next stamp to `buffer`. */
export function stampAt(device: Device, buffer: GPUBuffer): Stamp {
  const value = nextStamp();
  device.write(buffer, 0, Uint32Array.of(value));
  return { place: { buffer, offset: 0, bytes: STAMP_BYTES }, value };
}

/** Records copies of `ranges` to a buffer, one after another starting at `at`. */
export function gatherRanges(encoder: GPUCommandEncoder, ranges: readonly Range[], to: GPUBuffer, at = 0): void {
  for (const { buffer, offset, bytes } of ranges) {
    encoder.copyBufferToBuffer(buffer, offset, to, at, bytes);
    at += bytes;
  }
}

/** The bytes of some ranges, one after another, after everything submitted so far. */
export async function readRanges(device: Device, ranges: readonly Range[]): Promise<ArrayBuffer> {
  const [all] = await readTogether(device, [ranges]);
  return all!;
}

/**
 * Reads groups of ranges, an array of bytes for each group, all from the same moment between two submits; calls `at` at
 * that moment.
 */
export async function readTogether(
  device: Device,
  groups: readonly (readonly Range[])[],
  at: () => void = () => {},
): Promise<ArrayBuffer[]> {
  const { stagings, stamp } = await device.allocating("a read-back", () => ({
    stagings: groups.map(
      (ranges) =>
        new Staging(
          device,
          ranges.reduce((sum, { bytes }) => sum + bytes, 0),
        ),
    ),
    stamp: stampBuffer(device),
  }));
  try {
    const mark = stampAt(device, stamp);
    device.submit("read back", (encoder) => {
      stagings.forEach((staging, index) => staging.copy(encoder, groups[index]!, mark));
    });
    at();
    return await Promise.all(stagings.map((staging) => staging.read()));
  } finally {
    for (const staging of stagings) staging.dispose();
    device.release(stamp);
  }
}
