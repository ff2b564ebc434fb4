// Data sets from canvas pixels of four bytes each: red, green, blue and alpha.

import { invalidOption, optionsOf } from "../options.js";
import { quoted, reading } from "../checks.js";
import { fromArray, type FromArrayOptions } from "./arrays.js";
import type { Dataset } from "./dataset.js";
import { classOf, hintFor, invalidData, isBytes, whatIs } from "./refusals.js";

/** An ImageData, or an object with the same properties. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** width x height x 4 bytes: red, green, blue and alpha, not premultiplied. */
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** How to convert pixels to values. */
export interface FromImageDataOptions {
  /** 1 for grey (Rec. 601 luma), 3 for red, green and blue, 4 for these and alpha. */
  channels: 1 | 3 | 4;
  /** With 1 or 3 channels: the grey level behind transparent pixels, 0..255. Default 255, white. */
  background?: number;
  /** One class index in 0..255 per picture. */
  labels?: FromArrayOptions["labels"];
  name?: string;
}

/**
 * A Dataset of bytes, examples of shape [height, width, channels], from pictures of one size as returned by
 * `context.getImageData`. They are copied. Throws INVALID_DATA and INVALID_OPTION.
 */
export function fromImageData(pictures: readonly Pixels[], options: FromImageDataOptions): Dataset {
  return reading("INVALID_DATA", "fromImageData", () => joined(pictures, options));
}

function joined(pictures: readonly Pixels[], options: FromImageDataOptions): Dataset {
  const known = ["channels", "background", "labels", "name"] as const;
  const { channels, background = 255, labels, name = "pictures" } = optionsOf(options, "fromImageData", known);
  if (![1, 3, 4].includes(channels)) {
    throw invalidOption(`${name}: channels must be 1, 3 or 4, not ${quoted(channels)}`);
  }
  if (!Number.isInteger(background) || background < 0 || background > 255) {
    throw invalidOption(`${name}: background must be a whole number in 0..255, not ${quoted(background)}`);
  }
  if (!Array.isArray(pictures)) {
    const given: unknown = pictures;
    const hint = (given as Pixels | null)?.data ? "; put the single picture in an array, [picture]" : hintFor(given);
    throw invalidData(name, `expected an array of ImageData, found ${whatIs(given)}${hint}`);
  }
  const { width, height } = checked(pictures[0], name, 0);
  // All are checked before any memory is allocated.
  for (let i = 1; i < pictures.length; i++) {
    const picture = checked(pictures[i], name, i);
    if (picture.width !== width || picture.height !== height) {
      const sizes = `${picture.width} x ${picture.height} pixels, and picture 0 has ${width} x ${height}`;
      throw invalidData(name, `picture ${i} has ${sizes}: scale all to one size with drawImage`);
    }
  }
  const size = width * height * channels;
  const values = new Uint8Array(pictures.length * size);
  pictures.forEach(({ data }: Pixels, i) => {
    const place = values.subarray(i * size, (i + 1) * size);
    if (channels === 4) place.set(data);
    else flatten(data, place, channels, background);
  });
  return fromArray(values, { shape: [height, width, channels], name, ...(labels === undefined ? {} : { labels }) });
}

/** Blends the pixels with the background, in grey or colour. */
function flatten(rgba: Pixels["data"], place: Uint8Array, channels: 1 | 3, background: number): void {
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += channels) {
    const alpha = rgba[from + 3]! / 255;
    const [r, g, b] = [0, 1, 2].map((c) => rgba[from + c]! * alpha + background * (1 - alpha)) as [
      number,
      number,
      number,
    ];
    if (channels === 3) place.set([Math.round(r), Math.round(g), Math.round(b)], to);
    else place[to] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  }
}

function checked(given: unknown, name: string, index: number): Pixels {
  const { width = NaN, height = NaN, data } = (given ?? {}) as Partial<Pixels>;
  const sizes = [width, height].every((side) => Number.isSafeInteger(side) && side > 0);
  if (!sizes || !isBytes(classOf(data))) {
    throw invalidData(name, `picture ${index} is ${whatIs(given)}, not { width, height, data } with bytes`);
  }
  const wanted = 4 * width * height;
  if (data!.length !== wanted) {
    const found = `picture ${index} has ${data!.length} bytes, but ${width} x ${height} pixels of RGBA take ${wanted}`;
    throw invalidData(name, `${found}; for other layouts use fromArray(values, { shape: [${height}, ${width}, c] })`);
  }
  return given as Pixels;
}
