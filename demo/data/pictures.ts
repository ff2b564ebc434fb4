// Pictures of any size, each cropped to its central square, scaled to the same size and counted as grey or colour.
import { fromArray } from "webvae/datasets";
import type { Dataset } from "webvae";
import { classesOf } from "./folders.js";
import { shuffled } from "./hold_out.js";
import { capital, LeftOut, shortName } from "./left_out.js";
import { DataFault, type LoadOptions } from "./loaded.js";
import { pictureSize, tooLarge } from "./picture_header.js";

/** Decoding takes about 10 ms each: more would mean minutes of waiting, and a VAE would learn little from them. */
export const MOST_PICTURES = 10_000;
/** Side of a picture once scaled. A training step at 128x128x3 already takes four times one at 64x64x3. */
export const LARGEST_SIDE = 128;
/** Pooling and strides would leave nothing of a smaller picture. */
export const SMALLEST_SIDE = 8;
/** What every adapter can bind as one buffer, by WebGPU's default limits. */
export const MOST_BYTES = 128 * 2 ** 20;
/** The largest picture file. */
const LARGEST_FILE = 64 * 2 ** 20;
/** A pixel whose channels are closer than this counts as grey: JPEG rounds, and scanners tint. */
const GREY = 12;
/** A picture with at least this share of non-grey pixels is in colour. */
const COLOURED = 0.01;

export interface PictureOptions extends LoadOptions {
  readonly size: number;
  /** By default 3 if any picture has colour, else 1. */
  readonly channels?: 1 | 3;
}

/** Reads the pictures among `files`. Throws DataFault if there are fewer than two, or the signal's reason. */
export async function datasetOfPictures(
  files: readonly File[],
  leftOut: LeftOut,
  options: PictureOptions,
): Promise<{ dataset: Dataset; labelNames?: string[]; notes: string[] }> {
  const { size, onProgress, signal, seed = 0 } = options;
  const most = Math.min(MOST_PICTURES, Math.floor(MOST_BYTES / (size * size * (options.channels ?? 3))));
  // A folder may be sorted by what its pictures show, so the first ones would not represent the rest.
  const chosen = Array.from(shuffled(files.length, seed).subarray(0, most).sort(), (index) => files[index]!);
  const what = `Reading ${chosen.length.toLocaleString("en")} ${chosen.length === 1 ? "picture" : "pictures"}`;
  const pictures: Picture[] = [];
  for (const [i, file] of chosen.entries()) {
    onProgress?.(i, chosen.length, what);
    signal?.throwIfAborted();
    const picture = await readPicture(file, size);
    if (typeof picture === "string") leftOut.add(file.name, picture);
    else pictures.push({ ...picture, name: file.name });
  }
  signal?.throwIfAborted();
  onProgress?.(chosen.length, chosen.length, what);
  if (pictures.length < 2) throw tooFew(pictures.length, leftOut);

  const coloured = pictures.filter(({ colour }) => colour).length;
  const channels = options.channels ?? (coloured > 0 ? 3 : 1);
  const notes = [
    `${pictures.length.toLocaleString("en")} pictures, each cropped to its central square and scaled to ${size} x ${size}. They stay on this machine.`,
    ...(chosen.length < files.length
      ? [`Only ${most.toLocaleString("en")} of ${files.length.toLocaleString("en")} files were read, chosen at random.`]
      : []),
    ...tints(pictures.length - coloured, coloured, channels),
    ...(pictures.some(({ transparent }) => transparent) ? ["Transparent areas become white."] : []),
    ...smallOnes(pictures, size),
  ];
  const pixels = size * size;
  const values = new Uint8Array(pictures.length * pixels * channels);
  pictures.forEach(({ rgb }, i) => {
    const at = i * pixels * channels;
    if (channels === 3) values.set(rgb, at);
    else for (let p = 0; p < pixels; p++) values[at + p] = luma(rgb, 3 * p);
  });
  const name = `${pictures.length.toLocaleString("en")} pictures`;
  const shape = [size, size, channels];
  const classes = classesOf(pictures.map((picture) => picture.name));
  if (!classes) return { dataset: fromArray(values, { name, shape }), notes };
  const { labels, labelNames } = classes;
  notes.push(`Their ${labelNames.length} folders are used as classes.`);
  return { dataset: fromArray(values, { name, shape, labels }), labelNames, notes };
}

interface Picture {
  readonly name: string;
  /** [size, size, 3]. */
  readonly rgb: Uint8Array;
  readonly colour: boolean;
  readonly transparent: boolean;
  /** Side of the square it was cropped to, in pixels. */
  readonly side: number;
}

