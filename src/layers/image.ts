// Images [height, width, channels] under windows: sizes, paddings and the pixels that meet.
import { invalid, show } from "../checks.js";
import type { Padding, Size2d } from "./json.js";

export type Pair = readonly [number, number];

export const pair = (size: Size2d): Pair => (typeof size === "number" ? [size, size] : size);

/** Height and width of a layer's output. */
export const sizeOf = ({ output }: { readonly output: readonly number[] }) => output.slice(0, 2) as unknown as Pair;

/** Padding before and after that "same" needs for `steps` windows over `size`. */
export function sides(
  padding: Padding,
  axis: 0 | 1,
  kernel: number,
  stride: number,
  steps: number,
  size: number,
): Pair {
  if (padding === "valid") return [0, 0];
  if (typeof padding === "number") return [padding, padding];
  if (padding !== "same") return [padding[2 * axis] ?? 0, padding[2 * axis + 1] ?? 0];
  const total = Math.max((steps - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Number of windows that fit along both axes of an image, and the padding. */
export function along(place: string, kernel: Pair, stride: Pair, padding: Padding, image: Pair) {
  const axes = ([0, 1] as const).map((axis) => {
    const [k, s, n] = [kernel[axis], stride[axis], image[axis]];
    const [before, after] = sides(padding, axis, k, s, Math.ceil(n / s), n);
    if (k > n + before + after) {
      const padded = before + after > 0 ? `, padded to ${n + before + after}` : "";
      const series = n === 1 ? "; for a series [n, 1, c] write [k, 1]" : "";
      invalid(
        `${place}: a window of ${k} is larger than the image's ${axis === 0 ? "height" : "width"} ${n}${padded}${series}`,
      );
    }
    return { size: Math.floor((n + before + after - k) / s) + 1, before, after };
  });
  return both(axes);
}

export function both(axes: readonly { readonly size: number; readonly before: number; readonly after: number }[]) {
  const [y, x] = axes;
  if (!y || !x) throw new Error("an image has two axes");
  return {
    size: [y.size, x.size] as const,
    pad: [y.before, x.before] as const,
    sides: axes.map(({ before, after }) => [before, after] as const),
  };
}

/** An input's sizes. Throws INVALID_SPEC where it is no image. */
export function imageAt(place: string, shape: readonly number[]): readonly [number, number, number] {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || !height || !width || !channels) {
    const [n = 1, c = 1] = shape;
    // The encoder's first layer gets the user's own shape.
    const given = place.startsWith("encoder.0 ")
      ? `; a series is [${n}, 1, ${c}], with kernels [k, 1]${c > 1 ? `, and a grey image [${n}, ${c}, 1]` : ""}`
      : "";
    invalid(
      `${place}: needs an image [height, width, channels]; its input has shape ${show(shape)}. A reshape makes one${given}`,
    );
  }
  return [height, width, channels];
}
