// A folder of IDX files with the usual file names of MNIST and similar data sets.

import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { imagesFromIdx } from "../src/datasets.js";
import { WebvaeError, type Dataset } from "../src/index.js";

export interface DataDirOptions {
  split: "train" | "test";
  /** Name of the data set; the folder's own by default. */
  name?: string;
}

// The original distribution uses t10k; some tools that repack it use test.
const PREFIXES = { train: ["train"], test: ["t10k", "test"] };

/** Reads one split from a folder, with labels if there are any. Throws INVALID_FILE naming folder and files. */
export async function readDataDir(dir: string, options: DataDirOptions): Promise<Dataset> {
  const name = options.name ?? basename(resolve(dir));
  const present = await readdir(dir).catch((cause: unknown) => {
    throw new WebvaeError("INVALID_FILE", `${dir} cannot be read as a folder (${(cause as Error).message}).`, {
      cause,
    });
  });
  const imageNames = candidates(options.split, "images", 3);
  const imageFile = imageNames.find((file) => present.includes(file));
  if (!imageFile) {
    throw new WebvaeError(
      "INVALID_FILE",
      `${dir} has no ${options.split} images; looked for ${imageNames.join(", ")}.`,
    );
  }
  const labelFile = candidates(options.split, "labels", 1).find((file) => present.includes(file));
  const images = await readBytes(join(dir, imageFile));
  const labels = labelFile ? await readBytes(join(dir, labelFile)) : undefined;
  return imagesFromIdx({ images, ...(labels ? { labels } : {}), name }).catch((error: unknown) => {
    if (!(error instanceof WebvaeError)) throw error;
    const files = [imageFile, labelFile].filter(Boolean).join(", ");
    throw new WebvaeError(error.code, `${dir} (${files}): ${error.message}`, { cause: error });
  });
}

/** File names in order of preference: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, then with .gz. */
function candidates(split: DataDirOptions["split"], what: "images" | "labels", rank: number): string[] {
  return PREFIXES[split].flatMap((prefix) =>
    ["", ".gz"].flatMap((suffix) => ["-", "."].map((dot) => `${prefix}-${what}${dot}idx${rank}-ubyte${suffix}`)),
  );
}

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new WebvaeError("INVALID_FILE", `${path}: ${(cause as Error).message}.`, { cause });
  });
}
