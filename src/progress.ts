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
  // The rounds of MurmurHash3 (Appleby) with two seeds.
  let [a, b] = [0x9e3779b9, 0x85ebca6b];
  const add = (word: number) => {
    const k = Math.imul(word, 0xcc9e2d51);
    a = Math.imul(((a ^ k) << 13) | ((a ^ k) >>> 19), 5) + 0x6b64;
    b = Math.imul(((b + k) << 17) | ((b + k) >>> 15), 0x1b873593) ^ word;
  };
  for (let i = 0; i < words; i++) add(view[i]!);
  for (const byte of new Uint8Array(aligned.buffer, aligned.byteOffset + 4 * words, values.byteLength % 4)) add(byte);
  const hex = (n: number) => (n >>> 0).toString(16).padStart(8, "0");
  return `${hex(a)}${hex(b)} ${values.BYTES_PER_ELEMENT} ${count}x${shape.join("x")} ${how}`;
}
