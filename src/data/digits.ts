// Digits that look handwritten, drawn from strokes in the size and layout of MNIST, to train on if nothing can be
// downloaded. Drawing uses only +, -, *, / and square roots, which IEEE 754 rounds the same everywhere, so a seed gives
// the same bytes on every machine.

import type { RandomSequence } from "../random.js";
import { allocated } from "../options.js";
import type { Dataset } from "./dataset.js";
import { DIGIT_STYLES } from "./digit_strokes.js";
import { checkGenerated, exampleRandom, type GeneratedOptions } from "./generated.js";

/** Which digits, and how many. */
export type DigitsOptions = GeneratedOptions;

const SIDE = 28;
/** Side of the box that a digit fits before it is centred by its mass, as in MNIST. */
const BOX = 20;
/** Position of the centre of mass: the middle of pixel 14, as in MNIST. */
const MIDDLE = 14.5;
/** Line segments from one point of a stroke to the next. */
const PIECES = 6;
/** How far a digit departs from the mean of its style's forms; above 1, beyond them. */
const EXAGGERATE = 1.33;

/** `count` images [28, 28, 1] with labels 0..9 in random order. Image i depends only on seed, split and i. */
export function digits(options: DigitsOptions): Dataset {
  const { split, count, seed } = checkGenerated("digits", options);
  const values = allocated("digits", count, () => new Uint8Array(count * SIDE * SIDE));
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const random = exampleRandom(seed, split, i);
    labels[i] = random.integer(10);
    drawDigit(labels[i]!, random, values.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE));
  }
  return { name: "digits", shape: [SIDE, SIDE, 1], count, values, labels };
}

/** Points of one pen stroke. */
interface Stroke {
  x: number[];
  y: number[];
  /** Whether the pen turns sharply at the point. */
  corner: boolean[];
}

/** The path of the pen: line segments, each with the pen's radius at both ends. */
interface Path {
  x: number[];
  y: number[];
  /** Radius relative to the pen's. */
  radius: number[];
  /** Whether the pen draws from point i - 1 to point i. */
  draws: boolean[];
}

const STYLES = DIGIT_STYLES.map((styles) =>
  styles.map(({ share, forms }) => ({ share, forms: forms.map((form) => form.split("|").map(parseStroke)) })),
);

function parseStroke(text: string): Stroke {
  const points = text.trim().split(" ");
  const coordinates = points.map((point) => point.replace("*", "").split(",").map(Number));
  return {
    x: coordinates.map(([x]) => x!),
    y: coordinates.map(([, y]) => y!),
    corner: points.map((point) => point.endsWith("*")),
  };
}

function drawDigit(digit: number, random: RandomSequence, pixels: Uint8Array): void {
  const path = penPath(writtenStrokes(digit, random), random);
  bend(path, digit, random);
  // Radius in pixels, from a fine pen to a felt tip; the edge is 0.8 to 1.5 pixels of grey.
  const pen = 0.7 + 0.6 * (random.uniform() + random.uniform());
  const softness = 0.8 + 0.7 * random.uniform();
  const box = new Float64Array(SIDE * SIDE);
  fitBox(path, pen);
  rasterise(path, pen, softness, box);
  centre(box, pixels);
}

