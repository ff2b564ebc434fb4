// PNG files of images: grids of samples, and of originals with their reconstructions.

import { PNG } from "pngjs";
import { WebvaeError } from "../src/index.js";

/** `data` holds rows of pixels of `channels` bytes: 1 for grey, 3 for red, green and blue. */
export interface Bitmap {
  width: number;
  height: number;
  channels: 1 | 3;
  data: Uint8Array;
}

export interface GridOptions {
  /** Number of images to draw, from the first. */
  count: number;
  /** An image's height, width and channels (1 or 3). */
  shape: readonly [number, number, number];
  /** Cells per row. */
  columns: number;
  /** Pixels of the picture per image pixel, a whole number. By default about 72 pixels per image. */
  scale?: number;
  /** Pixels between images; 0 joins them. By default 2. */
  gap?: number;
}

/** Grey level around the images: light, but distinct from the white of the page and of images. */
const gapLevel = 208;
const pageLevel = 255;

/**
 * A PNG file with 8 bits per channel.
 * @throws WebvaeError INVALID_DATA if the data does not match the size.
 */
export function encodePng({ width, height, channels, data }: Bitmap): Uint8Array {
  if (!(width > 0 && height > 0) || data.length !== width * height * channels) {
    throw new WebvaeError(
      "INVALID_DATA",
      `${data.length} bytes do not match ${width} x ${height} pixels of ${channels} bytes.`,
    );
  }
  const colorType = channels === 1 ? 0 : 2;
  const png = new PNG({ width, height });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.length);
  return new Uint8Array(PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: false }));
}

/**
 * A PNG file of images in rows, enlarged without smoothing. `images` is [count or more, h, w, c], row-major, in [0, 1];
 * other values are clipped.
 * @throws WebvaeError INVALID_DATA, INVALID_OPTION or NON_FINITE.
 */
export function imageGrid({ images, ...options }: GridOptions & { images: Float32Array }): Uint8Array {
  return drawGrid([images], options);
}

/**
 * A PNG file of pairs: each original with its reconstruction below it, and a white strip between rows of pairs.
 * Both arrays have imageGrid's format.
 */
export function reconstructionGrid({
  originals,
  reconstructions,
  ...options
}: GridOptions & { originals: Float32Array; reconstructions: Float32Array }): Uint8Array {
  return drawGrid([originals, reconstructions], options);
}

function checkGrid(stack: Float32Array[], { count, shape, columns, scale = 1, gap = 0 }: GridOptions): void {
  const [h, w, c] = shape;
  const size = h * w * c;
  if (c !== 1 && c !== 3) throw new WebvaeError("INVALID_DATA", `A picture needs 1 or 3 channels, not ${c}.`);
  const limits = { count: [count, 1], columns: [columns, 1], scale: [scale, 1], gap: [gap, 0] } as const;
  for (const [name, [value, least]] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < least) {
      throw new WebvaeError("INVALID_OPTION", `${name} must be a whole number of at least ${least}, not ${value}.`);
    }
  }
  for (const images of stack) {
    if (images.length < count * size) {
      throw new WebvaeError(
        "INVALID_DATA",
        `${images.length} values are too few for ${count} images of ${h} x ${w} x ${c}.`,
      );
    }
    const bad = images.subarray(0, count * size).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new WebvaeError("NON_FINITE", `Image ${Math.floor(bad / size)} holds ${images[bad]}.`);
  }
}

/** `stack` holds the images that are stacked vertically in each cell. */
function drawGrid(stack: Float32Array[], options: GridOptions): Uint8Array {
  checkGrid(stack, options);
  const { count, shape, gap = 2 } = options;
  const [h, w, c] = shape;
  const scale = options.scale ?? Math.max(1, Math.round(72 / Math.max(h, w)));
  const columns = Math.min(options.columns, count);
  const rows = Math.ceil(count / columns);

  // A band is a row of cells with gaps around it. Bands of single images share the gap between them.
  const bandHeight = gap + stack.length * (h * scale + gap);
  const bandStep = bandHeight + (stack.length > 1 ? 8 + 2 * gap : -gap);
  const width = gap + columns * (w * scale + gap);
  const height = (rows - 1) * bandStep + bandHeight;
  const data = new Uint8Array(width * height * c).fill(pageLevel);
  for (let row = 0; row < rows; row++) {
    data.fill(gapLevel, row * bandStep * width * c, (row * bandStep + bandHeight) * width * c);
  }

  for (let index = 0; index < columns * rows; index++) {
    const left = gap + (index % columns) * (w * scale + gap);
    stack.forEach((images, level) => {
      const top = Math.floor(index / columns) * bandStep + gap + level * (h * scale + gap);
      for (let y = 0; y < h * scale; y++) {
        for (let x = 0; x < w * scale; x++) {
          const from = ((index * h + Math.floor(y / scale)) * w + Math.floor(x / scale)) * c;
          const to = ((top + y) * width + left + x) * c;
          for (let k = 0; k < c; k++) {
            // Cells after the last image stay white like the page.
            data[to + k] = index < count ? Math.round(Math.min(Math.max(images[from + k]!, 0), 1) * 255) : pageLevel;
          }
        }
      }
    });
  }
  return encodePng({ width, height, channels: c as 1 | 3, data });
}
