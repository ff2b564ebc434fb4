// What a page of the README's gets as "webvae": the library, with runs cut short. One epoch shows that the code is right.
import { VAE } from "webvae";
export * from "webvae";

const EPOCHS = 1;
const found = Object.getOwnPropertyDescriptor(VAE.prototype, "train")!;
const train = found.value as VAE["train"];
VAE.prototype.train = function (data, options = {}) {
  return train.call(this, data, { ...options, epochs: Math.min(options.epochs ?? EPOCHS, EPOCHS) });
};
