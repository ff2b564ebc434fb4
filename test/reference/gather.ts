// Twin of shaders/gather.wgsl.
import type { Node } from "../../src/graph.js";
import type { StepValues } from "../../src/executable.js";
import { philox4x32, Stream } from "../../src/random.js";
import { streamAt, wordsAt } from "./random.js";
import { at, matrixShape, tensorAt, type Twin } from "./twin.js";

const ROUNDS = 8;

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Which of `count` examples stands at `place` of the epoch's order: a Feistel network on the pairs (left, right) of
 * numbers below a power of two, walked until it lands below `count`.
 */
export function order(place: number, count: number, step: StepValues): number {
  const keys = philox4x32([step.epoch, 0, Stream.shuffle, 0], [step.seed_low, step.seed_high]);
  let side = 2;
  while (side * side < count) side *= 2;
  let index = place;
  do {
    let [left, right] = [Math.floor(index / side), index % side];
    for (let round = 0; round < ROUNDS; round++) {
      const key = (keys[round % 4]! + Math.imul(round, 0x9e3779b9)) >>> 0;
      [left, right] = [right, (left ^ (mix(right ^ key) % side)) >>> 0];
    }
    index = left * side + right;
  } while (index >= count);
  return index;
}

export function example(row: number, count: number, shuffle: boolean, step: StepValues): number {
  const place = (step.first_row + row) % count;
  return shuffle ? order(place, count, step) : place;
}

function gather(key: "bytes" | "floats", convert: (value: number) => number): Twin {
  return (node, values, step) => {
    const data = at(values, key);
    const { rows: count } = matrixShape(tensorAt(node, key));
    const { rows, columns } = matrixShape(tensorAt(node, "x"));
    const x = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const index = example(row, count, node.attributes.shuffle === true, step);
      for (let d = 0; d < columns; d++) {
        const value = data[index * columns + d]!;
        x[row * columns + d] = node.attributes.binarise
          ? drawn(value, index * Math.ceil(columns / 4) + Math.floor(d / 4), d % 4, node, step)
          : convert(value);
      }
    }
    return { x };
  };
}

/** 1 with probability byte / 255: a 24-bit number below byte * 2^24 / 255. */
function drawn(byte: number, element: number, lane: number, node: Node, step: StepValues): number {
  const word = wordsAt(element, step, streamAt(node, Stream.binarise))[lane]!;
  return (word >>> 8) * 255 < byte * 2 ** 24 ? 1 : 0;
}

export const gatherTwins: Readonly<Record<string, Twin>> = {
  gather_bytes: gather("bytes", (byte) => byte / 255),
  gather_floats: gather("floats", (value) => value),
};
