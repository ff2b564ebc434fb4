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
