// Every public call with valid arguments: its first argument and each of its options. A walk replaces them with other
// values.
import * as datasets from "../../src/datasets.js";
import { describe } from "../../src/describe.js";
import {
  avgPool2d,
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  groupNorm,
  models,
  reshape,
  residual,
  upsample2d,
  VAE,
  type Condition,
  type Dataset,
  type ModelSpec,
  type Objective,
  type Prior,
  type TrainingReport,
} from "../../src/index.js";
import { npyBytes } from "../support/npy.js";
import { data, spec } from "./vae_calls.js";

/** What the calls in a case use. */
export interface Place {
  readonly device: GPUDevice;
  readonly vae: VAE;
  readonly signal: AbortSignal;
  /** A file with its training state. */
  readonly saved: Uint8Array;
}

export interface Door {
  /** The argument before the options, if any. */
  readonly first?: (place: Place) => unknown;
  /** Each option with a valid value; required ones keep it while another option is tried. */
  readonly options?: (place: Place) => Readonly<Record<string, unknown>>;
  /** The `options` that are set in every case, unless they are being replaced. */
  readonly always?: readonly string[];
  /** Not an option but a field of a caller's object, which may be of a class and inherit it. */
  readonly inherits?: boolean;
  /** Wild values that are valid but take long. */
  readonly fair?: readonly string[];
  readonly call: (place: Place, first: unknown, options: unknown) => unknown;
}

const few = datasets.take(data, 10);
const COPY = 0x04 | 0x08; // GPUBufferUsage.COPY_SRC | COPY_DST

/** Only the first reports, because a run may be of any length. */
async function begin(run: AsyncGenerator<TrainingReport, void>): Promise<void> {
  let reports = 0;
  for await (const report of run) {
    void report;
    if (++reports === 2) break;
  }
}

/** For its adam: an object in the options, tested separately. */
const adam = { beta1: 0.8, beta2: 0.99, epsilon: 1e-7 };
const training = ({ signal }: Place) => ({
  ...{ epochs: 1, steps: 2, batchSize: 32, dropLast: true, maxSkipped: 4, learningRate: 1e-3, beta: 0.5, noise: 0.5 },
  ...{
    objective: "elbo",
    optimizer: "adamw",
    weightDecay: 0.1,
    adam,
    clipNorm: 1,
    precision: "f32",
    shuffle: false,
    binarise: false,
  },
  ...{ test: few, submitMs: 5, signal },
});

const opening = ({ device, signal }: Place) => ({
  ...{
    device,
    seed: 3,
    initialisation: "glorot",
    tuning: false,
    powerPreference: "low-power",
    signal,
    timeoutMs: 60_000,
  },
  gpu: { requestAdapter: () => Promise.resolve(null) },
});

const into = ({ device }: Place) => device.createBuffer({ size: 4 * 6 * 10, usage: COPY });
const drawing = (place: Place) => ({ noise: true, seed: 4, signal: place.signal, to: into(place) });
const evaluating = ({ signal }: Place) => ({ seed: 5, samples: 2, binarise: false, signal });
const generated = () => ({ split: "train", count: 3, seed: 1 });
const pictures = () => [{ width: 2, height: 2, data: new Uint8ClampedArray(16) }];
const npy = () => npyBytes([2, 3], Float32Array.from([1, 2, 3, 4, 5, 6]));
const idx = () => Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4]);
const noFetch = () => Promise.reject(new Error("there is no network"));

const made = async (promise: Promise<VAE>) => (await promise).dispose();
/** A caller's object, in which each field is tried in turn. */
const fields = (of: object): Pick<Door, "options" | "always" | "inherits"> => ({
  options: () => ({ ...of }),
  always: Object.keys(of),
  inherits: true,
});
/** A layer's fields, in a model around it. */
const layerDoor = (layer: object, input: readonly number[] = [8, 8, 2]): Door => ({
  ...fields(layer),
  call: (_, _first, given) =>
    describe({
      input,
      encoder: [given],
      latent: 2,
      decoder: [dense(128), reshape(8, 8, 2)],
      likelihood: "bernoulli",
    } as unknown as ModelSpec),
});