/** One style of the digit, its forms blended, every point a little off. */
function writtenStrokes(digit: number, random: RandomSequence): Stroke[] {
  const styles = STYLES[digit]!;
  let pick = random.uniform();
  const style = styles.find(({ share }) => (pick -= share) < 0) ?? styles[0]!;
  const weights = style.forms.map(() => {
    const u = random.uniform();
    return u * u;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = weights.map((weight) => (EXAGGERATE * weight) / total + (1 - EXAGGERATE) / weights.length);
  const wobble = 0.8 + 2.2 * random.uniform();
  return style.forms[0]!.map((stroke, s) => {
    const blend = (axis: "x" | "y", p: number) =>
      style.forms.reduce((sum, form, f) => sum + share[f]! * form[s]![axis][p]!, 0);
    // Strokes after the first start a little out of place.
    const offX = s > 0 ? 3 * normal(random) : 0;
    const offY = s > 0 ? 2 * normal(random) : 0;
    const last = stroke.x.length - 1;
    // Ends vary most. Points that are close together move less, otherwise the curve would become a polygon.
    const dense = Math.min(1, 8 / last);
    const jitter = (p: number) => (p === 0 || p === last ? 1.8 : dense) * wobble * normal(random);
    return {
      x: stroke.x.map((_, p) => blend("x", p) + offX + jitter(p)),
      y: stroke.y.map((_, p) => blend("y", p) + offY + jitter(p)),
      corner: stroke.corner,
    };
  });
}

/** The strokes as smooth curves (Catmull-Rom splines), cut into line segments, with the pen's pressure along them. */
function penPath(strokes: Stroke[], random: RandomSequence): Path {
  const path: Path = { x: [], y: [], radius: [], draws: [] };
  for (const { x, y, corner } of strokes) {
    const last = x.length - 1;
    const lift = 0.22 * random.uniform();
    const press = 0.16 * normal(random);
    const swell = 0.12 * normal(random);
    for (let p = 0; p < last; p++) {
      // At a corner or an end, the point itself serves as the neighbour beyond it, so the curve leaves straight.
      const before = p === 0 || corner[p] ? p : p - 1;
      const after = p + 1 === last || corner[p + 1] ? p + 1 : p + 2;
      for (let k = p === 0 ? 0 : 1; k <= PIECES; k++) {
        const t = k / PIECES;
        path.x.push(catmullRom(x[before]!, x[p]!, x[p + 1]!, x[after]!, t));
        path.y.push(catmullRom(y[before]!, y[p]!, y[p + 1]!, y[after]!, t));
        // From -1 at the start of the stroke to 1 at its end.
        const s = (2 * (p + t)) / last - 1;
        path.radius.push(Math.max(0.55, 1 + press * s + swell * (1 - 2 * s * s) - lift * s * s * s * s));
        path.draws.push(!(p === 0 && k === 0));
      }
    }
  }
  return path;
}

function catmullRom(a: number, b: number, c: number, d: number, t: number): number {
  const slopeB = (c - a) / 2;
  const slopeC = (d - b) / 2;
  const rise = c - b;
  return b + t * (slopeB + t * (3 * rise - 2 * slopeB - slopeC + t * (slopeB + slopeC - 2 * rise)));
}

/** A slow warp of the whole digit, then its proportions, slant and rotation. */
function bend(path: Path, digit: number, random: RandomSequence): void {
  // Polynomials in u, v in -1..1: bows, fans and S-bends, with no wave shorter than the digit.
  const warp = Array.from({ length: 9 }, () => 0.06 * normal(random));
  // A larger head or a larger foot.
  const balance = 0.11 * normal(random);
  const width = (0.62 + 0.58 * random.uniform()) * (1 + 0.08 * normal(random));
  // A straight one has no width, so its slant varies where other digits' proportions do.
  const slant = Math.min(0.6, digit === 1 ? 0.22 + 0.27 * normal(random) : 0.18 + 0.22 * normal(random));
  // The tangent of half the angle: sine and cosine are then ratios, exact to the bit.
  const half = 0.055 * normal(random);
  const cos = (1 - half * half) / (1 + half * half);
  const sin = (2 * half) / (1 + half * half);
  for (let i = 0; i < path.x.length; i++) {
    const u = path.x[i]! / 50 - 1;
    const v = path.y[i]! / 50 - 1;
    const dx = warp[0]! * v * v + warp[1]! * u * v + warp[2]! * u * u + warp[3]! * v * v * v + warp[4]! * u * u * v;
    const dy = warp[5]! * u * u + warp[6]! * u * v + balance * v * v + warp[7]! * u * u * u + warp[8]! * u * v * v;
    const y = v + dy;
    const x = (u + dx) * width - slant * y;
    path.x[i] = cos * x - sin * y;
    path.y[i] = sin * x + cos * y;
  }
}

/** Scales the path, keeping its proportions, so that the ink fills the central BOX x BOX pixels in one direction. */
function fitBox(path: Path, pen: number): void {
  const ink = BOX - 2 * pen;
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < path.x.length; i++) {
    left = Math.min(left, path.x[i]!);
    right = Math.max(right, path.x[i]!);
    top = Math.min(top, path.y[i]!);
    bottom = Math.max(bottom, path.y[i]!);
  }
  const scale = ink / Math.max(right - left, bottom - top);
  for (let i = 0; i < path.x.length; i++) {
    path.x[i] = SIDE / 2 + (path.x[i]! - (left + right) / 2) * scale;
    path.y[i] = SIDE / 2 + (path.y[i]! - (top + bottom) / 2) * scale;
  }
}

/** Ink from 0 to 1 in every pixel (28 x 28), by its centre's distance from the nearest edge of the pen's trace. */
function rasterise(path: Path, pen: number, softness: number, ink: Float64Array): void {
  const { x, y, radius, draws } = path;
  for (let i = 1; i < x.length; i++) {
    if (!draws[i]) continue;
    const [x0, y0, r0] = [x[i - 1]!, y[i - 1]!, pen * radius[i - 1]!];
    const dx = x[i]! - x0;
    const dy = y[i]! - y0;
    const dr = pen * radius[i]! - r0;
    const inverse = 1 / Math.max(dx * dx + dy * dy, 1e-9);
    const reach = Math.max(r0, r0 + dr) + softness / 2;
    const firstRow = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach));
    const lastRow = Math.min(SIDE - 1, Math.floor(Math.max(y0, y0 + dy) + reach));
    const firstColumn = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach));
    const lastColumn = Math.min(SIDE - 1, Math.floor(Math.max(x0, x0 + dx) + reach));
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const px = column + 0.5 - x0;
        const py = row + 0.5 - y0;
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) * inverse));
        const ex = px - along * dx;
        const ey = py - along * dy;
        const covered = (r0 + along * dr - Math.sqrt(ex * ex + ey * ey)) / softness + 0.5;
        const at = row * SIDE + column;
        if (covered > ink[at]!) ink[at] = covered;
      }
    }
  }
}

