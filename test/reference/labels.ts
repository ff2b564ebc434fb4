// Twin of shaders/labels.wgsl.
import { example } from "./gather.js";
import { at, matrixShape, tensorAt, type Twin } from "./twin.js";

const gatherLabels: Twin = (node, values, step) => {
  const labels = at(values, "labels");
  const { rows, columns } = matrixShape(tensorAt(node, "label"));
  const label = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const found = labels[example(row, labels.length, node.attributes.shuffle === true, step)]!;
    label[row * columns + found] = 1;
  }
  return { label };
};

export const labelsTwins: Readonly<Record<string, Twin>> = { gather_labels: gatherLabels };
