// How an example is shown: as a picture, as a point in the plane, or, if it is neither, as a strip of cells.
import type { ModelSpec } from "webvae";

export type PictureShape = readonly [height: number, width: number, channels: number];

export const valuesOf = ({ input }: Pick<ModelSpec, "input">): number => input.reduce((product, n) => product * n, 1);

/** Whether examples are points in the plane. */
export const isPlanar = ({ input }: Pick<ModelSpec, "input">): boolean => input.length === 1 && input[0] === 2;

/** An example as a picture: a vector of n² values becomes a square, any other vector a strip. */
export function pictureShape(spec: Pick<ModelSpec, "input">): PictureShape {
  const [height = 1, width = 1, channels = 1] = spec.input;
  if (spec.input.length === 3 && (channels === 1 || channels === 3)) return [height, width, channels];
  if (spec.input.length === 2) return [height, width, 1];
  const values = valuesOf(spec);
  const side = Math.sqrt(values);
  return Number.isInteger(side) && side >= 8 ? [side, side, 1] : [1, values, 1];
}

/** The positions of pictures on a canvas, in whole pixels, so that a page's elements over them have the same edges. */
export interface Layout {
  readonly cell: { readonly width: number; readonly height: number };
  readonly gap: number;
  /** Size of all pictures with the gaps between them. */
  readonly width: number;
  readonly height: number;
}

/** The gap between pictures, as a fraction of a picture's width. */
const GAP = 0.06;

/**
 * The largest size at which `columns` x `rows` pictures fit, placed in the upper left corner. A canvas of the layout's
 * own size gets the same layout.
 */
export function layoutOf(
  canvas: { readonly width: number; readonly height: number },
  [height, width]: PictureShape,
  columns: number,
  rows: number,
): Layout {
  const sized = (cell: number): Layout => {
    const gap = columns * rows > 1 ? Math.max(1, Math.round(cell * GAP)) : 0;
    const tall = Math.max(1, Math.round((cell * height) / width));
    return {
      cell: { width: cell, height: tall },
      gap,
      width: columns * cell + (columns - 1) * gap,
      height: rows * tall + (rows - 1) * gap,
    };
  };
  const fits = (layout: Layout) => layout.width <= canvas.width && layout.height <= canvas.height;
  let cell = Math.max(1, Math.ceil(Math.min(canvas.width / columns, ((canvas.height / rows) * width) / height)));
  while (cell > 1 && !fits(sized(cell))) cell--;
  return sized(cell);
}
