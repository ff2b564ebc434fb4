// jax-js: forward, backward and Adam in one jit. Images are NCHW, the layout of its convolutions; weights are converted
// once, on the host, so that no step transposes anything.
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { modelSteps, type ConvStep, type DenseStep } from "../layers.js";
import { COMPARED_STEPS, threads, type OpenPeer } from "../protocol.js";
import { channelsFirst, channelsFirstSteps, spreadPadding, type OrderedStep } from "./channels_first.js";
import { looped } from "./loop.js";

type Params = { [name: string]: np.Array };

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

export const open: OpenPeer = async (material) => {
  const device = material.backend as "webgpu" | "wasm";
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no device ${device} here`);
  defaultDevice(device);
  const { job } = material;
  const model = channelsFirstSteps(modelSteps(job.spec));
  const array = (values: Float32Array<ArrayBuffer>, shape: readonly number[]) => np.array(values).reshape([...shape]);
  let params: Params = {};
  for (const step of [...model.encoder, model.mean, model.logVariance, ...model.decoder]) {
    if (step.kind === "reshape") continue;
    for (const { name, values, shape } of step.weights(material.weights)) params[name] = array(values, shape);
  }
  const zeros = (): Params =>
    Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, np.zeros(shape)]));
  let moment1 = zeros();
  let moment2 = zeros();
  const images = Float32Array.from(material.images, (byte) => byte / 255);
  const placed = (first: boolean) =>
    first
      ? array(channelsFirst(images, job.batch, job.spec.input), [job.batch, ...toFirst(job.spec.input)])
      : array(images, [job.batch, images.length / job.batch]);
  const x = placed(model.inputFirst);
  const target = placed(model.outputFirst);
  const noise = material.noise.map((values) => array(values, [job.batch, job.spec.latent]));
  const { learningRate, batch } = job;
  // Adam's bias corrections, as scalars on the device, so that no step uploads anything. After the steps whose losses
  // are compared, they no longer change.
  const corrections = Array.from({ length: COMPARED_STEPS }, (_, i) => ({
    first: np.array(learningRate / (1 - BETA1 ** (i + 1))),
    second: np.array(1 / (1 - BETA2 ** (i + 1))),
  }));

  const loss = (weights: Params, images: np.Array, wanted: np.Array, draws: np.Array): np.Array => {
    const run = (steps: readonly OrderedStep[], from: np.Array) =>
      steps.reduce((value, step) => apply(step, value, weights), from);
    const features = run(model.encoder, images);
    const mu = apply(model.mean, features.ref, weights);
    const s = apply(model.logVariance, features, weights);
    const z = mu.ref.add(np.exp(s.ref.mul(0.5)).mul(draws));
    const logits = run(model.decoder, z);
    const reconstruction = nn.softplus(logits.ref).sub(logits.mul(wanted)).sum();
    const kl = np.square(mu).add(np.exp(s.ref)).sub(s).sub(1).sum().mul(0.5);
    return reconstruction.add(kl).div(batch);
  };
  const train = jit(
    (
      weights: Params,
      first: Params,
      second: Params,
      images: np.Array,
      wanted: np.Array,
      draws: np.Array,
      rate: np.Array,
      correction: np.Array,
    ): [np.Array, Params, Params, Params] => {
      const [value, gradients] = valueAndGrad(loss)(tree.ref(weights), images, wanted, draws);
      const next: [Params, Params, Params] = [{}, {}, {}];
      for (const name of Object.keys(weights)) {
        const g = gradients[name] as np.Array;
        const m = first[name]!.mul(BETA1).add(g.ref.mul(1 - BETA1));
        const v = second[name]!.mul(BETA2).add(np.square(g).mul(1 - BETA2));
        const scale = np.sqrt(v.ref.mul(correction.ref)).add(EPSILON);
        next[0][name] = weights[name]!.sub(m.ref.mul(rate.ref).div(scale));
        next[1][name] = m;
        next[2][name] = v;
      }
      rate.dispose();
      correction.dispose();
      return [value, ...next];
    },
  );

  const count = typeof SharedArrayBuffer === "undefined" ? 1 : navigator.hardwareConcurrency;
  return looped<np.Array>({
    dataBytes: 2 * images.byteLength,
    detail: device === "wasm" ? threads(count) : "",
    step: (index) => {
      const { first, second } = corrections[Math.min(index, COMPARED_STEPS - 1)]!;
      const draws = noise[index % noise.length]!;
      const result = train(params, moment1, moment2, x.ref, target.ref, draws.ref, first.ref, second.ref);
      const [value] = result;
      [, params, moment1, moment2] = result;
      return value;
    },
    settle: async (value) => {
      await blockUntilReady([value, params]);
    },
    read: async (value) => ((await value.ref.data()) as Float32Array)[0] ?? NaN,
    release: (value) => value.dispose(),
  });
};

const toFirst = (shape: readonly number[]) => [shape[2] ?? 1, shape[0] ?? 1, shape[1] ?? 1];

function apply(step: OrderedStep, value: np.Array, weights: Params): np.Array {
  if (step.kind === "reshape") return value.reshape([-1, ...step.to]);
  const weight = weights[`${step.path}.weight`]!.ref;
  const bias = weights[`${step.path}.bias`]!.ref;
  const linear =
    step.kind === "dense" ? np.dot(value.reshape([-1, step.inputs]), weight) : convolve(step, value, weight);
  return activate(linear.add(bias), step.activation);
}

function convolve(step: ConvStep, value: np.Array, weight: np.Array): np.Array {
  const [top, bottom, left, right] = step.padding;
  if (step.kind === "conv2d") {
    return lax.convGeneralDilated(
      value,
      weight,
      [...step.stride],
      [
        [top, bottom],
        [left, right],
      ],
    );
  }
  return lax.convGeneralDilated(value, weight, [1, 1], spreadPadding(step), {
    lhsDilation: [...step.stride],
  });
}

function activate(value: np.Array, activation: DenseStep["activation"]): np.Array {
  switch (activation) {
    case "none":
      return value;
    case "relu":
      return nn.relu(value);
    case "leaky_relu":
      return nn.leakyRelu(value);
    case "elu":
      return nn.elu(value);
    case "silu":
      return nn.silu(value);
    case "gelu":
      return nn.gelu(value);
    case "tanh":
      return np.tanh(value);
    case "sigmoid":
      return nn.sigmoid(value);
    case "softplus":
      return nn.softplus(value);
  }
}
