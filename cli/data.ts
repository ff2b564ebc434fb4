// The data sets of the command line, by name.
import * as datasets from "../src/datasets.js";
import { WebvaeError, type Dataset } from "../src/index.js";
import { readDataDir } from "./data_dir.js";
import { cachingFetch } from "./file_cache.js";

export const dataNames = ["digits", "mnist", "fashion-mnist", "gaussians", "sprites"] as const;
export type DataName = (typeof dataNames)[number];

/** `all`: the training and the test examples, in that order. */
export type Split = "train" | "test" | "all";

export interface DataOptions {
  readonly data: DataName;
  /** A folder of IDX files, instead of a download. */
  readonly dataDir?: string | undefined;
  /** Seed of generated data. */
  readonly seed: number;
  /** Keeps only the first examples. */
  readonly limit?: number | undefined;
  readonly note?: (text: string) => void;
}

/** Sizes of generated sets: enough to learn from, few enough for a processor to train on in a coffee break. */
const generated = {
  digits: { train: 6000, test: 1000 },
  gaussians: { train: 10000, test: 2000 },
  sprites: { train: 6000, test: 1000 },
} as const;

export async function loadData(options: DataOptions, split: Split): Promise<Dataset> {
  const dataset =
    split === "all" ? joined(await load(options, "train"), await load(options, "test")) : await load(options, split);
  return options.limit === undefined ? dataset : datasets.take(dataset, options.limit);
}

/** The examples of both. Throws INVALID_DATA if they differ in shape or type of values. */
function joined(first: Dataset, second: Dataset): Dataset {
  const [shapes, bytes] = [
    [first, second].map(({ shape }) => shape.join("x")),
    [first, second].map(({ values }) => values instanceof Uint8Array),
  ];
  if (shapes[0] !== shapes[1] || bytes[0] !== bytes[1]) {
    const kinds = shapes.map((shape, i) => `${bytes[i] ? "bytes" : "floats"} of ${shape}`);
    throw new WebvaeError("INVALID_DATA", `the splits of ${first.name} differ: ${kinds.join(" and ")}`);
  }
  const values = new (bytes[0] ? Uint8Array : Float32Array)(first.values.length + second.values.length);
  values.set(first.values);
  values.set(second.values, first.values.length);
  const labels = first.labels && second.labels ? { labels: Uint8Array.from([...first.labels, ...second.labels]) } : {};
  return { name: first.name, shape: first.shape, count: first.count + second.count, values, ...labels };
}

function load({ data, dataDir, seed, note }: DataOptions, split: "train" | "test"): Promise<Dataset> | Dataset {
  if (data === "digits" || data === "gaussians" || data === "sprites") {
    if (dataDir) {
      throw new WebvaeError("INVALID_OPTION", `--data-dir is for mnist and fashion-mnist; ${data} is generated`);
    }
    return datasets[data]({ split, count: generated[data][split], seed });
  }
  if (dataDir) return readDataDir(dataDir, { split, name: data });
  note?.(`${data}: downloading the ${split} set unless it is in the cache`);
  const download = data === "mnist" ? datasets.mnist : datasets.fashionMnist;
  return download({ split, fetch: cachingFetch() });
}
