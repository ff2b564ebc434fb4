// MNIST and Fashion-MNIST, which are downloaded, checked, cached and read; and any other pair of IDX files.

import { WebvaeError } from "../errors.js";
import { quoted, reading } from "../checks.js";
import { invalidOption, optionsOf } from "../options.js";
import { fromArray } from "./arrays.js";
import type { Dataset } from "./dataset.js";
import { download, type DataCache, type RemoteFile } from "./download.js";
import { gunzipIfNeeded } from "./gunzip.js";
import { idxLength, readIdx } from "./idx.js";
import { whatIs } from "./refusals.js";

/** Which split to load, and from where. */
export interface MnistOptions {
  split: "train" | "test";
  /** Folder(s) with the four .gz files, tried in order instead of the defaults. Checksums still apply. */
  baseUrl?: string | readonly string[];
  /** Replaces the global fetch. */
  fetch?: typeof fetch;
  /** Replaces the browser's Cache API; `false` for no cache. */
  cache?: DataCache | false;
  signal?: AbortSignal;
  /** Bytes of the split's two files so far, and in total. */
  onProgress?: (received: number, total: number) => void;
}

type Split = Record<"images" | "labels", RemoteFile>;

// Sizes and SHA-256 of the compressed files as listed by TensorFlow Datasets (tensorflow/datasets,
// url_checksums/mnist.txt and url_checksums/fashion_mnist.txt).
const MNIST: Record<MnistOptions["split"], Split> = {
  train: {
    images: {
      file: "train-images-idx3-ubyte.gz",
      bytes: 9912422,
      sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    },
    labels: {
      file: "train-labels-idx1-ubyte.gz",
      bytes: 28881,
      sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    },
  },
  test: {
    images: {
      file: "t10k-images-idx3-ubyte.gz",
      bytes: 1648877,
      sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    },
    labels: {
      file: "t10k-labels-idx1-ubyte.gz",
      bytes: 4542,
      sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
  },
};

const FASHION_MNIST: Record<MnistOptions["split"], Split> = {
  train: {
    images: {
      file: "train-images-idx3-ubyte.gz",
      bytes: 26421880,
      sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    },
    labels: {
      file: "train-labels-idx1-ubyte.gz",
      bytes: 29515,
      sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    },
  },
  test: {
    images: {
      file: "t10k-images-idx3-ubyte.gz",
      bytes: 4422102,
      sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    },
    labels: {
      file: "t10k-labels-idx1-ubyte.gz",
      bytes: 5148,
      sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
  },
};

// A page can only read files served with Access-Control-Allow-Origin. jsDelivr and raw.githubusercontent.com send it
// for every file; the mirrors used by Python libraries (Google Cloud Storage, S3 website) are not known to, so the one
// here comes last, for Node. jsDelivr refuses GitHub files above 20 MB, so Fashion-MNIST starts with GitHub.
const MNIST_URLS = [
  "https://cdn.jsdelivr.net/gh/fgnt/mnist@master",
  "https://raw.githubusercontent.com/fgnt/mnist/master",
  "https://storage.googleapis.com/cvdf-datasets/mnist",
];
const FASHION_MNIST_URLS = [
  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
  "https://cdn.jsdelivr.net/gh/zalandoresearch/fashion-mnist@master/data/fashion",
];

/** MNIST: 60,000 or 10,000 images [28, 28, 1] of digits. Throws DOWNLOAD_FAILED or CHECKSUM_MISMATCH. */
export function mnist(options: MnistOptions): Promise<Dataset> {
  return remoteIdx("mnist", MNIST, MNIST_URLS, options);
}

/** Fashion-MNIST: 60,000 or 10,000 images [28, 28, 1] of clothes. Throws DOWNLOAD_FAILED or CHECKSUM_MISMATCH. */
export function fashionMnist(options: MnistOptions): Promise<Dataset> {
  return remoteIdx("fashion-mnist", FASHION_MNIST, FASHION_MNIST_URLS, options);
}

/** The images and labels of one split, downloaded from the first of `urls` that has the expected files. */
export async function remoteIdx(
  name: string,
  splits: Record<MnistOptions["split"], Split>,
  urls: readonly string[],
  options: MnistOptions,
): Promise<Dataset> {
  const known = ["split", "baseUrl", "fetch", "cache", "signal", "onProgress"] as const;
  const { split, baseUrl = urls, onProgress, ...how } = optionsOf(options, name, known);
  const bases = reading("INVALID_OPTION", `${name}: baseUrl`, () => [baseUrl].flat());
  const odd = bases.find((base) => typeof base !== "string");
  if (odd !== undefined) throw invalidOption(`${name}: baseUrl must be a URL or an array of URLs, not ${quoted(odd)}`);
  const { images, labels } = splits[split];
  const total = images.bytes + labels.bytes;
  const labelFile = await download(labels, bases, { ...how, onReceived: (n) => onProgress?.(n, total) });
  const imageFile = await download(images, bases, { ...how, onReceived: (n) => onProgress?.(labels.bytes + n, total) });
  return imagesFromIdx({ images: imageFile, labels: labelFile, name });
}

/**
 * A Dataset [H, W, C] from IDX files of bytes, with or without gzip: images (count x H x W, or count x H x W x C) and,
 * if known, labels (count). The files are borrowed until the call settles, and the Dataset shares memory with those
 * that are not compressed. Throws INVALID_FILE.
 */
export async function imagesFromIdx(files: {
  images: Uint8Array;
  labels?: Uint8Array;
  name: string;
}): Promise<Dataset> {
  const given = optionsOf(files, "imagesFromIdx", ["images", "labels", "name"]);
  const { name = "IDX" } = given;
  const read = async (bytes: Uint8Array, what: string) => {
    const file = `${name} ${what}`;
    if (!reading("INVALID_FILE", file, () => bytes instanceof Uint8Array)) {
      throw new WebvaeError("INVALID_FILE", `${file}: must be a Uint8Array, not ${whatIs(bytes)}.`);
    }
    return readIdx(await gunzipIfNeeded(bytes, file, (head) => idxLength(head, file)), { name: file });
  };
  // Both at once, so that both are read before the caller continues.
  const [images, labels] = await Promise.all([
    read(given.images, "images"),
    given.labels === undefined ? undefined : read(given.labels, "labels"),
  ]);
  const [count, ...shape] = images.shape as [number, ...number[]];
  if (shape.length !== 2 && shape.length !== 3) {
    throw new WebvaeError(
      "INVALID_FILE",
      `${name} images: shape ${images.shape.join("x")} is not count x height x width (x channels).`,
    );
  }
  if (shape.length === 2) shape.push(1);
  if (!labels) return fromArray(images.values, { shape, name });

  if (labels.shape.length !== 1) {
    throw new WebvaeError(
      "INVALID_FILE",
      `${name} labels: expected one byte per image, got shape ${labels.shape.join("x")}.`,
    );
  }
  if (labels.values.length !== count) {
    throw new WebvaeError("INVALID_FILE", `${name}: ${count} images but ${labels.values.length} labels.`);
  }
  return fromArray(images.values, { shape, labels: labels.values, name });
}
