import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** An IDX file of unsigned bytes. */
export function idxBytes(shape: readonly number[], values: Uint8Array): Uint8Array<ArrayBuffer> {
  return idxFile(0x08, shape, values);
}

/** Header and body as given, valid or not. */
export function idxFile(type: number, shape: readonly number[], body: Uint8Array): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(4 + 4 * shape.length + body.length);
  file.set([0, 0, type, shape.length]);
  const view = new DataView(file.buffer);
  shape.forEach((length, axis) => view.setUint32(4 + 4 * axis, length));
  file.set(body, 4 + 4 * shape.length);
  return file;
}

export function gzip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes));
}

/**
 * A folder with the four original MNIST files in gzip, if there is one: $MNIST_DIR, .cache/mnist in the checkout, or
 * shared/mnist next to it. The project does not contain them, so every test that needs them is accompanied by one on
 * generated files.
 */
export function localMnist(): string | undefined {
  const beside = ["../../.cache/mnist", "../../../shared/mnist"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const folders = process.env.MNIST_DIR ? [process.env.MNIST_DIR] : beside;
  return folders.find((folder) => existsSync(`${folder}/train-images-idx3-ubyte.gz`));
}
