// What a page of the README's gets as "webvae/datasets": the library's, with fewer examples where they are generated.
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
