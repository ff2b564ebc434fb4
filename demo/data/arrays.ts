// Data from files of arrays, IDX or npy: images, with labels and a test set beside them where there are files of those.
import { WebvaeError, type Dataset } from "webvae";
import { fromNpy, imagesFromIdx } from "webvae/datasets";
import type { ArrayKind } from "./array_kind.js";
import { holdOut, sampleOf } from "./hold_out.js";
import { LeftOut, shortName } from "./left_out.js";
import { DataFault, type Loaded, type LoadOptions } from "./loaded.js";
import { asPicturesOrPoints } from "./shapes.js";
import { MOST_BYTES } from "./pictures.js";

export interface ArrayFile extends ArrayKind {
  readonly file: File;
}

/** What is read into memory at once; what is unpacked from gzip is bounded likewise by the library. */
const LARGEST_FILE = 2 ** 30;
const save =
  "Save images as bytes (u1), or as floats from 0 to 1, of shape [n, height, width] or [n, height, width, channels].";

/** Throws DataFault, or the signal's reason. */
export async function loadArrays(files: readonly ArrayFile[], leftOut: LeftOut, options: LoadOptions): Promise<Loaded> {
  const { onProgress, signal, seed = 0 } = options;
  const labels = files.filter(({ shape }) => shape.length === 1);
  const [images, second, third] = files
    .filter(({ shape }) => shape.length !== 1)
    .sort((a, b) => (b.shape[0] ?? 0) - (a.shape[0] ?? 0));
  if (!images) {
    throw new DataFault("Labels, but no images", `${shortName(labels[0]!.file.name)} holds one number per example.`, [
      "Choose the file of the images together with the file of their labels.",
    ]);
  }
  if (third || (second && String(second.shape.slice(1)) !== String(images.shape.slice(1)))) {
    const names = files.map(({ file }) => shortName(file.name));
    throw new DataFault("Too many arrays", `These do not belong together: ${names.slice(0, 5).join(", ")}.`, [
      "Choose one file of images, or two of the same shape (the larger is trained on, the other is the test set), and their labels.",
    ]);
  }
  onProgress?.(0, undefined, `Reading ${shortName(images.file.name)}`);
  const main = asPicturesOrPoints(await read(images, takeLabels(images, labels), signal));
  const other = second && asPicturesOrPoints(await read(second, takeLabels(second, labels), signal));
  if (other && main.kind === "points") {
    throw new DataFault("Too many arrays", "Of points there can be one file; a tenth of it becomes the test set.", [
      "Choose one of them.",
    ]);
  }
  for (const { file } of labels) leftOut.add(file.name, "labels of no images here");

  const notes = [...main.notes];
  const fit = (dataset: Dataset) => {
    const row = Math.ceil((dataset.values.length / dataset.count) * 0.25) * 4 * dataset.values.BYTES_PER_ELEMENT;
    const most = Math.floor(MOST_BYTES / row);
    if (dataset.count <= most) return dataset;
    const counts = [most, dataset.count].map((count) => count.toLocaleString("en"));
    notes.push(`${counts[0]} of ${counts[1]} examples are used, chosen by chance: as many as any GPU holds at once.`);
    return sampleOf(dataset, most, seed);
  };
  if (!other && main.dataset.count < 2) {
    throw new DataFault("One example is too few", "It takes one to train on and another for the test.", [save]);
  }
  const sets = other ? { train: fit(main.dataset), test: fit(other.dataset) } : holdOut(fit(main.dataset), seed);
  const counts = [sets.train.count, sets.test.count].map((count) => count.toLocaleString("en"));
  notes.unshift(`${counts[0]} examples to train on and ${counts[1]} for the test. They stay on this machine.`);
  const classes = Math.max(classesOf(sets.train), classesOf(sets.test));
  return {
    name: shortName(images.file.name),
    kind: main.kind,
    shape: [...sets.train.shape],
    ...sets,
    ...(classes > 0 ? { labelNames: Array.from({ length: classes }, (_, i) => String(i)) } : {}),
    notes,
  };
}

const classesOf = ({ labels = new Uint8Array() }: Dataset) => labels.reduce((a, b) => Math.max(a, b + 1), 0);

/** The labels of as many examples in the same format, which are then taken. */
function takeLabels(images: ArrayFile, labels: ArrayFile[]): ArrayFile | undefined {
  const at = labels.findIndex(({ format, shape }) => format === images.format && shape[0] === images.shape[0]);
  return at < 0 ? undefined : labels.splice(at, 1)[0];
}

async function read(images: ArrayFile, labels: ArrayFile | undefined, signal?: AbortSignal): Promise<Dataset> {
  const name = shortName(images.file.name);
  try {
    const bytes = await bytesOf(images.file);
    const labelBytes = labels && (await bytesOf(labels.file));
    signal?.throwIfAborted();
    const beside = labelBytes ? { labels: labelBytes } : {};
    const dataset = await (images.format === "IDX"
      ? imagesFromIdx({ images: bytes, name, ...beside })
      : fromNpy(bytes, { name, ...beside }));
    signal?.throwIfAborted();
    return dataset;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof WebvaeError)) throw error;
    throw new DataFault(`${name} cannot be used`, error.message, [save], { cause: error });
  }
}

async function bytesOf(file: File): Promise<Uint8Array> {
  const fail = (why: string, cause?: unknown) =>
    new DataFault(`${shortName(file.name)} cannot be used`, why, ["Choose a part of it, or a copy on this machine."], {
      cause,
    });
  if (file.size > LARGEST_FILE) throw fail(`It takes ${(file.size / 1e9).toFixed(1)} GB; at most 1 GB is read.`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw fail("The browser cannot read it: it was moved or changed, or does not fit in memory.", cause);
  }
}
