// Gathers a batch from the data set on the GPU, where it is also shuffled (shaders/gather.wgsl).
import gatherShader from "../../shaders/gather.wgsl";
import type { Node } from "../graph.js";
import { padTo4, tensor, type Tensor } from "../tensor.js";
import { exampleSizes } from "./bernoulli.js";
import { ceilDiv, siteConstant, type Kernel, type Op } from "./op.js";

export interface GatherOptions {
  readonly batch: number;
  /** A new order in each epoch, instead of the data's own. */
  readonly shuffle?: boolean;
  /** Draws each pixel as 0 or 1 at each step, with its value as the probability (bytes only). */
  readonly binarise?: boolean;
  /** All draws of an example see the same zeros and ones. */
  readonly drawnOnce?: boolean;
}

/** The data set as stored on the GPU: [N, D], in bytes (four to a word) or floats. */
export function dataTensor(kind: "bytes" | "floats", count: number, values: number): Tensor {
  const rows = tensor(kind, "input", [count, values]);
  return kind === "floats" ? rows : { ...rows, storage: [count, (rows.storage[1] ?? 4) / 4] };
}

/** x [batch, ...shape] from `data`, a tensor made by dataTensor; [batch, D] by default, and except for images. */
export function gather(data: Tensor, options: GatherOptions, shape: readonly number[] = data.shape.slice(1)): Node {
  const x = tensor("x", "activation", [options.batch, ...shape]);
  return {
    op: `gather_${data.name}`,
    inputs: { [data.name]: data },
    outputs: { x },
    attributes: {
      shuffle: options.shuffle ?? false,
      binarise: options.binarise ?? false,
      ...(options.binarise && options.drawnOnce ? { drawn_once: true } : {}),
    },
  };
}

/** Half of the bits of the network that orders `count` examples (shaders/lib/order.wgsl). */
export const halfBits = (count: number): number => Math.ceil(Math.max(2, Math.ceil(Math.log2(count))) / 2);

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const data = inputs.bytes ?? inputs.floats;
  const { x } = outputs;
  if (!data || !x) throw new Error(`${op}: data or x is missing`);
  const [count = 1, values = 1] = data.shape;
  const [rows = 1] = x.shape;
  const sizes = exampleSizes(x);
  return {
    shader: gatherShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      SHUFFLE: attributes.shuffle ? 1 : 0,
      PAD_PIXELS: sizes.pixels === padTo4(values) / 4 ? 0 : 1,
      ...(op === "gather_bytes" ? { BINARISE: attributes.binarise ? 1 : 0 } : {}),
      ...(attributes.drawn_once ? { DRAWN_ONCE: 1 } : {}),
      ...siteConstant(attributes),
    },
    shape: {
      rows,
      ...sizes,
      words: padTo4(values) / 4,
      count,
      half_bits: halfBits(count),
    },
    workgroups: ceilDiv(rows * sizes.segments, WORKGROUP_SIZE),
  };
}

export const gatherOps: readonly Op[] = [
  { name: "gather_bytes", kernel },
  { name: "gather_floats", kernel },
];