export const doors: Readonly<Record<string, Door>> = {
  "VAE.create": {
    first: () => spec,
    options: opening,
    always: ["device", "tuning"],
    call: (_, first, options) => made(VAE.create(first as ModelSpec, options as object)),
  },
  "VAE.create, its spec": {
    ...fields(spec),
    call: ({ device }, _, given) => made(VAE.create(given as ModelSpec, { device, tuning: false })),
  },
  "VAE.load": {
    first: ({ saved }) => saved,
    options: (place) => {
      const { initialisation, ...rest } = opening(place);
      void initialisation;
      return { ...rest, spec };
    },
    always: ["device", "tuning"],
    call: (_, first, options) => made(VAE.load(first as Uint8Array, options as object)),
  },
  train: {
    first: () => data,
    options: training,
    always: ["steps"],
    call: ({ vae }, first, options) => begin(vae.train(first as Dataset, options as object)),
  },
  "train, its adam": {
    options: () => adam,
    call: ({ vae }, _, given) => begin(vae.train(data, { steps: 1, adam: given as object })),
  },
  "train, its objective": {
    ...fields({ type: "iwae", samples: 2 }),
    call: ({ vae }, _, given) => begin(vae.train(data, { steps: 1, objective: given as Objective })),
  },
  elbo: {
    first: () => few,
    options: evaluating,
    call: ({ vae }, first, options) => vae.elbo(first as Dataset, options as object),
  },
  "elbo, its data set": { ...fields(few), call: ({ vae }, _, given) => vae.elbo(given as Dataset) },
  score: {
    first: () => few,
    options: evaluating,
    call: ({ vae }, first, options) => vae.score(first as Dataset, options as object),
  },
  logLikelihood: {
    first: () => few,
    options: evaluating,
    call: ({ vae }, first, options) => vae.logLikelihood(first as Dataset, options as object),
  },
  "describe, its prior": {
    ...fields({ type: "mixture", components: 2 }),
    call: (_, _first, given) => describe({ ...spec, prior: given as Prior }),
  },
  "describe, its condition": {
    ...fields({ type: "label", classes: 3 }),
    call: (_, _first, given) => describe({ ...spec, condition: given as Condition }),
  },
  sample: {
    first: () => 3,
    options: drawing,
    call: ({ vae }, first, options) => vae.sample(first as number, options as object),
  },
  reconstruct: {
    first: () => few,
    options: drawing,
    call: ({ vae }, first, options) => vae.reconstruct(first as Dataset, options as object),
  },
  encode: {
    first: () => new Float32Array(12),
    options: ({ signal }) => ({ signal }),
    call: ({ vae }, first, options) => vae.encode(first as Float32Array, options as object),
  },
  decode: {
    first: () => new Float32Array(4),
    options: (place) => ({ signal: place.signal, to: into(place) }),
    call: ({ vae }, first, options) => vae.decode(first as Float32Array, options as object),
  },
  "decode, from a buffer": {
    options: (place) => ({ buffer: into(place), count: 2 }),
    always: ["buffer", "count"],
    inherits: true,
    call: ({ vae }, _, given) => vae.decode(given as Float32Array),
  },
  save: {
    options: () => ({ trainingState: false, part: "decoder", precision: "f16" }),
    call: ({ vae }, _, options) => vae.save(options as object),
  },
  "weights.get": { first: () => "mean.bias", call: ({ vae }, first) => vae.weights.get(first as string) },
  "weights.set": {
    first: () => [0.5, -0.5],
    call: ({ vae }, first) => vae.weights.set("mean.bias", first as number[]),
  },
  "weights.set, its name": {
    first: () => "mean.bias",
    call: ({ vae }, first) => vae.weights.set(first as string, [0.5, -0.5]),
  },
  describe: { ...fields(spec), call: (_, _first, given) => describe(given as ModelSpec) },
  "models.mlp": {
    first: () => [6],
    call: (_, first) => describe(models.mlp(first as number[], 2)),
  },
  "models.mlp, its latent": { first: () => 2, call: (_, first) => describe(models.mlp([6], first as number)) },
  "models.conv": { first: () => [8, 8, 1], call: (_, first) => describe(models.conv(first as number[], 2)) },
  dense: layerDoor(dense(4, { activation: "relu" })),
  conv2d: layerDoor(conv2d(4, 3, { activation: "relu", stride: 2, padding: "same" })),
  convTranspose2d: layerDoor(convTranspose2d(4, 3, { activation: "relu", stride: 2, padding: "same" })),
  avgPool2d: layerDoor(avgPool2d(2)),
  upsample2d: layerDoor(upsample2d(2)),
  batchNorm: layerDoor(batchNorm()),
  groupNorm: layerDoor(groupNorm(2)),
  dropout: layerDoor(dropout(0.5)),
  residual: layerDoor(residual([conv2d(2, 3)])),
  digits: {
    options: generated,
    always: ["split", "count", "seed"],
    call: (_, _first, options) => datasets.digits(options as never),
  },
  sprites: {
    options: generated,
    always: ["split", "count", "seed"],
    call: (_, _first, options) => datasets.sprites(options as never),
  },
  gaussians: {
    options: () => ({ ...generated(), variant: "ring" }),
    always: ["split", "count", "seed"],
    fair: ["1e9"],
    call: (_, _first, options) => datasets.gaussians(options as never),
  },
  take: { first: () => data, call: (_, first) => datasets.take(first as Dataset, 3) },
  "take, its count": { first: () => 3, call: (_, first) => datasets.take(data, first as number) },
  standardise: {
    first: () => data,
    options: () => ({ like: { means: new Array(6).fill(0), scales: new Array(6).fill(2) } }),
    call: (_, first, options) => datasets.standardise(first as Dataset, options as object),
  },
  fromArray: {
    first: () => new Float32Array(12),
    options: () => ({ shape: [6], labels: [1, 2], name: "mine", count: 2, scale: 2 }),
    always: ["shape"],
    call: (_, first, options) => datasets.fromArray(first as Float32Array, options as never),
  },
  fromImageData: {
    first: pictures,
    options: () => ({ channels: 1, background: 0, labels: [1], name: "mine" }),
    always: ["channels"],
    call: (_, first, options) => datasets.fromImageData(first as never, options as never),
  },
  fromNpy: {
    first: npy,
    options: () => ({ labels: npyBytes([2], Uint8Array.of(1, 2)), name: "mine", channels: "last", scale: 2 }),
    call: (_, first, options) => datasets.fromNpy(first as Uint8Array, options as object),
  },
  imagesFromIdx: {
    options: () => ({ images: idx(), labels: Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 1, 7]), name: "mine" }),
    always: ["images", "name"],
    call: (_, _first, options) => datasets.imagesFromIdx(options as never),
  },
  mnist: {
    options: ({ signal }) => ({
      split: "test",
      baseUrl: "http://127.0.0.1:9",
      fetch: noFetch,
      signal,
      onProgress: () => {},
    }),
    always: ["split", "fetch"],
    call: (_, _first, options) => datasets.mnist(options as never),
  },
};
