// Ready-made models, by name, each with its source.
import { invalid, product, shapeAt, show } from "./checks.js";
import { conv2d, convTranspose2d, dense, flatten, reshape } from "./layers/json.js";
import type { Likelihood } from "./likelihoods/json.js";
import type { ModelSpec } from "./spec.js";

const relu = { activation: "relu" } as const;

/** Hidden layers with these numbers of units, reversed in the decoder. */
const denseModel =
  (units: readonly number[], likelihood: Likelihood = "bernoulli") =>
  (input: readonly number[], latent: number): ModelSpec => {
    const encoder = units.map((count) => dense(count, relu));
    const decoder = [...encoder].reverse();
    return { input, encoder, latent, decoder: [...decoder, dense(product(shapeAt(input, "input")))], likelihood };
  };

/**
 * An image's height, width and channels. Throws INVALID_SPEC for another shape, or one that `times` does not divide.
 */
function imageOf(input: readonly number[], model: string, times: number): readonly [number, number, number] {
  const [height = 1, width = 1, channels = 1] = shapeAt(input, "input");
  if (input.length !== 3 || height % times !== 0 || width % times !== 0) {
    invalid(
      `input: ${model} needs images [height, width, channels] with sides divisible by ${times}, not ${show(input)}; mlp takes any`,
    );
  }
  return [height, width, channels];
}

function conv(input: readonly number[], latent: number): ModelSpec {
  const [height, width, channels] = imageOf(input, "conv", 4);
  const half = { ...relu, stride: 2 } as const;
  // Sixteen units are enough for Keras's two latents; larger latent spaces get the article's wider layer.
  const units = latent <= 16 ? 16 : 64;
  const small = [height / 4, width / 4, 64];
  return {
    input,
    encoder: [conv2d(32, 3, half), conv2d(64, 3, half), flatten(), dense(units, relu)],
    latent,
    decoder: [
      dense(product(small), relu),
      reshape(...small),
      convTranspose2d(64, 3, half),
      convTranspose2d(32, 3, half),
      convTranspose2d(channels, 3),
    ],
    likelihood: "bernoulli",
  };
}

function conv64(input: readonly number[], latent: number): ModelSpec {
  const [height, width, channels] = imageOf(input, "conv64", 16);
  const half = { ...relu, stride: 2 } as const;
  const small = [height / 16, width / 16, 256];
  return {
    input,
    encoder: [...[32, 64, 128, 256].map((filters) => conv2d(filters, 4, half)), flatten()],
    latent,
    decoder: [
      dense(product(small), relu),
      reshape(...small),
      ...[128, 64, 32].map((filters) => convTranspose2d(filters, 4, half)),
      convTranspose2d(channels, 4, { stride: 2 }),
    ],
    likelihood: "bernoulli",
  };
}

/**
 * Each makes a ModelSpec for examples of shape `input` with `latent` dimensions. Throws INVALID_SPEC.
 * mlp: PyTorch's basic VAE example (one hidden layer of 400; latent 20 there). mlp-deep: hidden layers of 256 and 128.
 * minimal: linear heads and a linear decoder. points: for points in the plane, a Gaussian with a learned sigma.
 * conv: the Keras example's convolutions of 32 and 64 channels (latent 2 there), for images with sides divisible by 4.
 * conv64: four convolutions of 32 to 256 channels, for sides divisible by 16, such as 64x64 pictures (Hou et al. 2017,
 * "Deep feature consistent variational autoencoder", without its perceptual loss; latent 100 there, 128 here).
 */
export const models = {
  /** Hidden layers of 400, as in PyTorch's example. */
  mlp: denseModel([400]),
  /** Hidden layers of 256 and 128. */
  "mlp-deep": denseModel([256, 128]),
  /** No hidden layer. */
  minimal: denseModel([]),
  /** For points in the plane: hidden layers of 20 and 10, a Gaussian with a learned sigma. */
  points: denseModel([20, 10], { type: "gaussian", variance: "learned" }),
  /** Convolutions of 32 and 64 channels, as in Keras's example, for images with sides divisible by 4. */
  conv,
  /** Four convolutions of 32 to 256 channels, for images with sides divisible by 16. */
  conv64,
} as const;

/** A ready-made model's name. */
export type ModelName = keyof typeof models;
