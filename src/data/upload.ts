// Puts a data set on the GPU: every row padded to whole vec4 (floats) or words (bytes), as gather.wgsl reads it.
import { reading } from "../checks.js";
import { conditionTypes } from "../conditions/index.js";
import type { Condition } from "../conditions/json.js";
import type { Device } from "../device.js";
import { WebvaeError } from "../errors.js";
import { invalidOption } from "../options.js";
import { dataTensor } from "../ops/gather.js";
import { further } from "../ops/index.js";
import type { Model } from "../parameters.js";
import { padTo4, size, type Tensor } from "../tensor.js";
import { tensorBytes } from "../plan.js";
import { validateDataset, type Dataset } from "./dataset.js";
import { invalidData } from "./refusals.js";

export interface ResidentData {
  /** The tensors that the graph gathers from; the buffers are bound by their names. */
  readonly tensor: Tensor;
  readonly labels: Tensor | undefined;
  readonly buffers: Readonly<Record<string, GPUBuffer>>;
  readonly count: number;
  readonly release: () => void;
}

const STORAGE = 0x80 | 0x08; // GPUBufferUsage.STORAGE | COPY_DST
/** Rows are padded and written in chunks of about this many bytes, so that the host never holds a second copy. */
const PIECE_BYTES = 2 ** 24;

export interface DataUse {
  /** Values must be in [0, 1], for a Bernoulli likelihood. */
  readonly unitInterval?: boolean;
  /** What the data must say of its examples. */
  readonly condition?: Condition | undefined;
  readonly binarise?: boolean | undefined;
  /** Its name in messages. Default "data set". */
  readonly what?: string;
}

/** What a model needs of the data that it trains on. */
export const needsOf = ({ resolved, likelihood }: Model): DataUse => ({
  unitInterval: !!likelihood.type.link,
  condition: resolved.spec.condition,
});

/** [28, 28] and [28, 28, 1] are laid out alike. */
const sizes = (shape: readonly number[]) => shape.join().replace(/(,1)+$/, "");

/**
 * Checks `dataset` for a model whose examples have shape `input`; either may be flat. Throws INVALID_DATA naming both
 * shapes, the first value that the likelihood cannot take, or the label that a condition lacks, and INVALID_OPTION if
 * floats would be binarised.
 */
export function checkData(dataset: Dataset, input: readonly number[], use: DataUse = {}): void {
  reading("INVALID_DATA", use.what ?? "data set", () => check(dataset, input, use));
}

function check(dataset: Dataset, input: readonly number[], use: DataUse): void {
  const { unitInterval, condition, binarise, what = "data set" } = use;
  validateDataset(dataset, what, input);
  const named = `${what} ${dataset.name}`.trim();
  const { shape } = dataset;
  const values = size(input);
  const flat = shape.length === 1 || input.length === 1;
  if (size(shape) !== values || (!flat && sizes(shape) !== sizes(input))) {
    throw new WebvaeError(
      "INVALID_DATA",
      `${named}: its examples have shape [${shape.join(", ")}], ${size(shape)} values; ` +
        `the model's input has shape [${input.join(", ")}], ${values} values`,
    );
  }
  if (binarise && !(dataset.values instanceof Uint8Array)) {
    throw invalidOption(`binarise needs byte data; ${named} has floats`);
  }
  if (condition) conditionTypes[condition.type]!.check(condition, dataset, what);
  if (!unitInterval || dataset.values instanceof Uint8Array) return;
  const bad = dataset.values.findIndex((value) => value < 0 || value > 1);
  if (bad >= 0) {
    throw new WebvaeError(
      "INVALID_DATA",
      `${named}: a Bernoulli likelihood needs values in [0, 1]; value ${bad % values} of example ` +
        `${Math.floor(bad / values)} is ${dataset.values[bad]}. Divide them (pixels with scale: 255 of fromArray ` +
        `and fromNpy), or use a Gaussian likelihood`,
    );
  }
}

/**
 * Puts a checked data set on the GPU, with its labels for a condition on them. Throws LIMIT_EXCEEDED and OUT_OF_MEMORY.
 * The caller releases it.
 */
export async function uploadData(device: Device, dataset: Dataset, condition?: Condition): Promise<ResidentData> {
  const values = size(dataset.shape);
  const kind = dataset.values instanceof Uint8Array ? "bytes" : "floats";
  const tensor = dataTensor(kind, dataset.count, values);
  const bytes = tensorBytes(tensor);
  const largest = Math.min(device.gpu.limits.maxStorageBufferBindingSize, device.gpu.limits.maxBufferSize);
  if (bytes > largest) {
    throw new WebvaeError(
      "LIMIT_EXCEEDED",
      `data set ${dataset.name}: ${dataset.count} examples take ${bytes} bytes on the GPU; this adapter allows ` +
        `${largest}, which is ${Math.floor((largest / bytes) * dataset.count)} examples`,
    );
  }
  const labels = condition && further!.labelsTensor(dataset.count);
  const tensors = [tensor, ...(labels ? [labels] : [])];
  const made = await device.allocating(`data set ${dataset.name}`, () =>
    tensors.map((one) => [one.name, device.buffer(dataset.name, tensorBytes(one), STORAGE)] as const),
  );
  const release = () => made.forEach(([, buffer]) => device.release(buffer));
  const buffer = made[0]![1];
  const rowValues = padTo4(values);
  const rowBytes = rowValues * (kind === "bytes" ? 1 : 4);
  const rowsAtOnce = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
  try {
    for (let first = 0; first < dataset.count; first += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, dataset.count - first);
      checkBorrowed(dataset, (first + rows) * values);
      const piece = dataset.values.subarray(first * values, (first + rows) * values);
      device.write(buffer, first * rowBytes, padRows(piece, rows, values, rowValues));
    }
    if (labels) device.write(made[1]![1], 0, Uint32Array.from(dataset.labels!));
  } catch (error) {
    release();
    throw error;
  }
  return { tensor, labels, buffers: Object.fromEntries(made), count: dataset.count, release };
}

/** Throws INVALID_DATA if a borrowed array has fewer than `needed` values left: it was transferred, or shrank. */
export function checkBorrowed({ name, values }: Pick<Dataset, "name" | "values">, needed: number): void {
  if (values.length < needed)
    throw invalidData(name, "its values were transferred away while a call was still reading them");
}

function padRows(
  piece: Uint8Array | Float32Array,
  rows: number,
  values: number,
  rowValues: number,
): Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  // WebGPU writes whole words, from a view that may start anywhere.
  const padded = piece instanceof Uint8Array ? new Uint8Array(rows * rowValues) : new Float32Array(rows * rowValues);
  if (values === rowValues) padded.set(piece);
  else
    for (let row = 0; row < rows; row++) padded.set(piece.subarray(row * values, (row + 1) * values), row * rowValues);
  return padded;
}
