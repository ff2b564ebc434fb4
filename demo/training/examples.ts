// Examples of a data set as numbers from 0 to 1, for the page and the latent map.
import type { Dataset } from "webvae";

const sizeOf = ({ shape }: Dataset) => shape.reduce((total, n) => total * n, 1);

/** The examples at `indices`, as floats. */
export function rowsAt(data: Dataset, indices: readonly number[]): Float32Array {
  const size = sizeOf(data);
  const rows = new Float32Array(indices.length * size);
  const scale = data.values instanceof Uint8Array ? 1 / 255 : 1;
  indices.forEach((index, row) => {
    for (let i = 0; i < size; i++) rows[row * size + i] = data.values[index * size + i]! * scale;
  });
  return rows;
}

/** Indices of `count` examples, cycling through the classes if there are labels. */
export function varied({ count: total, labels }: Dataset, count: number): number[] {
  const queues = new Map<number, number[]>();
  for (let index = 0; index < total; index++) {
    const label = labels?.[index] ?? 0;
    const queue = queues.get(label) ?? [];
    queues.set(label, queue);
    if (queue.length < count) queue.push(index);
  }
  const classes = [...queues].sort(([a], [b]) => a - b).map(([, queue]) => queue);
  const chosen: number[] = [];
  for (let turn = 0; chosen.length < Math.min(count, total); turn++) {
    for (const queue of classes) {
      if (turn < queue.length && chosen.length < count) chosen.push(queue[turn]!);
    }
  }
  return chosen;
}
