// The sheet of a recording's pictures as a PNG file: 16 levels of grey, which in blurred digits look the same as 256
// and take half the bytes.
import { PNG } from "pngjs";
import type { Sheet } from "./recording.js";

const LEVELS = 16;

/** `images` holds consecutive images with values in [0, 1], in any number of arrays. */
export function drawSheet({ side, columns }: Sheet, images: readonly Float32Array[]): Uint8Array {
  const count = images.reduce((sum, { length }) => sum + length, 0) / side ** 2;
  const [width, height] = [columns * side, Math.ceil(count / columns) * side];
  const pixels = Buffer.alloc(width * height);
  let image = 0;
  for (const values of images) {
    for (let first = 0; first < values.length; first += side ** 2, image++) {
      const left = (image % columns) * side;
      const top = Math.floor(image / columns) * side;
      for (let i = 0; i < side ** 2; i++) {
        const level = Math.round(values[first + i]! * (LEVELS - 1));
        pixels[(top + Math.floor(i / side)) * width + left + (i % side)] = level * (255 / (LEVELS - 1));
      }
    }
  }
  const png = new PNG({ width, height });
  png.data = pixels;
  const options = { colorType: 0, inputColorType: 0, inputHasAlpha: false, deflateLevel: 9 } as const;
  // The filters help photographs; so few levels mostly compress better unfiltered.
  const packed = [0, 1, 2].map((filterType) => PNG.sync.write(png, { ...options, filterType }));
  return new Uint8Array(packed.reduce((least, one) => (one.length < least.length ? one : least)));
}