/** Moves the image by whole pixels to put its centre of mass in the middle, as in MNIST. */
function centre(ink: Float64Array, pixels: Uint8Array): void {
  let [mass, massX, massY] = [0, 0, 0];
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const value = Math.min(1, ink[row * SIDE + column]!);
      mass += value;
      massX += value * (column + 0.5);
      massY += value * (row + 0.5);
    }
  }
  // At most by the box's margin, otherwise ink would be cut off.
  const margin = (SIDE - BOX) / 2;
  const shift = (moment: number) => Math.min(margin, Math.max(-margin, Math.floor(MIDDLE - moment / mass + 0.5)));
  const shiftX = shift(massX);
  const shiftY = shift(massY);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const [fromRow, fromColumn] = [row - shiftY, column - shiftX];
      if (fromRow < 0 || fromRow >= SIDE || fromColumn < 0 || fromColumn >= SIDE) continue;
      pixels[row * SIDE + column] = Math.floor(255 * Math.min(1, ink[fromRow * SIDE + fromColumn]!) + 0.5);
    }
  }
}

/** Roughly standard normal, within 3.5: a sum of four uniforms, since Math.log and Math.cos differ between machines. */
function normal(random: RandomSequence): number {
  const sum = random.uniform() + random.uniform() + random.uniform() + random.uniform();
  return (sum - 2) * 1.7320508075688772;
}
