// Words from Keras and PyTorch, other spellings and typos: each error suggests the name used here.
import { activations } from "../../src/tensor.js";
import { describe, expect, it } from "vitest";
import { conv2d, dense, models, reshape, VAE, type ModelSpec } from "../../src/index.js";

import { resolveSpec } from "../../src/spec.js";
import { trainingOptions } from "../../src/training_options.js";
import { nearest } from "../../src/words.js";
import { fault } from "../support/fault.js";

const good: ModelSpec = { input: [4], encoder: [], latent: 2, decoder: [dense(4)], likelihood: "bernoulli" };
const refused = (more: object, message: RegExp) =>
  expect(() => resolveSpec({ ...good, ...more })).toThrow(fault("INVALID_SPEC", message));

describe("a likelihood", () => {
  const gaussian = /write \{ type: "gaussian", variance: "learned" \}/;
  const squares = /write \{ type: "gaussian", variance: 0\.5 \}, the sum of squared errors/;
  const bernoulli = /write "bernoulli", whose probabilities are sigmoids/;
  it.each<[string, RegExp]>([
    ["mse", squares],
    ["MSELoss", squares],
    ["l2", squares],
    ["mean_squared_error", squares],
    ["gaussian", gaussian],
    ["Normal", gaussian],
    ["GaussianNLLLoss", gaussian],
    ["bce", bernoulli],
    ["BCEWithLogitsLoss", bernoulli],
    ["binary_crossentropy", bernoulli],
    ["Bernoulli", bernoulli],
  ])("%s", (word, remedy) => {
    const found = new RegExp(`^likelihood: expected "bernoulli" or .*found .*${word}.*; ${remedy.source}`);
    refused({ likelihood: word }, found);
    refused({ likelihood: { type: word } }, word === "gaussian" ? /likelihood: variance must be "learned"/ : found);
  });

  it("unlike anything here gets no suggestion", () => {
    refused({ likelihood: "cauchy" }, /found "cauchy"$/);
    refused({ likelihood: 3 }, /found 3$/);
  });
});

describe("a layer", () => {
  it.each([
    ["Conv2D", "conv2d"],
    ["conv_2d", "conv2d"],
    ["nn.Conv2d", "conv2d"],
    ["convolution", "conv2d"],
    ["Conv2DTranspose", "conv_transpose2d"],
    ["ConvTranspose2d", "conv_transpose2d"],
    ["deconv", "conv_transpose2d"],
    ["Dense", "dense"],
    ["linear", "dense"],
    ["torch.nn.Linear", "dense"],
    ["maxpool", "max_pool2d"],
    ["MaxPool2d", "max_pool2d"],
    ["MaxPooling2D", "max_pool2d"],
    ["AvgPool2d", "avg_pool2d"],
    ["AveragePooling2D", "avg_pool2d"],
    ["UpSampling2D", "upsample2d"],
    ["Upsample", "upsample2d"],
    ["BatchNorm2d", "batch_norm"],
    ["tf.keras.layers.BatchNormalization", "batch_norm"],
    ["GroupNorm", "group_norm"],
    ["LayerNorm", "group_norm"],
    ["Dropout", "dropout"],
    ["Flatten", "flatten"],
    ["Unflatten", "reshape"],
  ])("of type %s: suggests %s", (type, known) => {
    refused({ encoder: [{ type }] }, new RegExp(`encoder\\.0: .*found "${type}"; did you mean "${known}"\\?$`));
  });

  it.each([
    [{ type: "dense", out_features: 3 }, "units"],
    [{ type: "conv2d", out_channels: 3 }, "filters"],
    [{ type: "conv2d", filters: 3, kernel_size: 3 }, "kernel"],
    [{ type: "conv2d", filters: 3, kernel: 3, strides: 2 }, "stride"],
    [{ type: "conv_transpose2d", filters: 3, kernel: 3, output_padding: 1 }, "outputPadding"],
    [{ type: "max_pool2d", pool_size: 2 }, "window"],
    [{ type: "max_pool2d", kernel_size: 2 }, "window"],
    [{ type: "upsample2d", scale_factor: 2 }, "factor"],
    [{ type: "upsample2d", size: 2 }, "factor"],
    [{ type: "batch_norm", eps: 1e-3 }, "epsilon"],
    [{ type: "group_norm", num_groups: 1 }, "groups"],
    [{ type: "dropout", p: 0.5 }, "rate"],
    [{ type: "reshape", target_shape: [2, 2, 1] }, "shape"],
  ])("%j: suggests %s", (layer, known) => {
    refused({ encoder: [layer] }, new RegExp(`encoder\\.0: unknown key .*; did you mean "${known}"\\?$`));
  });

  it("of an unknown type gets only the list", () => refused({ encoder: [{ type: "LSTM" }] }, /found "LSTM"$/));
});

