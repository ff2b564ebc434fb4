// Loads the examples named by an element's attributes. The data sets' code is loaded when an element first needs it.
import type { Dataset, ModelSpec } from "webvae";
import { reimporting } from "../src/reimport.js";
import { download, ExplorerFault } from "./download.js";

/** Examples to explore with. */
export interface Examples {
  /** [n, ...input], values from 0 to 1. */
  readonly images: Float32Array;
  readonly labels?: Uint8Array;
  readonly labelNames?: readonly string[];
}

export interface ExampleSource {
  /** A generated data set: digits, sprites or gaussians. */
  readonly data?: string | undefined;
  /** IDX files, with or without gzip. */
  readonly images?: string | undefined;
  readonly labels?: string | undefined;
}

const importDatasets = reimporting(() => import("webvae/datasets"));

/** Number of examples from a generated data set. */
const COUNT = 600;
/** Number of examples from a file: more would be slow to encode on a software adapter, and show no more. */
const MOST = 3000;

/** Throws INVALID_ATTRIBUTE, INVALID_DATA, INVALID_FILE, DOWNLOAD_FAILED. */
export async function loadExamples(
  { data, images, labels }: ExampleSource,
  spec: ModelSpec,
  seed: number,
  signal: AbortSignal,
): Promise<Examples | undefined> {
  if (!data && !images) return undefined;
  const sets = await importDatasets();
  signal.throwIfAborted();
  let found: Dataset;
  if (images) {
    const [imageFile, labelFile] = await Promise.all(
      [images, ...(labels ? [labels] : [])].map((url) => download(url, signal)),
    );
    found = await sets.imagesFromIdx({
      images: imageFile!,
      ...(labelFile ? { labels: labelFile } : {}),
      name: "examples",
    });
  } else {
    const options = { split: "test", count: COUNT, seed } as const;
    if (data === "digits") found = sets.digits(options);
    else if (data === "sprites") found = sets.sprites(options);
    else if (data === "gaussians") found = sets.gaussians(options);
    else throw new ExplorerFault("INVALID_ATTRIBUTE", `data must be digits, sprites or gaussians, not "${data}"`);
  }
  return examplesOf(found, spec);
}

/** Bytes stand for value / 255. Throws INVALID_DATA if the model expects another shape. */
export function examplesOf(found: Dataset, spec: ModelSpec): Examples {
  if (String(found.shape) !== String(spec.input)) {
    throw new ExplorerFault(
      "INVALID_DATA",
      `the examples are ${found.shape.join(" x ")}, but the model expects ${spec.input.join(" x ")}`,
    );
  }
  const size = found.values.length / found.count;
  const count = Math.min(MOST, found.count);
  const values = found.values.subarray(0, count * size);
  const images = values instanceof Float32Array ? values : Float32Array.from(values, (value) => value / 255);
  return { images, ...(found.labels ? { labels: found.labels.subarray(0, count) } : {}) };
}
