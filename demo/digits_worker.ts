// Draws the data sets apart from the page, which stays live meanwhile.
import { datasets, type Dataset } from "webvae";

export interface DigitSets {
  readonly train: Dataset;
  readonly test: Dataset;
}

const train = datasets.digits({ split: "train", count: 8000, seed: 0 });
const test = datasets.digits({ split: "test", count: 1000, seed: 0 });
const sets: DigitSets = { train, test };
const buffers = [train, test].flatMap(({ values, labels }) => [values.buffer, ...(labels ? [labels.buffer] : [])]);
postMessage(sets, { transfer: buffers as ArrayBuffer[] });
