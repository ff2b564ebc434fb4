// Draws the data sets apart from the page, which stays live meanwhile.
import type { Dataset } from "webvae";
import { digits } from "webvae/datasets";

export interface DigitSets {
  readonly train: Dataset;
  readonly test: Dataset;
}

const train = digits({ split: "train", count: 8000, seed: 0 });
const test = digits({ split: "test", count: 1000, seed: 0 });
const sets: DigitSets = { train, test };
const buffers = [train, test].flatMap(({ values, labels }) => [values.buffer, ...(labels ? [labels.buffer] : [])]);
postMessage(sets, { transfer: buffers as ArrayBuffer[] });
