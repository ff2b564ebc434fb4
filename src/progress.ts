// Where a run stands, and what comes after a step.
import type { Dataset } from "./data/dataset.js";

/** Where a run stands. */
export interface Progress {
  /** Keys all random numbers of the run. */
  readonly seed: number;
  /** Steps done since the first. */
  readonly step: number;
  /** Epochs begun; the current one's number is epoch, from 0. */
  readonly epoch: number;
  /** Steps done in the current epoch. */
  readonly epochStep: number;
  /** What `epochStep` counts in: the data, its order and its batches. Where they are others, an epoch begins anew. */
  readonly place?: string;
  /** Whether an epoch's last, smaller batch is left out: what `train` does where it isn't told. */
  readonly dropLast?: boolean;
}

/** Names a data set's values, by two hashes of 32 bits, with how a run goes through them. */
export function placeIn(dataset: Dataset, how: string): string {
  const { values, count, shape } = dataset;
  const words = Math.floor(values.byteLength / 4);
  const aligned = values.byteOffset % 4 === 0 ? values : values.slice();
  const view = new Uint32Array(aligned.buffer, aligned.byteOffset, words);
  const rest = new Uint8Array(aligned.buffer, aligned.byteOffset + 4 * words, values.byteLength % 4);
  // Two sums of products, each turned as MurmurHash3 (Appleby) turns its own. 47 MB took 0.15 s beside other work.
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = 0; i < words + rest.length; i++) {
    const word = i < words ? view[i]! : rest[i - words]!;
    a = Math.imul(a ^ word, 0xcc9e2d51);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b + word, 0x1b873593) ^ (b >>> 15);
  }
  const hex = (n: number) => (n >>> 0).toString(16).padStart(8, "0");
  return `${hex(a)}${hex(b)} ${values.BYTES_PER_ELEMENT} ${count}x${shape.join("x")} ${how}`;
}
