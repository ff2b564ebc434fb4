// Pictures as a PNG file: each pixel enlarged to a square, values as greys or colours, with a gap between pictures.

/** Approximate width of a sheet. */
const WIDTH = 1000;

/** Examples [n, height, width, channels] of values from 0 to 1, in rows of `columns`. */
export async function sheetPng(images: Float32Array, shape: readonly number[], columns: number): Promise<Blob> {
  const [height = 1, width = 1, channels = 1] = shape;
  const size = height * width * channels;
  const total = images.length / size;
  const scale = Math.max(1, Math.floor(WIDTH / (columns * width)));
  const gap = 2 * scale;
  const rows = Math.ceil(total / columns);
  const [right, bottom] = [columns * (width * scale + gap) - gap, rows * (height * scale + gap) - gap];
  const sheet = new OffscreenCanvas(right, bottom);
  const context = sheet.getContext("2d")!;
  context.imageSmoothingEnabled = false;
  context.fillStyle = "#808080";
  context.fillRect(0, 0, right, bottom);
  const one = new OffscreenCanvas(width, height);
  const pixels = new ImageData(width, height);
  for (let image = 0; image < total; image++) {
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) {
        const value = images[image * size + i * channels + Math.min(c, channels - 1)] ?? 0;
        pixels.data[4 * i + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
      pixels.data[4 * i + 3] = 255;
    }
    one.getContext("2d")!.putImageData(pixels, 0, 0);
    const [x, y] = [(image % columns) * (width * scale + gap), Math.floor(image / columns) * (height * scale + gap)];
    context.drawImage(one, x, y, width * scale, height * scale);
  }
  return sheet.convertToBlob({ type: "image/png" });
}
