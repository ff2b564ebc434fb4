// A model's layers as plain JSON, and functions that create them.

import type { Activation } from "../tensor.js";

/** One size for both directions, or [down, across]. */
export type Size2d = number | readonly [number, number];

/**
 * Zeros around an image: "same" (TensorFlow's rule: an output of ceil(input / stride)), "valid" (none), a number for
 * every side, or [top, bottom, left, right].
 */
export type Padding = "same" | "valid" | number | readonly [number, number, number, number];

/** W x + b. */
export interface DenseLayer {
  readonly type: "dense";
  /** Number of outputs. The input is flattened. */
  readonly units: number;
  /** Default "none". */
  readonly activation?: Activation;
}
/** A convolution of an image [H, W, C]. */
export interface Conv2dLayer {
  readonly type: "conv2d";
  /** Number of output channels. */
  readonly filters: number;
  readonly kernel: Size2d;
  /** Default 1. */
  readonly stride?: Size2d;
  /** Default "same". */
  readonly padding?: Padding;
  readonly activation?: Activation;
}
/** The transpose of a convolution: with a stride it enlarges the image. */
export interface ConvTranspose2dLayer {
  readonly type: "conv_transpose2d";
  readonly filters: number;
  readonly kernel: Size2d;
  readonly stride?: Size2d;
  /**
   * Padding of the convolution that this transposes. Default "same": the output is input * stride. "valid":
   * input * stride + max(kernel - stride, 0). Otherwise (input - 1) * stride + kernel - padding.
   */
  readonly padding?: Padding;
  /**
   * Rows and columns added to the output, fewer than the stride. With "same" and an outputPadding, even 0, the output
   * has Keras's size: (input - 1) * stride + kernel - 2 floor(kernel / 2) + outputPadding. Default: none added.
   */
  readonly outputPadding?: Size2d;
  readonly activation?: Activation;
}
/** The largest value or the mean of each window. */
export interface Pool2dLayer {
  readonly type: "max_pool2d" | "avg_pool2d";
  readonly window: Size2d;
  /** Default: the window. */
  readonly stride?: Size2d;
  /** Default "valid". Padding counts neither for the maximum nor for the mean. */
  readonly padding?: Padding;
}
/** Enlarges an image by whole factors. */
export interface Upsample2dLayer {
  readonly type: "upsample2d";
  readonly factor: Size2d;
  /** Default "nearest". */
  readonly mode?: "nearest" | "bilinear";
}
/** Normalises each channel by the batch's statistics; outside of training, by running statistics. */
export interface BatchNormLayer {
  readonly type: "batch_norm";
  /** Fraction of the old running statistics that a step keeps. Default 0.9. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  readonly activation?: Activation;
}
/** Normalises each example in groups of channels. */
export interface GroupNormLayer {
  readonly type: "group_norm";
  /** Groups of channels that are normalised together; 1 is layer normalisation. */
  readonly groups: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  readonly activation?: Activation;
}
/** During training, sets some values to zero and scales up the others. */
export interface DropoutLayer {
  readonly type: "dropout";
  /** Fraction of values that training sets to zero, from 0 to below 1. */
  readonly rate: number;
}
/** The input plus the output of layers applied to it. */
export interface ResidualLayer {
  readonly type: "residual";
  /** Layers whose output is added to their input; they must keep its shape. */
  readonly layers: readonly Layer[];
  /** Applied to the sum. */
  readonly activation?: Activation;
}
/** The same values as one vector. */
export interface FlattenLayer {
  readonly type: "flatten";
}
/** The same values in another shape. */
export interface ReshapeLayer {
  readonly type: "reshape";
  readonly shape: readonly number[];
}
/** One layer of an encoder or decoder, as JSON. */
export type Layer =
  | DenseLayer
  | Conv2dLayer
  | ConvTranspose2dLayer
  | Pool2dLayer
  | Upsample2dLayer
  | BatchNormLayer
  | GroupNormLayer
  | DropoutLayer
  | ResidualLayer
  | FlattenLayer
  | ReshapeLayer;

/** A layer's fields except those that its function takes as separate arguments. */
export type LayerOptions<L> = Omit<
  L,
  "type" | "filters" | "kernel" | "units" | "window" | "factor" | "groups" | "layers"
>;

/** A fully connected layer of `units` outputs. */
export function dense(units: number, options: LayerOptions<DenseLayer> = {}): DenseLayer {
  return { type: "dense", units, ...options };
}
/** A convolution of an image [H, W, C] with `filters` kernels of `kernel` pixels. */
export function conv2d(filters: number, kernel: Size2d, options: LayerOptions<Conv2dLayer> = {}): Conv2dLayer {
  return { type: "conv2d", filters, kernel, ...options };
}
/** The transpose of a convolution: with a stride it enlarges the image (Dumoulin and Visin 2016, chapter 4). */
export function convTranspose2d(
  filters: number,
  kernel: Size2d,
  options: LayerOptions<ConvTranspose2dLayer> = {},
): ConvTranspose2dLayer {
  return { type: "conv_transpose2d", filters, kernel, ...options };
}
/** The largest value of each window. */
export function maxPool2d(window: Size2d, options: LayerOptions<Pool2dLayer> = {}): Pool2dLayer {
  return { type: "max_pool2d", window, ...options };
}
/** The mean of each window. */
export function avgPool2d(window: Size2d, options: LayerOptions<Pool2dLayer> = {}): Pool2dLayer {
  return { type: "avg_pool2d", window, ...options };
}
/** Enlarges an image by whole factors. */
export function upsample2d(factor: Size2d, options: LayerOptions<Upsample2dLayer> = {}): Upsample2dLayer {
  return { type: "upsample2d", factor, ...options };
}
/** Normalises each channel by the batch's statistics (Ioffe and Szegedy 2015); outside of training, by running ones. */
export function batchNorm(options: LayerOptions<BatchNormLayer> = {}): BatchNormLayer {
  return { type: "batch_norm", ...options };
}
/** Normalises groups of channels of each example (Wu and He 2018). */
export function groupNorm(groups: number, options: LayerOptions<GroupNormLayer> = {}): GroupNormLayer {
  return { type: "group_norm", groups, ...options };
}
/** Sets values to zero at random during training, and scales up the others (Srivastava et al. 2014). */
export function dropout(rate: number): DropoutLayer {
  return { type: "dropout", rate };
}
/** Adds the input to the output of `layers` (He et al. 2016). */
export function residual(layers: readonly Layer[], options: LayerOptions<ResidualLayer> = {}): ResidualLayer {
  return { type: "residual", layers, ...options };
}
/** Turns an image into a vector. */
export function flatten(): FlattenLayer {
  return { type: "flatten" };
}
/** Turns a vector into an image. */
export function reshape(...shape: number[]): ReshapeLayer {
  return { type: "reshape", shape };
}
