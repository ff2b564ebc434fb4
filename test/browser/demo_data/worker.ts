// Loads files like the demo's worker. Pictures are drawn here, because encoding them needs a browser.
import { dataFromFiles, type FileOptions } from "../../../demo/data/files.js";
import { DataFault } from "../../../demo/data/loaded.js";

export type Colour = readonly [number, number, number];

export type FileSpec = { readonly name: string } & (
  | { readonly base64: string }
  | {
      readonly type: "image/png" | "image/jpeg" | "image/webp";
      readonly width: number;
      readonly height: number;
      /** Of as many upright stripes. */
      readonly stripes: readonly Colour[];
      /** Of a JPEG: 1 to 8, as cameras write it. */
      readonly orientation?: number;
      /** Only the first bytes of the file. */
      readonly keep?: number;
    }
);

export interface Question {
  readonly files: readonly FileSpec[];
  readonly options: FileOptions;
  /** Aborts as soon as this many files have been read. */
  readonly abortAt?: number;
}

export interface Answer {
  /** The pictures that it came to that for. */
  readonly decoded: [width: number, height: number][];
  readonly progress: [done: number, total: number | undefined, what: string][];
  readonly fault?: { name: string; title?: string; message: string; hints?: string[] };
  readonly loaded?: {
    name: string;
    shape: number[];
    notes: string[];
    labelNames: string[] | undefined;
    train: { count: number; values: number[]; labels: number[] };
    test: { count: number; values: number[]; labels: number[] };
  };
}

/** Of every picture that was decoded. */
const decoded: [width: number, height: number][] = [];
const decode = createImageBitmap;
globalThis.createImageBitmap = async (source: ImageBitmapSource) => {
  const bitmap = await decode(source);
  decoded.push([bitmap.width, bitmap.height]);
  return bitmap;
};

async function make(spec: FileSpec): Promise<File> {
  if ("base64" in spec) {
    return new File([Uint8Array.from(atob(spec.base64), (character) => character.charCodeAt(0))], spec.name);
  }
  const { name, type, width, height, stripes, orientation, keep } = spec;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  for (const [i, [r, g, b]] of stripes.entries()) {
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    const [left, right] = [i, i + 1].map((edge) => Math.round((edge * width) / stripes.length));
    context.fillRect(left!, 0, right! - left!, height);
  }
  const blob = await canvas.convertToBlob({ type, quality: 0.95 });
  if (blob.type !== type) throw new Error(`this browser makes no ${type}`);
  if (orientation === undefined) return new File([keep === undefined ? blob : blob.slice(0, keep)], name);
  // An APP1 segment of one entry, the orientation, behind the start of the JPEG.
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const segment = [0xff, 0xe1, 0, 8 + tiff.length, ...[..."Exif\0\0"].map((c) => c.charCodeAt(0)), ...tiff];
  return new File([blob.slice(0, 2), Uint8Array.from(segment), blob.slice(2)], name);
}

async function answer({ files, options, abortAt }: Question): Promise<Answer> {
  const made = await Promise.all(files.map(make));
  const progress: Answer["progress"] = [];
  const controller = new AbortController();
  const onProgress: FileOptions["onProgress"] = (...now) => {
    progress.push(now);
    if (now[2].startsWith("Reading") && now[0] === abortAt) controller.abort(new Error("enough"));
  };
  try {
    const { name, shape, notes, labelNames, train, test } = await dataFromFiles(made, {
      ...options,
      onProgress,
      signal: controller.signal,
    });
    const [first, second] = [train, test].map(({ count, values, labels = [] }) => ({
      count,
      values: [...values],
      labels: [...labels],
    }));
    const loaded = { name, shape, notes, labelNames, train: first!, test: second! };
    return { decoded, progress, loaded };
  } catch (error) {
    const { name, message } = error as Error;
    const more = error instanceof DataFault ? { title: error.title, hints: error.hints } : {};
    return { decoded, progress, fault: { name, message, ...more } };
  }
}

onmessage = async ({ data }: MessageEvent<Question>) => postMessage(await answer(data));
