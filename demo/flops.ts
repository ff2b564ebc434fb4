// Floating-point operations of one training step, for the throughput that the page shows: products and convolutions,
// which are nearly all of it, two operations a multiplication.
import type { Layer, ModelSpec, Size2d } from "webvae";

type Shape = readonly number[];

/** Per example: forward, then as much again for each of the two gradients; what enters the first layer needs none. */
export function stepFlops(spec: ModelSpec, batch: number): number {
  const encoder = walk(spec.encoder, spec.input);
  const heads = 2 * product(encoder.shape) * 2 * spec.latent;
  const decoder = walk(spec.decoder, [spec.latent]);
  const layers = [...encoder.flops, heads, ...decoder.flops];
  const first = layers.find((flops) => flops > 0) ?? 0;
  return batch * (3 * layers.reduce((sum, flops) => sum + flops, 0) - first);
}

function walk(layers: readonly Layer[], from: Shape): { flops: number[]; shape: Shape } {
  let shape = from;
  const flops = layers.flatMap((layer) => {
    const one = step(layer, shape);
    shape = one.shape;
    return one.flops;
  });
  return { flops, shape };
}

function step(layer: Layer, shape: Shape): { flops: number[]; shape: Shape } {
  const [height = 1, width = 1, channels = 1] = shape;
  switch (layer.type) {
    case "dense":
      return { flops: [2 * product(shape) * layer.units], shape: [layer.units] };
    case "conv2d": {
      const out = [...windows(shape, layer.kernel, layer.stride ?? 1, layer.padding ?? "same"), layer.filters];
      return { flops: [2 * product(pair(layer.kernel)) * channels * product(out)], shape: out };
    }
    case "conv_transpose2d": {
      const [kernel, stride, extra] = [pair(layer.kernel), pair(layer.stride ?? 1), pair(layer.outputPadding ?? 0)];
      const pads = sides(layer.padding ?? "same");
      const size = [height, width].map((n, axis) =>
        pads === "same" ? n * stride[axis]! : (n - 1) * stride[axis]! + kernel[axis]! - pads[axis]! + extra[axis]!,
      );
      return { flops: [2 * product(kernel) * product(shape) * layer.filters], shape: [...size, layer.filters] };
    }
    case "max_pool2d":
    case "avg_pool2d": {
      const out = windows(shape, layer.window, layer.stride ?? layer.window, layer.padding ?? "valid");
      return { flops: [], shape: [...out, channels] };
    }
    case "upsample2d": {
      const [down, across] = pair(layer.factor);
      return { flops: [], shape: [height * down, width * across, channels] };
    }
    case "residual":
      return { flops: walk(layer.layers, shape).flops, shape };
    case "flatten":
      return { flops: [], shape: [product(shape)] };
    case "reshape":
      return { flops: [], shape: layer.shape };
    default:
      return { flops: [], shape };
  }
}

/** Height and width of what windows on an image make. */
function windows([height = 1, width = 1]: Shape, window: Size2d, stride: Size2d, padding: Padding): Shape {
  const [size, by, pads] = [pair(window), pair(stride), sides(padding)];
  return [height, width].map((n, axis) =>
    pads === "same" ? Math.ceil(n / by[axis]!) : Math.floor((n + pads[axis]! - size[axis]!) / by[axis]!) + 1,
  );
}

type Padding = "same" | "valid" | number | readonly [number, number, number, number];

/** Zeros above and below together, and left and right. */
function sides(padding: Padding): "same" | readonly [number, number] {
  if (padding === "same") return padding;
  if (padding === "valid") return [0, 0];
  if (typeof padding === "number") return [2 * padding, 2 * padding];
  return [padding[0] + padding[1], padding[2] + padding[3]];
}

const pair = (size: Size2d): readonly [number, number] => (typeof size === "number" ? [size, size] : size);
const product = (shape: Shape) => shape.reduce((total, n) => total * n, 1);
