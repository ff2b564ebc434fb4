// A model's weights on the host: their initial values, and each value's position in the padded flat buffer. Pure.
import { RandomSequence, Stream } from "./random.js";
import type { Model, Parameter } from "./parameters.js";
import { memberOffsets, size, type Tensor } from "./tensor.js";

/**
 * torch: weights and biases uniform in +-1/sqrt(fan_in), like PyTorch's linear layers. glorot: weights uniform in
 * +-sqrt(6/(fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16), biases 0.
 */
export type Initialisation = "torch" | "glorot";

/** The initial weights, laid out like `model.params`. The same for the same seed on every machine. */
export function initialWeights(model: Model, seed: number, preset: Initialisation): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(size(model.params.storage));
  model.parameters.forEach((parameter, index) => {
    const bound = initialBound(parameter, preset);
    const random = new RandomSequence(seed, Stream.initialisation, index);
    if (bound > 0) forEachValue(model.params, parameter, (at) => (flat[at] = (2 * random.uniform() - 1) * bound));
    else if (parameter.kind === "gain") forEachValue(model.params, parameter, (at) => (flat[at] = 1));
    else if (parameter.kind === "noise")
      forEachValue(model.params, parameter, (at, file) => (flat[at] = file > 0 ? 0 : random.normal()));
  });
  return flat;
}

/** The largest absolute value of a parameter's initial values. */
function initialBound({ kind, fanIn, fanOut }: Parameter, preset: Initialisation): number {
  if (kind !== "weight" && kind !== "bias") return 0;
  if (preset === "torch") return 1 / Math.sqrt(fanIn);
  return kind === "weight" ? Math.sqrt(6 / (fanIn + fanOut)) : 0;
}

/** The running statistics before the first step, laid out like `model.running`: means 0, variances 1. */
export function initialStatistics(model: Model): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(size(model.running.storage));
  for (const { tensor, kind } of model.statistics) {
    const start = memberOffsets(model.running).get(tensor.name) ?? 0;
    if (kind === "gain") flat.fill(1, start, start + size(tensor.shape));
  }
  return flat;
}

/** Calls `visit` with each value's index in the flat buffer, head by head, and its index in a file. */
export function forEachValue(
  flat: Tensor,
  { tensor: { name, shape, storage }, files }: Parameter,
  visit: (at: number, file: number, index: number) => void,
): void {
  const start = memberOffsets(flat).get(name) ?? 0;
  // Two heads are side by side in the second-to-last size.
  const split = files.length > 1 ? shape.length - 2 : -1;
  const axes = [...shape.keys()].filter((axis) => axis !== split);
  const stride = (axis: number) => size(storage.slice(axis + 1));
  for (let file = 0; file < files.length; file++) {
    let index = 0;
    const walk = (depth: number, at: number): void => {
      const axis = axes[depth];
      if (axis === undefined) return visit(at, file, index++);
      for (let i = 0, step = stride(axis); i < (shape[axis] ?? 1); i++) walk(depth + 1, at + i * step);
    };
    walk(0, start + (split < 0 ? 0 : file * stride(split)));
  }
}
