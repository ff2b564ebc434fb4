// The public API for data: sets that are downloaded and checked, generated from a seed, or made of arrays and files.
export { fromArray, take } from "./data/arrays.js";
export { digits } from "./data/digits.js";
export { fromNpy } from "./data/from_npy.js";
export { gaussians } from "./data/gaussians.js";
export { fashionMnist, imagesFromIdx, mnist } from "./data/mnist.js";
export { sprites } from "./data/sprites.js";
