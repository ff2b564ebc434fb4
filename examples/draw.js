/**
 * Draws images [n, 28, 28, 1] with values from 0 to 1 in rows on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} images
 * @param {number} [columns]
 */
export function drawImages(canvas, images, columns = 8) {
  const count = images.length / 784;
  canvas.width = 28 * columns;
  canvas.height = 28 * Math.ceil(count / columns);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2-D canvas");
  for (let image = 0; image < count; image++) {
    const pixels = new ImageData(28, 28);
    for (let i = 0; i < 784; i++) {
      const grey = 255 * (1 - (images[784 * image + i] ?? 0));
      pixels.data.set([grey, grey, grey, 255], 4 * i);
    }
    context.putImageData(pixels, 28 * (image % columns), 28 * Math.floor(image / columns));
  }
}
