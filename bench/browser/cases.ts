// What is compared: models by name, each with the batch size that it is trained with where none is asked for.
import { models } from "../../src/index.js";
import type { LayerJson, SpecJson } from "./layers.js";

const conv2d = (filters: number, kernel: number, stride: number, activation = "relu"): LayerJson => ({
  type: "conv2d",
  filters,
  kernel,
  stride,
  activation,
});
const convTranspose2d = (filters: number, kernel: number, stride: number, activation = "relu"): LayerJson => ({
  ...conv2d(filters, kernel, stride, activation),
  type: "conv_transpose2d",
});
const dense = (units: number, activation = "relu"): LayerJson => ({ type: "dense", units, activation });

const conv: SpecJson = {
  input: [28, 28, 1],
  encoder: [conv2d(32, 3, 2), conv2d(64, 3, 2), dense(16)],
  latent: 2,
  decoder: [
    dense(7 * 7 * 64),
    { type: "reshape", shape: [7, 7, 64] },
    convTranspose2d(64, 3, 2),
    convTranspose2d(32, 3, 2),
    convTranspose2d(1, 3, 1, "none"),
  ],
  likelihood: "bernoulli",
};

const conv64: SpecJson = {
  input: [64, 64, 3],
  encoder: [conv2d(32, 4, 2), conv2d(64, 4, 2), conv2d(128, 4, 2), conv2d(256, 4, 2)],
  latent: 128,
  decoder: [
    dense(4 * 4 * 256),
    { type: "reshape", shape: [4, 4, 256] },
    convTranspose2d(128, 4, 2),
    convTranspose2d(64, 4, 2),
    convTranspose2d(32, 4, 2),
    convTranspose2d(3, 4, 2, "none"),
  ],
  likelihood: "bernoulli",
};

export interface ComparedModel {
  readonly spec: SpecJson;
  readonly batch: number;
}

export const comparedModels: Readonly<Record<string, ComparedModel>> = {
  mlp: { spec: models.mlp([28, 28, 1], 20) as SpecJson, batch: 128 },
  conv: { spec: conv, batch: 32 },
  conv64: { spec: conv64, batch: 16 },
};
