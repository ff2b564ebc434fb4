// Data from array files, IDX or npy: images, with labels and a test set if there are files for those.
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

/** The most that is read into memory at once; the library puts the same limit on decompressed gzip. */
const LARGEST_FILE = 2 ** 30;
const save =
  "Save images as bytes (u1) or as floats from 0 to 1, with shape [n, height, width] or [n, height, width, channels].";

/** Throws DataFault, or the signal's reason. */
export async function loadArrays(files: readonly ArrayFile[], leftOut: LeftOut, options: LoadOptions): Promise<Loaded> {
  const { onProgress, signal, seed = 0 } = options;
  const labels = files.filter(({ shape }) => shape.length === 1);
  const [images, second, third] = files
    .filter(({ shape }) => shape.length !== 1)
    .sort((a, b) => (b.shape[0] ?? 0) - (a.shape[0] ?? 0));
  if (!images) {
    throw new DataFault("Labels without images", `${shortName(labels[0]!.file.name)} holds one number per example.`, [
      "Choose the image file together with the label file.",
    ]);
  }
  if (third || (second && String(second.shape.slice(1)) !== String(images.shape.slice(1)))) {
    const names = files.map(({ file }) => shortName(file.name));
    throw new DataFault("Too many arrays", `These files do not belong together: ${names.slice(0, 5).join(", ")}.`, [
      "Choose one image file, or two of the same shape (the larger is used for training, the other for testing), and their labels.",
    ]);
  }
  onProgress?.(0, undefined, `Reading ${shortName(images.file.name)}`);
  const main = asPicturesOrPoints(await read(images, takeLabels(images, labels), signal));
  const other = second && asPicturesOrPoints(await read(second, takeLabels(second, labels), signal));
  if (other && main.kind === "points") {
    throw new DataFault("Too many arrays", "Points must come in a single file; a tenth of it becomes the test set.", [
      "Choose one of them.",
    ]);
  }
  for (const { file } of labels) leftOut.add(file.name, "labels that match no images here");

  const notes = [...main.notes];
  const fit = (dataset: Dataset) => {
    const row = Math.ceil((dataset.values.length / dataset.count) * 0.25) * 4 * dataset.values.BYTES_PER_ELEMENT;
    const most = Math.floor(MOST_BYTES / row);
    if (dataset.count <= most) return dataset;
    const counts = [most, dataset.count].map((count) => count.toLocaleString("en"));
    notes.push(
      `${counts[0]} of ${counts[1]} examples are used, chosen at random: as many as any GPU can hold at once.`,
    );
    return sampleOf(dataset, most, seed);
  };
  if (!other && main.dataset.count < 2) {
    throw new DataFault("One example is too few", "At least two are needed: one for training and one for testing.", [
      save,
    ]);
  }
  const sets = other ? { train: fit(main.dataset), test: fit(other.dataset) } : holdOut(fit(main.dataset), seed);
  const counts = [sets.train.count, sets.test.count].map((count) => count.toLocaleString("en"));
  notes.unshift(`${counts[0]} examples for training and ${counts[1]} for testing. They stay on this machine.`);
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

/** Takes the labels that match in format and number of examples. */
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
    new DataFault(
      `${shortName(file.name)} cannot be used`,
      why,
      ["Choose a smaller part of it, or a copy on this machine."],
      {
        cause,
      },
    );
  if (file.size > LARGEST_FILE) throw fail(`It is ${(file.size / 1e9).toFixed(1)} GB; the limit is 1 GB.`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw fail("The browser cannot read it: it was moved or changed, or it does not fit in memory.", cause);
  }
}
