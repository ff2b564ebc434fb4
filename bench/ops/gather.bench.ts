import { dataTensor, gather } from "../../src/ops/gather.js";
import { size } from "../../src/tensor.js";
import type { OpCase } from "../support/op_bench.js";

const batch = 128;
const values = 784;

export const cases: OpCase[] = (["bytes", "floats"] as const).flatMap((kind) => {
  const data = dataTensor(kind, 10_000, values);
  const read = (4 * batch * size(data.storage)) / 10_000;
  const bytes = read + 4 * batch * values;
  const ways = [
    { name: `${batch}x${values}`, node: gather(data, { batch }), bytes },
    { name: `${batch}x${values} shuffled`, node: gather(data, { batch, shuffle: true }), bytes },
  ];
  const binarised = { name: `${batch}x${values} binarised`, node: gather(data, { batch, binarise: true }), bytes };
  return kind === "bytes" ? [...ways, binarised] : ways;
});
