// A model in the same thread.
import type { VAE } from "webvae";
import { exampleElbos } from "./example_elbo.js";
import { LocalSurface } from "./local_surface.js";
import type { ExplorerModel } from "./model.js";

/** A VAE in the same thread. */
export function localModel(vae: VAE): ExplorerModel {
  return {
    spec: vae.spec,
    attach: (canvas) => new LocalSurface(canvas, () => vae),
    encode: (x) => vae.encode(x),
    decode: (z) => vae.decode(z),
    reconstruct: (x) => vae.reconstruct(x),
    elbo: (x) => exampleElbos(vae, x),
  };
}