/** The picture, or why it cannot be used. */
async function readPicture(file: File, size: number): Promise<Omit<Picture, "name"> | string> {
  if (file.size === 0) return "empty";
  if (file.size > LARGEST_FILE) return `larger than ${LARGEST_FILE / 2 ** 20} MB`;
  const bytes = await file.arrayBuffer().catch(() => undefined);
  if (!bytes) return "cannot be read";
  const header = pictureSize(new Uint8Array(bytes));
  if (!header) return "not a PNG, JPEG, GIF or WebP picture";
  const refused = tooLarge(header, bytes.byteLength);
  if (refused) return refused;
  let bitmap: ImageBitmap;
  try {
    // Decodes the bytes that were checked, not a file that may have changed since.
    bitmap = await createImageBitmap(new Blob([bytes]));
  } catch {
    return "damaged";
  }
  try {
    return squareOf(bitmap, size);
  } finally {
    bitmap.close();
  }
}

/** The central square, halved for as long as it stays large enough, then scaled, so that every pixel contributes. */
function squareOf(bitmap: ImageBitmap, size: number): Omit<Picture, "name"> {
  const side = Math.min(bitmap.width, bitmap.height);
  let source: ImageBitmap | OffscreenCanvas = bitmap;
  let [left, top] = [Math.floor((bitmap.width - side) / 2), Math.floor((bitmap.height - side) / 2)];
  let from = side;
  for (;;) {
    const to: number = from >= 2 * size ? Math.ceil(from / 2) : size;
    const context = contextOf(to);
    context.drawImage(source, left, top, from, from, 0, 0, to, to);
    // Otherwise its memory, tens of megabytes, would wait for the garbage collector.
    if (source instanceof OffscreenCanvas) source.width = source.height = 0;
    [source, left, top] = [context.canvas, 0, 0];
    if (to === size) return { ...rgbOf(context.getImageData(0, 0, size, size).data), side };
    from = to;
  }
}

function contextOf(side: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  return context;
}

/** The picture on white, and whether it has colour or transparency. */
function rgbOf(rgba: Uint8ClampedArray): Pick<Picture, "rgb" | "colour" | "transparent"> {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  let coloured = 0;
  let transparent = false;
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3]! / 255;
    transparent ||= alpha < 1;
    for (let c = 0; c < 3; c++) rgb[to + c] = Math.round(rgba[from + c]! * alpha + 255 * (1 - alpha));
    const [r, g, b] = [rgb[to]!, rgb[to + 1]!, rgb[to + 2]!];
    if (Math.max(r, g, b) - Math.min(r, g, b) >= GREY) coloured++;
  }
  return { rgb, colour: coloured >= COLOURED * (rgb.length / 3), transparent };
}

/** Rec. 601, like JPEG's own luma. */
function luma(rgb: Uint8Array, at: number): number {
  return Math.round(0.299 * rgb[at]! + 0.587 * rgb[at + 1]! + 0.114 * rgb[at + 2]!);
}

function tints(grey: number, coloured: number, channels: 1 | 3): string[] {
  const are = (count: number) => `${count.toLocaleString("en")} ${count === 1 ? "is" : "are"}`;
  if (channels === 1) return coloured > 0 ? [`All are converted to grey; ${are(coloured)} in colour.`] : [];
  return grey > 0 && coloured > 0 ? [`All are treated as colour; ${are(grey)} grey.`] : [];
}

function smallOnes(pictures: readonly Picture[], size: number): string[] {
  const small = pictures.filter(({ side }) => side < size).length;
  if (small === 0) return [];
  return [`${small.toLocaleString("en")} ${small === 1 ? "was" : "were"} smaller than that and had to be enlarged.`];
}

function tooFew(good: number, leftOut: LeftOut): DataFault {
  const formats = "Choose PNG, JPEG, GIF or WebP pictures, or one IDX or npy file.";
  if (good === 1) {
    const others = leftOut.count > 0 ? ` The others cannot be used: ${leftOut.reasons()}` : "";
    return new DataFault(
      "One picture is too few",
      `At least two are needed: one for training and one for testing.${others}`,
      ["Choose at least two pictures; a few hundred of the same kind give the model something to learn.", formats],
    );
  }
  return new DataFault(
    leftOut.count === 1 ? "This file cannot be used" : "None of these files can be used",
    capital(leftOut.reasons()),
    [formats, "Export pictures in other formats (HEIC, TIFF, SVG, PDF) as PNG or JPEG first."],
  );
}

/** Rejects sizes that no model here supports. */
export function checkSide(size: number): void {
  if (Number.isInteger(size) && size >= SMALLEST_SIDE && size <= LARGEST_SIDE) return;
  throw new DataFault(
    "This size is not supported",
    `Pictures can be scaled to ${SMALLEST_SIDE} to ${LARGEST_SIDE} pixels a side, not ${shortName(String(size))}.`,
    ["Choose 32: it trains fast and still shows shapes and colours."],
  );
}
