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

/** Convolutions with a stride of 2, and transposed ones that undo them. The last one has the stride `last`. */
function imageModel(
  input: readonly number[],
  latent: number,
  [height, width, channels]: readonly [number, number, number],
  kernel: number,
  {
    down,
    units = [],
    up,
    last,
  }: Readonly<Record<"down" | "up", readonly number[]> & { units?: number[]; last: number }>,
): ModelSpec {
  const half = { ...relu, stride: 2 } as const;
  const times = 2 ** down.length;
  const small = [height / times, width / times, down.at(-1)!];
  return {
    input,
    encoder: [
      ...down.map((filters) => conv2d(filters, kernel, half)),
      flatten(),
      ...units.map((count) => dense(count, relu)),
    ],
    latent,
    decoder: [
      dense(product(small), relu),
      reshape(...small),
      ...up.map((filters) => convTranspose2d(filters, kernel, half)),
      convTranspose2d(channels, kernel, last > 1 ? { stride: last } : {}),
    ],
    likelihood: "bernoulli",
  };
}

// Sixteen units are enough for Keras's two latents; larger latent spaces get the article's wider layer.
const conv = (input: readonly number[], latent: number): ModelSpec =>
  imageModel(input, latent, imageOf(input, "conv", 4), 3, {
    ...{ down: [32, 64], units: [latent <= 16 ? 16 : 64], up: [64, 32], last: 1 },
  });

const conv64 = (input: readonly number[], latent: number): ModelSpec =>
  imageModel(input, latent, imageOf(input, "conv64", 16), 4, {
    ...{ down: [32, 64, 128, 256], up: [128, 64, 32], last: 2 },
  });

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
