// The public API for data: sets that are downloaded and checked, generated from a seed, or made of arrays and files.
export { fromArray, take } from "./data/arrays.js";
export { digits } from "./data/digits.js";
export { fromNpy } from "./data/from_npy.js";
export { gaussians } from "./data/gaussians.js";
export { fromImageData } from "./data/image_data.js";
export { fashionMnist, imagesFromIdx, mnist } from "./data/mnist.js";
export { sprites } from "./data/sprites.js";
export { standardise } from "./data/standardise.js";
export type { FromArrayOptions } from "./data/arrays.js";
export type { FromImageDataOptions, Pixels } from "./data/image_data.js";
export type { FromNpyOptions } from "./data/from_npy.js";
export type { GaussiansOptions } from "./data/gaussians.js";
export type { GeneratedOptions } from "./data/generated.js";
export type { MnistOptions } from "./data/mnist.js";
export type { DigitsOptions } from "./data/digits.js";
export type { SpritesOptions } from "./data/sprites.js";
export type { Standard, Standardised, StandardiseOptions } from "./data/standardise.js";
export type { DataCache } from "./data/download.js";
