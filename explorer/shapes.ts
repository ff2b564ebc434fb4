// How an example is shown: as a picture, as a point in the plane, or, where it is neither, as a strip of cells.
import type { ModelSpec } from "webvae";

export type PictureShape = readonly [height: number, width: number, channels: number];

export const valuesOf = ({ input }: Pick<ModelSpec, "input">): number => input.reduce((product, n) => product * n, 1);

/** Whether examples are points in the plane. */
export const isPlanar = ({ input }: Pick<ModelSpec, "input">): boolean => input.length === 1 && input[0] === 2;

/** An example as a picture: a vector of a square number of values is taken for a square one, another for a strip. */
export function pictureShape(spec: Pick<ModelSpec, "input">): PictureShape {
  const [height = 1, width = 1, channels = 1] = spec.input;
  if (spec.input.length === 3 && (channels === 1 || channels === 3)) return [height, width, channels];
  if (spec.input.length === 2) return [height, width, 1];
  const values = valuesOf(spec);
  const side = Math.sqrt(values);
  return Number.isInteger(side) && side >= 8 ? [side, side, 1] : [1, values, 1];
}

/** Rows and columns of cells on a canvas, in its pixels: cells of the pictures' proportions, in the middle. */
export interface Layout {
  readonly cell: { readonly width: number; readonly height: number };
  readonly left: number;
  readonly top: number;
  readonly gap: number;
}

/** `gap` is a share of a cell's width. */
export function layoutOf(
  canvas: { readonly width: number; readonly height: number },
  [height, width]: PictureShape,
  columns: number,
  rows: number,
  gap: number,
): Layout {
  const across = columns + gap * (columns - 1);
  const down = rows * (height / width) + gap * (rows - 1);
  const cell = Math.min(canvas.width / across, canvas.height / down);
  return {
    cell: { width: cell, height: (cell * height) / width },
    gap: cell * gap,
    left: (canvas.width - across * cell) / 2,
    top: (canvas.height - down * cell) / 2,
  };
}
