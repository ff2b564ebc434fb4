// What every data set is: examples of one shape, as bytes (images, scaled by 1/255 on the GPU) or floats.

export interface Dataset {
  /** Short name for display: "mnist", "digits". */
  readonly name: string;
  /** Shape of one example: [height, width, channels] for images, [features] for points. */
  readonly shape: readonly number[];
  readonly count: number;
  /** count x prod(shape) values, row-major (NHWC). Bytes stand for value / 255. */
  readonly values: Uint8Array | Float32Array;
  /** One class index per example, where known. */
  readonly labels?: Uint8Array;
}

/** The first `count` examples (all of them when there are fewer). Shares memory with `dataset`. */
export function take(dataset: Dataset, count: number): Dataset {
  const kept = Math.min(count, dataset.count);
  const size = dataset.shape.reduce((product, n) => product * n, 1);
  return {
    ...dataset,
    count: kept,
    values: dataset.values.subarray(0, kept * size),
    ...(dataset.labels ? { labels: dataset.labels.subarray(0, kept) } : {}),
  };
}
