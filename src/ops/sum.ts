// Sums in a fixed order: the parts of a split reduction, and a whole vector (shaders/sum.wgsl).
import sum from "../../shaders/sum.wgsl";
import type { Node } from "../graph.js";
import { size, type Tensor } from "../tensor.js";
import { ceilDiv, type Kernel, type Op } from "./op.js";

/** y[i] = sum_p parts[p, i]. */
export function sumParts(parts: Tensor, y: Tensor): Node {
  return { op: "sum_parts", inputs: { parts }, outputs: { y }, attributes: {} };
}

/** Both at once: y[i] = sum_p parts[p, i] and y2[i] = sum_p parts2[p, i]. */
export function sumPairs(parts: Tensor, y: Tensor, parts2: Tensor, y2: Tensor): Node {
  return { op: "sum_pairs", inputs: { parts, parts2 }, outputs: { y, y2 }, attributes: {} };
}

/** y = sum of all values: a scalar. */
export function sumAll(values: Tensor, y: Tensor): Node {
  return { op: "sum_all", inputs: { values }, outputs: { y }, attributes: {} };
}

const WORKGROUP_SIZE = 64;

function sumPartsKernel({ op, inputs, outputs }: Node): Kernel {
  const length = size(outputs.y?.storage ?? []) / 4;
  const other = size(outputs.y2?.storage ?? [0]) / 4;
  return {
    shader: sum,
    entryPoint: op,
    constants: { WORKGROUP_SIZE },
    shape: { parts: inputs.parts?.shape[0] ?? 0, length, other },
    workgroups: ceilDiv(length + other, WORKGROUP_SIZE),
  };
}

function sumAllKernel({ inputs }: Node): Kernel {
  return {
    shader: sum,
    entryPoint: "sum_all",
    constants: { WORKGROUP_SIZE },
    shape: { parts: size(inputs.values?.shape ?? []), length: 1, other: 0 },
    workgroups: 1,
  };
}

export const sumOps: readonly Op[] = [
  { name: "sum_parts", kernel: sumPartsKernel },
  { name: "sum_pairs", kernel: sumPartsKernel },
  { name: "sum_all", kernel: sumAllKernel },
];
