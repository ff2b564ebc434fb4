// The data sets that the page offers by name: drawn here from a seed, or downloaded once and kept by the browser.
import { WebvaeError, type Dataset } from "webvae";
import { digits, fashionMnist, gaussians, mnist, sprites } from "webvae/datasets";
import { DataFault, type Loaded, type LoadOptions } from "./loaded.js";

export const dataIds = ["digits", "mnist", "fashion-mnist", "gaussians", "sprites"] as const;
export type DataId = (typeof dataIds)[number];

const figures = Array.from({ length: 10 }, (_, digit) => String(digit));
// In the order of the files' labels (zalandoresearch/fashion-mnist, README).
const clothes = [
  "T-shirt or top",
  "Trousers",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** Throws DataFault, or the signal's reason. */
export async function loadData(id: DataId, options: LoadOptions = {}): Promise<Loaded> {
  const load = loaders[id] as ((options: LoadOptions) => Promise<Loaded>) | undefined;
  if (!load || !Object.hasOwn(loaders, id)) {
    throw new DataFault("No such data set", `There is no data set of the name ${String(id).slice(0, 40)}.`, [
      `Choose one of ${dataIds.join(", ")}.`,
    ]);
  }
  return load(options);
}

const loaders: Record<DataId, (options: LoadOptions) => Promise<Loaded>> = {
  // 0.7 s of drawing on one slow core; on a software adapter an epoch still takes seconds, not minutes.
  digits: (options) => generated(digits, { train: 8000, test: 1000 }, options, "Digits", "images", figures),
  // 49 MB on the GPU, well below the 128 MiB that every adapter binds.
  sprites: (options) =>
    generated(sprites, { train: 4000, test: 500 }, options, "Sprites", "images", ["Square", "Ellipse", "Heart"]),
  gaussians: (options) => {
    const blobs = Array.from({ length: 8 }, (_, blob) => `Blob ${blob + 1}`);
    const ring: typeof gaussians = (given) => gaussians({ ...given, variant: "ring" });
    return generated(ring, { train: 4000, test: 1000 }, options, "Ring of Gaussians", "points", blobs);
  },
  mnist: (options) => downloaded(mnist, "MNIST", figures, options),
  "fashion-mnist": (options) => downloaded(fashionMnist, "Fashion-MNIST", clothes, options),
};

async function generated(
  draw: (options: { split: "train" | "test"; count: number; seed: number }) => Dataset,
  counts: { train: number; test: number },
  { onProgress, signal, seed = 0 }: LoadOptions,
  name: string,
  kind: Loaded["kind"],
  labelNames: string[],
): Promise<Loaded> {
  const total = counts.train + counts.test;
  const what = `Drawing ${total.toLocaleString("en")} examples`;
  onProgress?.(0, total, what);
  // Drawing takes part of a second; what came in the meantime, an abort perhaps, goes first.
  await new Promise((done) => setTimeout(done));
  signal?.throwIfAborted();
  const train = draw({ split: "train", count: counts.train, seed });
  onProgress?.(counts.train, total, what);
  await new Promise((done) => setTimeout(done));
  signal?.throwIfAborted();
  const test = draw({ split: "test", count: counts.test, seed });
  onProgress?.(total, total, what);
  const notes = [
    `${counts.train.toLocaleString("en")} examples drawn by this page from seed ${seed}, and ${counts.test.toLocaleString("en")} others for the test.`,
  ];
  return { name, kind, shape: [...train.shape], train, test, labelNames, notes };
}

async function downloaded(
  fetchSet: typeof mnist,
  name: string,
  labelNames: string[],
  { onProgress, signal }: LoadOptions,
): Promise<Loaded> {
  const split = (which: "train" | "test", what: string) =>
    fetchSet({
      split: which,
      ...(signal ? { signal } : {}),
      onProgress: (received, total) => onProgress?.(received, total, `Downloading ${name}: ${what}`),
    });
  try {
    onProgress?.(0, undefined, `Looking for ${name}`);
    const train = await split("train", "training images");
    const test = await split("test", "test images");
    const notes = [
      `${train.count.toLocaleString("en")} images for training and ${test.count.toLocaleString("en")} for the test, ` +
        "downloaded once, checked, and kept by this browser.",
    ];
    return { name, kind: "images", shape: [...train.shape], train, test, labelNames, notes };
  } catch (error) {
    signal?.throwIfAborted();
    throw downloadFault(name, error);
  }
}

function downloadFault(name: string, error: unknown): unknown {
  if (!(error instanceof WebvaeError)) return error;
  const instead = [
    "Train on the digits that this page draws itself: they look like MNIST's and need no network.",
    "Or choose the four IDX files of MNIST's format on this machine as your own data.",
  ];
  if (error.code === "CHECKSUM_MISMATCH") {
    const what = "What arrived is not the published file, so it was not used";
    return new DataFault(
      `${name} arrived damaged`,
      `${what}. ${error.message}`,
      ["Try again: something on the way, a proxy or a sign-in page, may have answered in its place.", ...instead],
      { cause: error, code: "DOWNLOAD_FAILED" },
    );
  }
  if (error.code !== "DOWNLOAD_FAILED") return error;
  // In a worker too; where it says true there may be no network all the same.
  const offline = typeof navigator !== "undefined" && navigator.onLine === false;
  // The library tries one after the other, and tells of the last.
  const message = `None of the places that offer it answers as it should, the last of them: ${error.message}`;
  return new DataFault(
    `${name} could not be downloaded`,
    offline ? `This device is offline. ${message}` : message,
    [
      offline
        ? "Connect to the network and try again; once downloaded, the data stay in this browser."
        : "Check the network, or whether an extension or a firewall blocks such downloads, and try again.",
      ...instead,
    ],
    { cause: error, code: "DOWNLOAD_FAILED" },
  );
}
