// From a ModelSpec to graphs: what is trained, evaluated, encoded and decoded. Pure: no GPU, no data.
import type { Graph, Node } from "./graph.js";
import { differentiate } from "./gradient.js";
import { adam, type AdamOptions } from "./ops/adam.js";
import { bernoulli, bernoulliSample } from "./ops/bernoulli.js";
import { gather, type GatherOptions } from "./ops/gather.js";
import { gaussian, gaussianSample } from "./ops/gaussian.js";
import { gradientNorm, totalNorm } from "./ops/gradient_norm.js";
import { linear } from "./ops/linear.js";
import { reparameterize, samplePrior } from "./ops/reparameterize.js";
import type { ResolvedDense, ResolvedSpec } from "./spec.js";
import { flatTensor, tensor, weightTensor, type Activation, type Tensor } from "./tensor.js";

/** One trainable tensor, how it begins, and under which names it is saved. */
export interface Parameter {
  readonly tensor: Tensor;
  readonly kind: "weight" | "bias" | "log_sigma";
  readonly fanIn: number;
  readonly fanOut: number;
  /**
   * Saved tensors: unpadded, in Keras's layouts. A tensor of two heads [in, 2, Z] is saved as two, each one index of
   * its second-to-last size.
   */
  readonly files: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** A spec's parameters, and the same laid out flat with their gradients and Adam's moments. */
export interface Model {
  readonly resolved: ResolvedSpec;
  readonly parameters: readonly Parameter[];
  readonly params: Tensor;
  readonly gradients: Tensor;
  readonly moment1: Tensor;
  readonly moment2: Tensor;
  /** log sigma of a Gaussian likelihood: a parameter, or fixed. */
  readonly logSigma?: Tensor;
}

export function defineModel(resolved: ResolvedSpec): Model {
  const { encoder, decoder, features, spec } = resolved;
  const parameters: Parameter[] = [];
  const layer = ({ path, inputs, outputs }: ResolvedDense) => {
    const fans = { fanIn: inputs, fanOut: outputs };
    const weight = weightTensor(`${path}.weight`, "param", [inputs], [outputs]);
    const bias = tensor(`${path}.bias`, "param", [outputs]);
    parameters.push({ tensor: weight, kind: "weight", ...fans, files: [{ name: weight.name, shape: weight.shape }] });
    parameters.push({ tensor: bias, kind: "bias", ...fans, files: [{ name: bias.name, shape: bias.shape }] });
  };
  encoder.forEach(layer);
  const fans = { fanIn: features, fanOut: spec.latent };
  const heads = (part: "weight" | "bias", shape: readonly number[]) =>
    ["mean", "log_variance"].map((head) => ({ name: `${head}.${part}`, shape }));
  parameters.push({
    tensor: weightTensor("heads.weight", "param", [features], [2, spec.latent]),
    kind: "weight",
    ...fans,
    files: heads("weight", [features, spec.latent]),
  });
  parameters.push({
    tensor: tensor("heads.bias", "param", [2, spec.latent]),
    kind: "bias",
    ...fans,
    files: heads("bias", [spec.latent]),
  });
  decoder.forEach(layer);
  const { likelihood } = spec;
  const gaussian = likelihood !== "bernoulli";
  const learned = gaussian && likelihood.variance === "learned";
  const logSigma = gaussian ? tensor("log_sigma", learned ? "param" : "state", [1]) : undefined;
  if (logSigma && learned) {
    const files = [{ name: logSigma.name, shape: [1] }];
    parameters.push({ tensor: logSigma, kind: "log_sigma", fanIn: 1, fanOut: 1, files });
  }
  const tensors = parameters.map((parameter) => parameter.tensor);
  const named = (prefix: string, role: "gradient" | "state") =>
    tensors.map((member) => ({ ...member, name: `${prefix}${member.name}`, role }));
  return {
    resolved,
    parameters,
    params: flatTensor("params", "param", tensors),
    gradients: flatTensor("gradients", "gradient", named("d", "gradient")),
    moment1: flatTensor("moment1", "state", named("moment1.", "state")),
    moment2: flatTensor("moment2", "state", named("moment2.", "state")),
    ...(logSigma ? { logSigma } : {}),
  };
}

/** The flat tensors of a model: one buffer each. */
export function flats(model: Model): readonly Tensor[] {
  return [model.params, model.gradients, model.moment1, model.moment2];
}

class Chain {
  readonly nodes: Node[];
  constructor(
    private readonly model: Model,
    nodes: readonly Node[] = [],
  ) {
    this.nodes = [...nodes];
  }

  output(node: Node, name: string): Tensor {
    this.nodes.push(node);
    const made = node.outputs[name];
    if (!made) throw new Error(`${node.op} has no output ${name}`);
    return made;
  }

  parameter(name: string): Tensor {
    const found = this.model.parameters.find(({ tensor }) => tensor.name === name);
    if (!found) throw new Error(`the model has no parameter ${name}`);
    return found.tensor;
  }

