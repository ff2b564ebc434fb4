// Sums in a fixed order: the parts of a split reduction, and a whole vector (shaders/sum.wgsl).
import sum from "../../shaders/sum.wgsl";
import type { Node } from "../graph.js";
import { size, type Tensor } from "../tensor.js";
import { ceilDiv, type Fusion, type Kernel, type Op } from "./op.js";

/** A weight's gradient and its bias's: y[i] = sum_p parts[p, i] and y2[i] = sum_p parts2[p, i]. */
export function sumPairs(parts: Tensor, y: Tensor, parts2: Tensor, y2: Tensor): Node {
  return { op: "sum_pairs", inputs: { parts, parts2 }, outputs: { y, y2 }, attributes: {} };
}

/**
 * Two sums of pairs in one dispatch, at the place of the second: a dispatch costs more than a short sum. A sum that a node
 * reads before that stays alone.
 */
export const joinedSums: Fusion = {
  name: "joined_sums",
  apply(node, { nodes }) {
    const at = nodes.indexOf(node);
    const before = nodes.findLastIndex(({ op }, index) => index < at && op === "sum_pairs");
    const first = nodes[before];
    if (node.op !== "sum_pairs" || !first) return undefined;
    const made = Object.values(first.outputs);
    if (nodes.slice(before, at).some(({ inputs }) => Object.values(inputs).some((tensor) => made.includes(tensor)))) {
      return undefined;
    }
    const [{ parts, parts2 }, { y, y2 }] = [node.inputs, node.outputs] as Record<string, Tensor>[] as [
      Record<"parts" | "parts2", Tensor>,
      Record<"y" | "y2", Tensor>,
    ];
    const joined: Node = {
      op: "sum_two_pairs",
      inputs: { ...first.inputs, parts3: parts, parts4: parts2 },
      outputs: { ...first.outputs, y3: y, y4: y2 },
      attributes: {},
    };
    return { takes: [first], nodes: [joined] };
  },
};

/** y = sum of all values: a scalar. */
export function sumAll(values: Tensor, y: Tensor): Node {
  return { op: "sum_all", inputs: { values }, outputs: { y }, attributes: {} };
}

type Four = [number, number, number, number];
const WORKGROUP_SIZE = 64;

function sumPairsKernel({ op, inputs, outputs }: Node): Kernel {
  const vectors = (tensor: Tensor | undefined) => size(tensor?.storage ?? [0]) / 4;
  const [length, length2, length3, length4] = [outputs.y, outputs.y2, outputs.y3, outputs.y4].map(vectors) as Four;
  return {
    shader: sum,
    entryPoint: op,
    constants: { WORKGROUP_SIZE },
    shape: {
      count: inputs.parts?.shape[0] ?? 0,
      length,
      length2,
      count3: inputs.parts3?.shape[0] ?? 0,
      length3,
      length4,
    },
    workgroups: ceilDiv(length + length2 + length3 + length4, WORKGROUP_SIZE),
  };
}

function sumAllKernel({ inputs }: Node): Kernel {
  return {
    shader: sum,
    entryPoint: "sum_all",
    constants: { WORKGROUP_SIZE },
    shape: { count: size(inputs.values?.shape ?? []), length: 1, length2: 0, count3: 0, length3: 0, length4: 0 },
    workgroups: 1,
  };
}

export const sumOps: readonly Op[] = [
  { name: "sum_pairs", kernel: sumPairsKernel },
  { name: "sum_two_pairs", kernel: sumPairsKernel },
  { name: "sum_all", kernel: sumAllKernel },
];
