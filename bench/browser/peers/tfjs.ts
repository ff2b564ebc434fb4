// TensorFlow.js: its core's fused products and its own Adam, in production mode, with each step in one tidy.
import * as tf from "@tensorflow/tfjs";
import { modelSteps, outputShape, type ConvStep, type DenseStep, type LayerStep } from "../layers.js";
import type { Material, PageMemory, Peer } from "../protocol.js";
import { looped } from "./loop.js";

export async function openOn(material: Material, detail = () => ""): Promise<Peer> {
  tf.enableProdMode();
  if (!(await tf.setBackend(material.backend))) throw new Error(`tfjs has no backend ${material.backend} here`);
  await tf.ready();
  const { job } = material;
  const { encoder, mean, logVariance, decoder, input } = modelSteps(job.spec);
  const variables = new Map(
    [...material.weights].map(([name, { values, shape }]) => [name, tf.variable(tf.tensor(values, [...shape]))]),
  );
  const weight = (name: string) => {
    const found = variables.get(name);
    if (!found) throw new Error(`no weight ${name}`);
    return found;
  };
  const images = Float32Array.from(material.images, (byte) => byte / 255);
  const x = tf.tensor(images, [job.batch, ...input]);
  const target = x.reshape([job.batch, ...outputShape(decoder.at(-1)!)]);
  const noise = material.noise.map((values) => tf.tensor2d(values, [job.batch, job.spec.latent]));
  const run = (steps: readonly LayerStep[], from: tf.Tensor) =>
    steps.reduce((value, step) => apply(step, value, weight), from);

  const loss = (index: number): tf.Scalar => {
    const features = run(encoder, x);
    const mu = apply(mean, features, weight);
    const s = apply(logVariance, features, weight);
    const z = mu.add(
      s
        .mul(0.5)
        .exp()
        .mul(noise[index % noise.length]!),
    );
    const logits = run(decoder, z);
    // softplus(a) - a x is the cross-entropy, with fewer kernels than tf.losses.sigmoidCrossEntropy.
    const reconstruction = logits.softplus().sub(logits.mul(target)).sum();
    const kl = mu.square().add(s.exp()).sub(s).sub(1).sum().mul(0.5);
    return reconstruction.add(kl).div(job.batch);
  };
  const optimizer = tf.train.adam(job.learningRate, 0.9, 0.999, 1e-8);
  const trained = [...variables.values()];
  return looped<tf.Scalar>({
    dataBytes: images.byteLength, // the target is a view of them
    memory: () => memoryOf(material.backend),
    detail: detail(),
    step: (index) => optimizer.minimize(() => loss(index), true, trained)!,
    // Commands run in the order they were queued, and the copy of the loss comes after the step's Adam.
    settle: async (value) => void (await value.data()),
    read: async (value) => (await value.data())[0] ?? NaN,
    release: (value) => value.dispose(),
    dispose: () => {
      optimizer.dispose();
      tf.dispose([...trained, x, target, ...noise]);
    },
  });
}

function memoryOf(backend: string): Partial<PageMemory> {
  // Freed textures are kept for the next tensor of the same size.
  const memory = tf.memory() as tf.MemoryInfo & { numBytesInGPUAllocated?: number };
  if (backend === "webgl") return { gpuBytes: memory.numBytesInGPUAllocated ?? null };
  return backend === "cpu" ? { hostBytes: memory.numBytes } : {};
}

function apply(step: LayerStep, value: tf.Tensor, weight: (name: string) => tf.Variable): tf.Tensor {
  switch (step.kind) {
    case "reshape":
      return value.reshape([-1, ...step.to]);
    case "dense":
      return activate(dense(step, value, weight), step.activation);
    default:
      return activate(convolve(step, value as tf.Tensor4D, weight), step.activation);
  }
}

// With a linear activation the product and the bias are one kernel; with any other, tfjs splits them during training.
function dense(step: DenseStep, value: tf.Tensor, weight: (name: string) => tf.Variable): tf.Tensor {
  const a = value.rank === 2 ? value : value.reshape([-1, step.inputs]);
  return tf.fused.matMul({ a, b: weight(`${step.path}.weight`), bias: weight(`${step.path}.bias`) });
}

function convolve(step: ConvStep, value: tf.Tensor4D, weight: (name: string) => tf.Variable): tf.Tensor {
  const filter = weight(`${step.path}.weight`) as tf.Variable<tf.Rank.R4>;
  const bias = weight(`${step.path}.bias`);
  const strides: [number, number] = [...step.stride];
  const [top, bottom, left, right] = step.padding;
  const pad =
    step.named ??
    ([
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ] as [number, number][]);
  if (step.kind === "conv2d") {
    return tf.fused.conv2d({ x: value, filter, strides, pad: pad as "same", bias });
  }
  const size: [number, number, number, number] = [value.shape[0], ...step.to];
  return tf.conv2dTranspose(value, filter, size, strides, pad as "same").add(bias);
}

function activate(value: tf.Tensor, activation: DenseStep["activation"]): tf.Tensor {
  switch (activation) {
    case "none":
      return value;
    case "relu":
      return value.relu();
    case "elu":
      return value.elu();
    case "tanh":
      return value.tanh();
    case "sigmoid":
      return value.sigmoid();
    case "softplus":
      return value.softplus();
    case "silu":
      return value.mul(value.sigmoid());
    default:
      throw new Error(`the comparison does not support activation ${activation} in tfjs`);
  }
}
