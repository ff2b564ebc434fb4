// What encode, decode and reconstruct are given, and where they write examples to: values on the host, or in a buffer
// of the VAE's own device; one row after another, without padding.
import { invalidData, notFinite, type Dataset } from "./data/dataset.js";
import { checkData } from "./data/upload.js";
import type { Device } from "./device.js";
import { WebvaeError, type ErrorCode } from "./errors.js";
import { wholeNumber } from "./options.js";
import { size } from "./tensor.js";

/**
 * Rows of f32 in a buffer on the VAE's `gpuDevice`, of usage COPY_SRC, without padding: [count, ...input], or [count,
 * latent]. They never leave the GPU, and so nobody tells whether they are finite.
 */
export interface BufferRows {
  readonly buffer: GPUBuffer;
  readonly count: number;
}

/** Examples: a Dataset, floats, or bytes (value / 255), one example after another; or a buffer of them. */
export type Examples = Dataset | Float32Array | Uint8Array | Uint8ClampedArray | BufferRows;

/** Where results go, in place of an array. */
export interface IntoBuffer {
  /**
   * A buffer on the VAE's `gpuDevice`, of usage COPY_DST, that examples are written to instead of being read back: f32
   * [n, ...input] without padding, from its start. The call is done when the commands that write it are submitted.
   */
  readonly to: GPUBuffer;
}

/** Rows of `width` values, checked. */
export interface Rows {
  readonly source: Float32Array | Uint8Array | Uint8ClampedArray | GPUBuffer;
  readonly width: number;
  readonly count: number;
}

const usages = { COPY_SRC: 4, COPY_DST: 8 }; // GPUBufferUsage

/**
 * What `place` is given, examples of shape `input`; "decode" takes floats only. Throws INVALID_DATA, and INVALID_OPTION
 * for a count that is none.
 */
export function rowsOf(place: string, given: Examples, input: readonly number[]): Rows {
  const width = size(input);
  const latents = place === "decode";
  const flat = ArrayBuffer.isView(given);
  if (isBuffer(given)) {
    const { buffer } = given;
    const count = wholeNumber(`${place}: count`, given.count);
    checkBuffer("INVALID_DATA", place, buffer, "COPY_SRC", count, width);
    return { source: buffer, width, count };
  }
  if (!flat && !latents) checkData(given, input);
  const source = flat || latents ? (given as Uint8Array) : given.values;
  const types = latents ? [Float32Array] : [Float32Array, Uint8Array, Uint8ClampedArray];
  if (!types.some((type) => source instanceof type) || !source.length || source.length % width) {
    const names = types.map(({ name }) => name).join(" or ");
    throw invalidData(place, `expected a ${names} of n x ${width} values, found ${source?.length} values`);
  }
  const bad = flat && source instanceof Float32Array ? source.findIndex((value) => !Number.isFinite(value)) : -1;
  if (bad >= 0) throw notFinite(place, bad, width, source[bad]);
  return { source, width, count: source.length / width };
}

/** A typed array has a buffer too. */
const isBuffer = (given: Examples): given is BufferRows =>
  !ArrayBuffer.isView(given) && !!(given as BufferRows | null)?.buffer;

/** Throws `code` where `buffer` does not hold `count` rows of `width` values, or may not be used so. */
export function checkBuffer(
  code: ErrorCode,
  place: string,
  buffer: GPUBuffer,
  usage: keyof typeof usages,
  count: number,
  width: number,
): void {
  const bytes = 4 * count * width;
  if (buffer?.size >= bytes && buffer.usage & usages[usage]) return;
  throw new WebvaeError(
    code,
    `${place}: ${count} rows of ${width} values take a GPUBuffer of ${bytes} bytes with usage ${usage}; ` +
      `it has ${buffer?.size} bytes and usage ${buffer?.usage}`,
  );
}

/**
 * Throws `code` where one of two buffers is not of this device, is mapped or destroyed. Only WebGPU itself can tell: it
 * is asked to copy nothing.
 */
export async function checkOwner(
  code: ErrorCode,
  place: string,
  device: Device,
  from: GPUBuffer,
  to: GPUBuffer,
): Promise<void> {
  const { errors } = await device.scoped(place, () =>
    device.submit(place, (encoder) => encoder.copyBufferToBuffer(from, 0, to, 0, 0)),
  );
  const error = errors[0]?.[1];
  if (error) throw new WebvaeError(code, `${place}: not a buffer that this VAE's gpuDevice can use: ${error}`);
}
