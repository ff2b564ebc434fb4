// The "webvae/datasets" that the README's pages import: the library's, with fewer generated examples.
import * as whole from "webvae/datasets";
export * from "webvae/datasets";

const COUNT = 128;
const fewer = <Options extends { count: number }>(options: Options) => ({
  ...options,
  count: Math.min(options.count, COUNT),
});
export const digits: typeof whole.digits = (options) => whole.digits(fewer(options));
export const sprites: typeof whole.sprites = (options) => whole.sprites(fewer(options));
export const gaussians: typeof whole.gaussians = (options) => whole.gaussians(fewer(options));