  linear(name: string, path: string, x: Tensor, activation: Activation): Tensor {
    const node = linear(name, x, this.parameter(`${path}.weight`), this.parameter(`${path}.bias`), activation);
    return this.output(node, "y");
  }

  encode(x: Tensor): Tensor {
    const features = this.model.resolved.encoder.reduce(
      (input, { path, activation }) => this.linear(`${path}.output`, path, input, activation),
      x,
    );
    return this.linear("heads", "heads", features, "none");
  }

  /** `last` replaces the last layer's activation: the sigmoid that turns logits into probabilities. */
  decode(z: Tensor, name: string, last?: Activation): Tensor {
    const { decoder } = this.model.resolved;
    return decoder.reduce((input, { path, activation }, index) => {
      const final = index === decoder.length - 1;
      return this.linear(final ? name : `${path}.output`, path, input, final ? (last ?? activation) : activation);
    }, z);
  }

  reconstruction(output: Tensor, x: Tensor, gradients: boolean): Tensor {
    const { logSigma } = this.model;
    const node = logSigma ? gaussian(output, x, logSigma, gradients) : bernoulli(output, x, gradients);
    return this.output(node, "reconstruction");
  }
}

const outputName = (model: Model) => (model.logSigma ? "mean" : "logits");
/** What a decoder's user sees: probabilities for a Bernoulli, the mean for a Gaussian. */
const visible = (model: Model): Activation | undefined => (model.logSigma ? undefined : "sigmoid");

/** Gather, encode, sample, decode, both terms of the ELBO: what training and evaluation share. */
function elbo(model: Model, data: Tensor, options: GatherOptions, gradients: boolean) {
  const chain = new Chain(model);
  const x = chain.output(gather(data, options), "x");
  const sampled = reparameterize(chain.encode(x));
  const z = chain.output(sampled, "z");
  const kl = sampled.outputs.kl;
  if (!kl) throw new Error("reparameterize gives no KL term");
  const reconstruction = chain.reconstruction(chain.decode(z, outputName(model)), x, gradients);
  return { nodes: chain.nodes, reconstruction, kl };
}

/** One training step: forward, ELBO, backward and Adam. */
export function trainingGraph(model: Model, data: Tensor, options: GatherOptions, optimizer: AdamOptions): Graph {
  const { nodes, reconstruction, kl } = elbo(model, data, options, true);
  const backward = differentiate({ nodes });
  const { params, gradients, moment1, moment2 } = model;
  const health = tensor("health", "state", [2]);
  const chain = new Chain(model, backward.nodes);
  const norms = chain.output(gradientNorm(gradients, reconstruction, kl, health), "norms");
  const clipped = optimizer.clipNorm > 0;
  const norm = clipped ? chain.output(totalNorm(norms), "norm") : tensor("norm", "state", [1]);
  chain.output(adam({ params, gradients, moment1, moment2, norm, health }, optimizer), "params");
  return { nodes: chain.nodes };
}

/** Both terms of the ELBO of a batch of `data`, in the data's own order. */
export function evaluationGraph(model: Model, data: Tensor, options: GatherOptions): Graph {
  return { nodes: elbo(model, data, options, false).nodes };
}

/** x [batch, D] to heads [batch, 2, Z]. */
export function encodingGraph(model: Model, data: Tensor, batch: number): Graph {
  const chain = new Chain(model);
  chain.encode(chain.output(gather(data, { batch }), "x"));
  return { nodes: chain.nodes };
}

/** z [batch, Z] to y [batch, D]: probabilities or means. */
export function decodingGraph(model: Model, batch: number): Graph {
  const chain = new Chain(model);
  chain.decode(tensor("z", "input", [batch, model.resolved.spec.latent]), "y", visible(model));
  return { nodes: chain.nodes };
}

/** Draws z [batch, Z] from the prior and decodes it to y [batch, D]; with `noise` y is a draw from p(x|z) too. */
export function samplingGraph(model: Model, batch: number, noise: boolean): Graph {
  const chain = new Chain(model);
  const z = chain.output(samplePrior(batch, model.resolved.spec.latent), "z");
  if (noise) {
    const output = chain.decode(z, outputName(model));
    chain.output(model.logSigma ? gaussianSample(output, model.logSigma) : bernoulliSample(output), "y");
  } else chain.decode(z, "y", visible(model));
  return { nodes: chain.nodes };
}

/** x [batch, D] to y [batch, D] through a draw of z or, without noise, through its mean. */
export function reconstructionGraph(model: Model, data: Tensor, batch: number, noise: boolean): Graph {
  const chain = new Chain(model);
  const x = chain.output(gather(data, { batch }), "x");
  const z = chain.output(reparameterize(chain.encode(x), noise), "z");
  chain.decode(z, "y", visible(model));
  return { nodes: chain.nodes };
}
