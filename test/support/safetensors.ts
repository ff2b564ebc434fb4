// Safetensors files in parts, for tests.
import { expect } from "vitest";
import { WebvaeError } from "../../src/errors.js";
import type { NamedTensor } from "../../src/safetensors.js";

/** A file of the given header text and data, with the length field true unless given. */
export function file(header: string | Uint8Array, data: number[] = [], length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

export const zeros = (count: number): number[] => new Array<number>(count).fill(0);

/** One F32 tensor `w` with the given parts of its header entry replaced. */
export const entry = ({ dtype = `"F32"`, shape = "[2]", offsets = "[0,8]" } = {}): string =>
  `{"w":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;

export function errorOf(run: () => unknown): WebvaeError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(WebvaeError);
    return error as WebvaeError;
  }
  throw new Error("nothing was thrown");
}

export const f32 = (name: string, shape: number[], values: number[]): NamedTensor => ({
  name,
  dtype: "F32",
  shape,
  data: new Float32Array(values),
});
