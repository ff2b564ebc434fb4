// The labels of a batch as rows of zeros and a one (shaders/labels.wgsl).
import labelsShader from "../../shaders/labels.wgsl";
import type { Node } from "../graph.js";
import { tensor, type Tensor } from "../tensor.js";
import { halfBits } from "./gather.js";
import { ceilDiv, type Kernel, type Op } from "./op.js";

/** A label for each example of the data set, [N] whole numbers, as stored on the GPU. */
export const labelsTensor = (count: number): Tensor => tensor("labels", "input", [count]);

/** label [batch, classes], a one in the column of each row's class: of the rows that `gather` takes with this shuffle. */
export function gatherLabels(labels: Tensor, batch: number, classes: number, shuffle = false): Node {
  return {
    op: "gather_labels",
    inputs: { labels },
    outputs: { label: tensor("label", "activation", [batch, classes]) },
    attributes: { shuffle },
  };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const [rows = 1] = outputs.label!.shape;
  const [count = 1] = inputs.labels!.shape;
  const columns = outputs.label!.storage[1]! / 4;
  return {
    shader: labelsShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, SHUFFLE: attributes.shuffle ? 1 : 0 },
    shape: { rows, columns, count, half_bits: halfBits(count) },
    workgroups: ceilDiv(rows * columns, WORKGROUP_SIZE),
  };
}

export const labelsOps: readonly Op[] = [{ name: "gather_labels", kernel }];
