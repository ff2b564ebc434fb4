// The "webvae" that the README's pages import: the library with shortened runs. One epoch shows that the code works.
import { VAE } from "webvae";
export * from "webvae";

const EPOCHS = 1;
const found = Object.getOwnPropertyDescriptor(VAE.prototype, "train")!;
const train = found.value as VAE["train"];
VAE.prototype.train = function (data, options = {}) {
  return train.call(this, data, { ...options, epochs: Math.min(options.epochs ?? EPOCHS, EPOCHS) });
};
