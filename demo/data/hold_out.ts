// The part of a data set that is held out for testing: chosen by seed, so that it is the same on every visit.
import type { Dataset } from "webvae";
import { fromArray } from "webvae/datasets";

/** More would not make the test losses better, only slower to compute. */
const MOST_TESTED = 10_000;

/** 0 to n - 1 in an order that the seed determines (a Fisher-Yates shuffle with mulberry32). */
export function shuffled(n: number, seed: number): Uint32Array {
  let state = seed | 0;
  const below = (end: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end);
  };
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let last = n - 1; last > 0; last--) {
    const other = below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** A tenth for testing, at least one example and at most 10,000; the rest for training. Needs two examples or more. */
export function holdOut(dataset: Dataset, seed: number): { train: Dataset; test: Dataset } {
  const { count } = dataset;
  const order = shuffled(count, seed);
  const tested = Math.min(Math.max(1, Math.round(count / 10)), MOST_TESTED);
  return { train: pick(dataset, order.subarray(tested).sort()), test: pick(dataset, order.subarray(0, tested).sort()) };
}

/** At most `most` examples, chosen by seed, in their original order. */
export function sampleOf(dataset: Dataset, most: number, seed: number): Dataset {
  if (dataset.count <= most) return dataset;
  return pick(dataset, shuffled(dataset.count, seed).subarray(0, most).sort());
}

function pick({ name, shape, count, values, labels }: Dataset, indices: Uint32Array): Dataset {
  const size = values.length / count;
  const picked = new (values instanceof Uint8Array ? Uint8Array : Float32Array)(indices.length * size);
  indices.forEach((index, i) => picked.set(values.subarray(index * size, (index + 1) * size), i * size));
  const ofLabels = labels && Uint8Array.from(indices, (index) => labels[index]!);
  return fromArray(picked, { name, shape, ...(ofLabels ? { labels: ofLabels } : {}) });
}