it.each([
  ["ReLU", "relu"],
  ["nn.ReLU", "relu"],
  ["rely", "relu"],
  ["LeakyReLU", "leaky_relu"],
  ["leakyrelu", "leaky_relu"],
  ["Sigmoid", "sigmoid"],
  ["SiLU", "silu"],
  ["swish", "silu"],
  ["Softplus", "softplus"],
  ["linear", "none"],
  ["identity", "none"],
])("activation %s: suggests %s", (activation, known) => {
  const layer = { type: "dense", units: 4, activation };
  refused({ encoder: [layer] }, new RegExp(`activation: .*found "${activation}"; did you mean "${known}"\\?$`));
});

it("softmax is nothing like softplus", () => {
  refused({ encoder: [{ type: "dense", units: 4, activation: "softmax" }] }, /softplus, found "softmax"$/);
});

it.each([
  [{ latent_dim: 2 }, "latent"],
  [{ latents: 2 }, "latent"],
  [{ input_shape: [4] }, "input"],
  [{ loss: "mse" }, "likelihood"],
])("the spec's %j: suggests %s", (more, known) => {
  refused(more, new RegExp(`the model spec: unknown key .*; did you mean "${known}"\\?$`));
});

it.each([
  [{ lr: 1e-3 }, "learningRate"],
  [{ learning_rate: 1e-3 }, "learningRate"],
  [{ batch_size: 32 }, "batchSize"],
  [{ epoch: 3 }, "epochs"],
  [{ klWeight: 3 }, "beta"],
  [{ weight_decay: 0.1 }, "weightDecay"],
  [{ validation_data: {} }, "test"],
])("train's %j: suggests %s", (options, known) => {
  const message = new RegExp(`train: unknown key .*; did you mean "${known}"\\?$`);
  expect(() => trainingOptions(options as object)).toThrow(fault("INVALID_OPTION", message));
});

it("create's initialization, with the other spelling", async () => {
  const options = { initialization: "torch" } as object;
  await expect(VAE.create(models.points([2], 2), options)).rejects.toEqual(
    fault("INVALID_OPTION", /unknown key "initialization".*; did you mean "initialisation"\?$/),
  );
});

describe("a series", () => {
  it.each<[number[], RegExp]>([
    [
      [187],
      /encoder\.0 \(conv2d\): needs an image.* \[187\]\. A reshape makes one; a series is \[187, 1, 1\], with kernels \[k, 1\]$/,
    ],
    [[187, 1], /a series is \[187, 1, 1\], with kernels \[k, 1\]$/],
    [[187, 12], /a series is \[187, 1, 12\], with kernels \[k, 1\], and a grey image \[187, 12, 1\]$/],
  ])("of shape %j", (input, message) => refused({ input, encoder: [conv2d(8, 3)] }, message));

  it("with the kernels of an image", () => {
    const encoder = [conv2d(8, 3, { padding: "valid" })];
    refused({ input: [187, 1, 1], encoder }, /a window of 3 is larger than the image's width 1; .*write \[k, 1\]$/);
  });

  it("as suggested is a valid model", () => {
    const encoder = [conv2d(8, [7, 1], { stride: [2, 1] }), conv2d(8, [7, 1], { stride: [2, 1] })];
    expect(resolveSpec({ ...good, input: [187, 1, 1], encoder, decoder: [dense(187)] }).features).toEqual([47, 1, 8]);
  });

  it("turned into an image too late", () => {
    refused({ decoder: [dense(4), conv2d(1, 1)] }, /decoder\.1 \(conv2d\): needs an image.*\. A reshape makes one$/);
    refused({ decoder: [dense(6), reshape(2, 2, 1)] }, /cannot make .* \(6 values\); put a dense\(4\) before it$/);
  });
});

it("a known name is nearest to itself, and a non-word is near to nothing", () => {
  for (const name of activations) expect(nearest(name, activations)).toBe(name);
  for (const odd of ["", "  ", "?", "x", undefined, null, 3, {}, "z".repeat(1e6)]) {
    expect(nearest(odd, activations)).toBeUndefined();
  }
});
