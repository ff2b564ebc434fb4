// Coloured shapes on black, like dSprites (Matthey, Higgins, Hassabis and Lerchner 2017, "dSprites: disentanglement
// testing sprites dataset"), which has white ones: six independent factors determine an image. As with digits, each
// step is +, -, *, / or a square root, so a seed gives the same bytes on every machine.

import type { RandomSequence } from "../random.js";
import { allocated } from "../options.js";
import type { Dataset } from "./dataset.js";
import { checkGenerated, exampleRandom, type GeneratedOptions } from "./generated.js";

/** Which sprites, and how many. */
export type SpritesOptions = GeneratedOptions;

/** The factors of an image. All are uniform and independent. */
export interface SpriteFactors {
  /** The label: 0 a square, 1 an ellipse, 2 a heart. */
  readonly shape: number;
  /** Position on the colour wheel, in (0, 1): red, a third is green, two thirds blue. */
  readonly hue: number;
  /** In (1/2, 1), as a fraction of RADIUS. */
  readonly scale: number;
  /** Cosine and sine of the angle, clockwise from upright. */
  readonly rotation: readonly [number, number];
  /** Position of the centre of mass, in pixels from the left and the top edge. */
  readonly x: number;
  readonly y: number;
}

const SIDE = 64;
const CHANNELS = 3;
const SIZE = SIDE * SIDE * CHANNELS;
/** Pixels from the centre of mass to the farthest point of the largest shape. */
const RADIUS = 15;
/** The centre's distance from the edges, so that a shape of any scale and rotation is fully visible. */
const MARGIN = RADIUS + 1;
/** Smallest value of a colour's channels, because pure blue is hard to see on black. */
const DIMMEST = 0.2;
/** Sample points across a pixel, to test whether the shape covers them. */
const POINTS = 4;
/** If a pixel's centre is farther than this from a circle's edge, the whole pixel is on one side. */
const HALF_DIAGONAL = 0.7072;

/** `count` images [64, 64, 3] labelled with their shape. Image i depends only on seed, split and i. */
export function sprites(options: SpritesOptions): Dataset {
  const { split, count, seed } = checkGenerated("sprites", options);
  const values = allocated("sprites", count, () => new Uint8Array(count * SIZE));
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const factors = spriteFactors(exampleRandom(seed, split, i));
    labels[i] = factors.shape;
    drawSprite(factors, values.subarray(i * SIZE, (i + 1) * SIZE));
  }
  return { name: "sprites", shape: [SIDE, SIDE, CHANNELS], count, values, labels };
}

export function spriteFactors(random: RandomSequence): SpriteFactors {
  const place = () => MARGIN + (SIDE - 2 * MARGIN) * random.uniform();
  return {
    shape: random.integer(COVERS.length),
    hue: random.uniform(),
    scale: 0.5 + 0.5 * random.uniform(),
    rotation: direction(random),
    x: place(),
    y: place(),
  };
}

/** A random direction from a point in the unit disc, without Math.cos, which differs between machines. */
function direction(random: RandomSequence): readonly [number, number] {
  for (;;) {
    const x = 2 * random.uniform() - 1;
    const y = 2 * random.uniform() - 1;
    // Never 0: a uniform number is an odd multiple of 2^-25.
    const square = x * x + y * y;
    if (square <= 1) return [x / Math.sqrt(square), y / Math.sqrt(square)];
  }
}

// Each has its centre of mass at 0, lies within the unit circle and has an area of 2, so that neither position nor ink
// reveals the shape. Each covers the circle of radius WITHIN; the heart's notch comes nearest, at 0.514.
const WITHIN = 0.5;
const HALF_SIDE = Math.SQRT1_2;
const SHORT_AXIS = 2 / Math.PI;
// The heart is a square standing on its corner, with a half disc on each upper side, whose radius is half a side.
const HEART = Math.sqrt(2 / (4 + Math.PI));
const HEART_CENTRE = (HEART * (Math.PI / 2 + 2 / 3)) / (4 + Math.PI);

/** Whether the upright shape covers a point. */
const COVERS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => Math.abs(x) <= HALF_SIDE && Math.abs(y) <= HALF_SIDE,
  (x, y) => x * x + (y * y) / (SHORT_AXIS * SHORT_AXIS) <= 1,
  (x, y) => {
    // Coordinates along the square's sides, from its centre.
    const u = (x - y) * Math.SQRT1_2 + HEART_CENTRE;
    const v = (-x - y) * Math.SQRT1_2 + HEART_CENTRE;
    if (Math.abs(u) <= HEART && Math.abs(v) <= HEART) return true;
    const a = u - HEART;
    const b = v - HEART;
    return u * u + b * b <= HEART * HEART || a * a + v * v <= HEART * HEART;
  },
];

/** Adds the shape to a black image. */
export function drawSprite({ shape, hue, scale, rotation, x, y }: SpriteFactors, pixels: Uint8Array): void {
  const radius = RADIUS * scale;
  const cos = rotation[0] / radius;
  const sin = rotation[1] / radius;
  const covers = COVERS[shape]!;
  const colour = colourOf(hue);
  const outside = (radius + HALF_DIAGONAL) * (radius + HALF_DIAGONAL);
  const inside = (WITHIN * radius - HALF_DIAGONAL) * (WITHIN * radius - HALF_DIAGONAL);
  for (let row = Math.floor(y - radius); row <= y + radius; row++) {
    for (let column = Math.floor(x - radius); column <= x + radius; column++) {
      const fromX = column + 0.5 - x;
      const fromY = row + 0.5 - y;
      const distance = fromX * fromX + fromY * fromY;
      if (distance > outside) continue;
      let covered = distance < inside ? POINTS * POINTS : 0;
      for (let i = 0; i < POINTS && distance >= inside; i++) {
        const dy = fromY + (i + 0.5) / POINTS - 0.5;
        for (let j = 0; j < POINTS; j++) {
          const dx = fromX + (j + 0.5) / POINTS - 0.5;
          if (covers(cos * dx + sin * dy, cos * dy - sin * dx)) covered++;
        }
      }
      const at = (row * SIDE + column) * CHANNELS;
      for (let c = 0; c < CHANNELS; c++) {
        pixels[at + c] = Math.floor((255 * colour[c]! * covered) / (POINTS * POINTS) + 0.5);
      }
    }
  }
}

/** Red, green and blue of a hue: one of them is 1, one is DIMMEST, and the third is in between. */
function colourOf(hue: number): number[] {
  return [5, 3, 1].map((offset) => {
    const sixth = (offset + 6 * hue) % 6;
    return 1 - (1 - DIMMEST) * Math.max(0, Math.min(sixth, 4 - sixth, 1));
  });
}
