// The batch that all libraries train on: generated digits, enlarged and tinted to fit the model's input.
import { digits as generated } from "../../src/datasets.js";

/** `count` images of `shape`, bytes in NHWC order. */
export function trainingImages(shape: readonly number[], count: number): Uint8Array<ArrayBuffer> {
  const digits = generated({ split: "train", count, seed: 1 });
  const [side = 28] = digits.shape;
  const [height = 0, width = 0, channels = 0] = shape;
  if (shape.length !== 3) throw new Error(`the comparison trains on images, not on shape [${shape.join(", ")}]`);
  const images = new Uint8Array(count * height * width * channels);
  let at = 0;
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      const row = (n * side + Math.floor((y * side) / height)) * side;
      for (let x = 0; x < width; x++) {
        const value = digits.values[row + Math.floor((x * side) / width)] ?? 0;
        for (let c = 0; c < channels; c++) images[at++] = Math.round((value * (c + 1)) / channels);
      }
    }
  }
  return images;
}
