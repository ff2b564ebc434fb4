// The inputs of encode, decode and reconstruct, and the targets of their results: values on the host, or in a buffer on
// the VAE's own device; one row after another, without padding.
import type { Dataset } from "./data/dataset.js";
import { quoted, reading } from "./checks.js";
import { invalidData, whatIs } from "./data/refusals.js";
import { valuesOf, type Numbers } from "./data/rows.js";
import { checkData, type DataUse } from "./data/upload.js";
import type { Device } from "./device.js";
import { WebvaeError, type ErrorCode } from "./errors.js";
import { wholeNumber } from "./options.js";
import { size } from "./tensor.js";

/**
 * Rows of f32 in a buffer on the VAE's `gpuDevice`, with usage COPY_SRC, without padding: [count, ...input], or [count,
 * latent]. They never leave the GPU, so they are not checked for non-finite values.
 */
export interface BufferRows {
  readonly buffer: GPUBuffer;
  readonly count: number;
}

/**
 * Examples: a Dataset, which is borrowed until the call settles; numbers, one example after another or an array of
 * rows, which are copied before the call returns (bytes of a Uint8Array or Uint8ClampedArray mean value / 255); or a
 * buffer.
 */
export type Examples = Dataset | Numbers | BufferRows;

/**
 * Latents [n, latent]: floats, one row after another or an array of rows, copied before the call returns; or a buffer.
 */
export type Latents = Exclude<Numbers, Uint8Array | Uint8ClampedArray> | BufferRows;

/** Where results go, instead of an array. */
export interface IntoBuffer {
  /**
   * A buffer on the VAE's `gpuDevice`, with usage COPY_DST, that examples are written to instead of being read back:
   * f32 [n, ...input] without padding, from its start. The call resolves when the commands that write it are submitted.
   */
  readonly to: GPUBuffer;
}

/** Rows of `width` values, checked. */
export interface Rows {
  readonly source: Float32Array | Uint8Array | GPUBuffer;
  readonly width: number;
  readonly count: number;
  /** Of the data set that they are from. */
  readonly name?: string;
  readonly labels?: Uint8Array;
}

const usages = { COPY_SRC: 4, COPY_DST: 8 }; // GPUBufferUsage

/**
 * Checks the examples of shape `input` that were passed to the call `place`. They are copied unless they are a Dataset
 * or a buffer. "decode" takes only floats. Throws INVALID_DATA, and INVALID_OPTION for an invalid count.
 */
export function rowsOf(place: string, given: Examples | Latents, input: readonly number[], use: DataUse = {}): Rows {
  return reading("INVALID_DATA", place, () => copied(place, given, input, use));
}

function copied(place: string, given: Examples | Latents, input: readonly number[], use: DataUse): Rows {
  const width = size(input);
  if (isBuffer(given)) {
    const { buffer } = given;
    const count = wholeNumber(`${place}: count`, given.count);
    checkBuffer("INVALID_DATA", place, buffer, "COPY_SRC", count, width);
    return { source: buffer, width, count };
  }
  let dataset = given as Dataset;
  let what = `${place}: data set`;
  if (place === "decode" || Array.isArray(given) || ArrayBuffer.isView(given)) {
    let values = valuesOf(given, input, place);
    if (place === "decode" && values instanceof Uint8Array) {
      throw invalidData(place, `latents must be floats, not bytes; found ${whatIs(given)}`);
    }
    if (!values.length || values.length % width) {
      throw invalidData(place, `expected n x ${width} values, found ${values.length}`);
    }
    // Not slice(), which does not copy a Node Buffer.
    if (values.buffer === (given as Uint8Array).buffer) {
      values = values instanceof Uint8Array ? new Uint8Array(values) : new Float32Array(values);
    }
    dataset = { name: "", shape: input, count: values.length / width, values };
    what = place;
  }
  checkData(dataset, input, { ...use, what });
  const { values: source, count, name, labels } = dataset;
  return { source, width, count, ...(labels ? { name, labels } : {}) };
}

/** A typed array also has a buffer. */
const isBuffer = (given: unknown): given is BufferRows =>
  !ArrayBuffer.isView(given) && !!(given as BufferRows | null)?.buffer;

/** Throws `code` if `buffer` is too small for `count` rows of `width` values, or lacks the usage. */
export function checkBuffer(
  code: ErrorCode,
  place: string,
  buffer: GPUBuffer,
  usage: keyof typeof usages,
  count: number,
  width: number,
): void {
  const bytes = 4 * count * width;
  const found = reading(code, place, () => ({ size: buffer?.size, usage: buffer?.usage }));
  if (found.size >= bytes && found.usage & usages[usage]) return;
  throw new WebvaeError(
    code,
    `${place}: ${count} rows of ${width} values take a GPUBuffer of ${bytes} bytes with usage ${usage}; ` +
      `it has ${quoted(found.size)} bytes and usage ${quoted(found.usage)}`,
  );
}

/**
 * Throws `code` if one of two buffers belongs to another device, is mapped or is destroyed. Only WebGPU can tell, so
 * this asks it to copy zero bytes.
 */
export async function checkOwner(
  code: ErrorCode,
  place: string,
  device: Device,
  from: GPUBuffer,
  to: GPUBuffer,
): Promise<void> {
  let error: unknown;
  try {
    const { errors } = await device.scoped(place, () =>
      device.submit(place, (encoder) => encoder.copyBufferToBuffer(from, 0, to, 0, 0)),
    );
    error = errors[0]?.[1];
  } catch (thrown) {
    // If a value is not a buffer, the call itself throws.
    if (!(thrown instanceof WebvaeError) || !(thrown.cause instanceof TypeError)) throw thrown;
    error = thrown.cause.message;
  }
  if (error) throw new WebvaeError(code, `${place}: not a buffer that this VAE's gpuDevice can use: ${quoted(error)}`);
}
