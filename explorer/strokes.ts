// Turns pen strokes into a picture that is centred and scaled like MNIST's digits: the ink fits a box of 20 of 28
// pixels, with its proportions kept, and its centre of mass is in the middle. Strokes stay lines until then, so that
// the pen is as thick as the digits' however small the drawing.

export interface Stroke {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** The pen's radius at each point, as a multiple of the default. */
  readonly radius: readonly number[];
}

/** In MNIST's 28 pixels: the box that the ink fits, the pen's radius, the width of its grey edge, the middle. */
const [SIDE, BOX, PEN, EDGE, MIDDLE] = [28, 20, 1.3, 1.2, 14.5];
/** Line segments between two points of a stroke. */
const PIECES = 4;

/** Smooths a stroke: curves through the midpoints of its segments, with its points as control points. */
export function smoothed({ x, y, radius }: Stroke): Stroke {
  const last = x.length - 1;
  if (last < 2) return { x, y, radius };
  const curve = { x: [x[0]!], y: [y[0]!], radius: [radius[0]!] };
  const middle = (values: readonly number[], i: number) => (values[i]! + values[i + 1]!) / 2;
  for (let i = 1; i < last; i++) {
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES;
      for (const [to, values] of [
        [curve.x, x],
        [curve.y, y],
        [curve.radius, radius],
      ] as const) {
        // The first and last curves extend to the stroke's ends.
        const from = i === 1 ? values[0]! : middle(values, i - 1);
        const end = i === last - 1 ? values[last]! : middle(values, i);
        to.push((1 - t) ** 2 * from + 2 * t * (1 - t) * values[i]! + t * t * end);
      }
    }
  }
  return curve;
}

/** Values from 0 to 1, [height, width]. `extent` is the size of the drawing area, in the strokes' units. */
export function strokesToImage(
  strokes: readonly Stroke[],
  [height, width]: readonly [number, number],
  extent: number,
): Float32Array {
  const lines = strokes.filter(({ x }) => x.length > 0).map(smoothed);
  const image = new Float32Array(height * width);
  if (lines.length === 0) return image;
  const pixel = Math.min(height, width) / SIDE;
  const pen = PEN * pixel;
  const [left, right] = rangeOf(lines.flatMap(({ x }) => x));
  const [top, bottom] = rangeOf(lines.flatMap(({ y }) => y));
  // A dot stays a dot.
  const size = Math.max(right - left, bottom - top, 0.12 * extent);
  const scale = (BOX * pixel - 2 * pen) / size;
  const placed = lines.map(({ x, y, radius }) => ({
    x: x.map((value) => width / 2 + (value - (left + right) / 2) * scale),
    y: y.map((value) => height / 2 + (value - (top + bottom) / 2) * scale),
    radius: radius.map((value) => value * pen),
  }));
  for (const line of placed) rasterise(line, EDGE * pixel, image, height, width);
  return centred(image, height, width, pixel);
}

/** Moves the picture by whole pixels to centre its mass, without moving ink over the edge. */
export function centred(image: Float32Array, height: number, width: number, pixel: number): Float32Array {
  let [mass, massX, massY] = [0, 0, 0];
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = image[row * width + column]!;
      if (value === 0) continue;
      mass += value;
      massX += value * (column + 0.5);
      massY += value * (row + 0.5);
      [left, right] = [Math.min(left, column), Math.max(right, column)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    }
  }
  if (mass === 0) return image;
  const middle = (size: number) => size / 2 + (MIDDLE - SIDE / 2) * pixel;
  const shiftX = Math.min(width - 1 - right, Math.max(-left, Math.round(middle(width) - massX / mass)));
  const shiftY = Math.min(height - 1 - bottom, Math.max(-top, Math.round(middle(height) - massY / mass)));
  const moved = new Float32Array(image.length);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      moved[(row + shiftY) * width + column + shiftX] = image[row * width + column]!;
    }
  }
  return moved;
}

/** Ink of a pixel, by the distance of its centre from the edge of the pen's trace. */
function rasterise({ x, y, radius }: Stroke, edge: number, image: Float32Array, height: number, width: number): void {
  for (let i = Math.min(1, x.length - 1); i < x.length; i++) {
    const from = Math.max(0, i - 1);
    const [x0, y0, r0] = [x[from]!, y[from]!, radius[from]!];
    const [dx, dy, dr] = [x[i]! - x0, y[i]! - y0, radius[i]! - r0];
    const squared = Math.max(dx * dx + dy * dy, 1e-9);
    const reach = Math.max(r0, radius[i]!) + edge / 2;
    const clip = (value: number, most: number) => Math.min(most, Math.max(0, Math.floor(value)));
    const rows = [
      clip(Math.min(y0, y[i]!) - reach, height - 1),
      clip(Math.max(y0, y[i]!) + reach, height - 1),
    ] as const;
    const columns = [
      clip(Math.min(x0, x[i]!) - reach, width - 1),
      clip(Math.max(x0, x[i]!) + reach, width - 1),
    ] as const;
    for (let row = rows[0]; row <= rows[1]; row++) {
      for (let column = columns[0]; column <= columns[1]; column++) {
        const [px, py] = [column + 0.5 - x0, row + 0.5 - y0];
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
        const far = Math.hypot(px - along * dx, py - along * dy);
        const ink = Math.min(1, Math.max(0, (r0 + along * dr - far) / edge + 0.5));
        const at = row * width + column;
        image[at] = Math.max(image[at]!, ink);
      }
    }
  }
}

function rangeOf(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}
