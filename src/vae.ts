// From a ModelSpec to graphs: what is trained, evaluated, encoded and decoded. Pure: no GPU, no data.
import { prune } from "./fuse.js";
import { ONE, type Graph, type Node, type Term } from "./graph.js";
import { differentiate } from "./gradient.js";
import type { Builder, ResolvedLayer } from "./layers/definition.js";
import { typeOf } from "./layers/index.js";
import { adam, storeWeights, type AdamOptions } from "./ops/adam.js";
import { dataTensor, gather, type GatherOptions } from "./ops/gather.js";
import { gradientNorm, totalNorm } from "./ops/gradient_norm.js";
import { further } from "./ops/index.js";
import { linear } from "./ops/linear.js";
import { reparameterize, samplePrior } from "./ops/reparameterize.js";
import type { Model } from "./parameters.js";
import { HALF_WEIGHTS, size, tensor, type Activation, type Tensor } from "./tensor.js";

/** Collects nodes in order; each reads what earlier ones made. */
export class Chain implements Builder {
  readonly nodes: Node[];
  /** Nodes that run once a step's health is known. */
  readonly updates: ((health: Tensor) => Node)[] = [];
  /** Dropouts so far, so that each draws different numbers. */
  dropouts = 0;
  constructor(
    private readonly model: Model,
    readonly training = false,
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
    const { parameters, statistics } = this.model;
    const found = [...parameters, ...statistics].find(({ tensor }) => tensor.name === name);
    if (!found) throw new Error(`no parameter is named ${name}`);
    return found.tensor;
  }

  /** Adds the nodes of `layer` for input x, and returns its output, named `name`. */
  layer(layer: ResolvedLayer, x: Tensor, name: string, activation = layer.activation): Tensor {
    const type = typeOf(layer);
    if (!type.build) throw new Error(`${layer.path}: the code of ${layer.type} is not loaded`);
    return type.build(this, layer, x, name, activation);
  }

  layers(layers: readonly ResolvedLayer[], x: Tensor): Tensor {
    return layers.reduce((input, layer) => this.layer(layer, input, `${layer.path}.output`), x);
  }

  /** Adds nodes of which the last makes what the layer gives. */
  last(nodes: readonly Node[]): Tensor {
    this.nodes.push(...nodes.slice(0, -1));
    const [end] = nodes.slice(-1);
    if (!end) throw new Error("a layer without a node");
    return this.output(end, "y");
  }

  encode(x: Tensor): Tensor {
    const features = this.layers(this.model.resolved.encoder, x);
    return this.output(linear("heads", features, this.parameter("heads.weight"), this.parameter("heads.bias")), "y");
  }

  /** `last` replaces the last layer's activation: the sigmoid that turns logits into probabilities. */
  decode(z: Tensor, name: string, last?: Activation): Tensor {
    const { decoder } = this.model.resolved;
    // A reshape may follow what makes the logits; the logits are then what it makes of them.
    const final = decoder.findLastIndex(({ type }) => type !== "reshape");
    return decoder.reduce((input, layer, index) => {
      const made = index === decoder.length - 1 ? name : `${layer.path}.output`;
      return this.layer(layer, input, made, index === final ? (last ?? layer.activation) : layer.activation);
    }, z);
  }

  /** Examples that come from outside, as the first layer takes them. */
  examples(batch: number): Tensor {
    return this.output(gather(exampleInput(this.model, batch), { batch }, this.model.resolved.layout), "x");
  }

  /** Images end to end, [batch * D], where their pixels are stored with padded channels. */
  unpadded(y: Tensor): void {
    const padded = y.shape.length > 2 && y.shape.at(-1) !== y.storage.at(-1);
    // Only image layers make padded outputs, and they are loaded together with this op.
    if (padded) this.nodes.push(further!.reshapeCopy("examples", y, [size(y.shape)]));
  }

  reconstruction(output: Tensor, x: Tensor): Tensor {
    const { type, tensor } = this.model.likelihood;
    return this.output(type.loss(output, x, tensor), "reconstruction");
  }
}

const outputName = ({ likelihood }: Model) => likelihood.type.output;
/** What a decoder's user sees: the mean of x, probabilities for a Bernoulli. */
const visible = ({ likelihood }: Model): Activation | undefined => likelihood.type.link;

/** Gather, encode, sample, decode, both terms of the ELBO: what training and evaluation share. */
function elbo(model: Model, data: Tensor, options: GatherOptions, training: boolean) {
  const chain = new Chain(model, training);
  const x = chain.output(gather(data, options, model.resolved.layout), "x");
  const sampled = reparameterize(chain.encode(x));
  const z = chain.output(sampled, "z");
  const kl = sampled.outputs.kl;
  if (!kl) throw new Error("reparameterize gives no KL term");
  const reconstruction = chain.reconstruction(chain.decode(z, outputName(model)), x);
  const terms: Term[] = [
    { name: "reconstruction", value: reconstruction, knob: ONE },
    { name: "kl", value: kl, knob: "beta" },
  ];
  return { nodes: chain.nodes, terms, updates: chain.updates, reconstruction, kl };
}

/**
 * One training step: forward, ELBO, backward, running statistics and Adam; with `half` Adam keeps the weights' copy in
 * f16 too.
 */
export function trainingGraph(
  model: Model,
  data: Tensor,
  options: GatherOptions,
  optimizer: AdamOptions,
  half = false,
): Graph {
  const { nodes, terms, updates, reconstruction, kl } = elbo(model, data, options, true);
  const backward = differentiate({ nodes, terms });
  const { params, gradients, moment1, moment2 } = model;
  const health = tensor("health", "state", [2]);
  const chain = new Chain(model, true, backward.nodes);
  const norms = chain.output(gradientNorm(gradients, reconstruction, kl, health), "norms");
  chain.nodes.push(...updates.map((update) => update(health)));
  const clipped = optimizer.clipNorm > 0;
  const norm = clipped ? chain.output(totalNorm(norms), "norm") : tensor("norm", "state", [1]);
  const weights = half ? halfWeights(model) : undefined;
  chain.output(adam({ params, gradients, moment1, moment2, norm, health }, optimizer, weights), "params");
  return { nodes: chain.nodes, terms };
}

/** The copy of all weights in f16 that a plan in half precision reads. */
function halfWeights({ params }: Model): Tensor {
  return { name: HALF_WEIGHTS, role: "state", shape: params.shape, storage: params.storage };
}

/** Makes that copy, before the first step. */
export function halvingGraph(model: Model): Graph {
  return { nodes: [storeWeights(model.params, halfWeights(model))] };
}

/** Both terms of the ELBO of a batch of `data`, in the data's own order. */
export function evaluationGraph(model: Model, data: Tensor, options: GatherOptions): Graph {
  const { nodes, terms } = elbo(model, data, options, false);
  return prune({ nodes, terms });
}

/** What the host or the page writes latents, or examples, to. */
export const latentInput = (model: Model, batch: number) => tensor("z", "input", [batch, model.resolved.spec.latent]);
export const exampleInput = (model: Model, batch: number) => dataTensor("floats", batch, model.resolved.inputSize);

/** x [batch, D] to heads [batch, 2, Z]. */
export function encodingGraph(model: Model, batch: number): Graph {
  const chain = new Chain(model);
  chain.encode(chain.examples(batch));
  return { nodes: chain.nodes };
}

/** z [batch, Z] to examples [batch, D]: probabilities or means. */
export function decodingGraph(model: Model, batch: number): Graph {
  const chain = new Chain(model);
  chain.unpadded(chain.decode(latentInput(model, batch), "y", visible(model)));
  return { nodes: chain.nodes };
}

/** Draws z [batch, Z] from the prior and decodes it; with `noise` examples are a draw from p(x|z) too. */
export function samplingGraph(model: Model, batch: number, noise: boolean): Graph {
  const chain = new Chain(model);
  const z = chain.output(samplePrior(batch, model.resolved.spec.latent), "z");
  if (noise) {
    const output = chain.decode(z, outputName(model));
    const { type, tensor } = model.likelihood;
    chain.unpadded(chain.output(type.draw(output, tensor), "y"));
  } else chain.unpadded(chain.decode(z, "y", visible(model)));
  return { nodes: chain.nodes };
}

/** x [batch, D] to examples [batch, D] through a draw of z or, without noise, through its mean. */
export function reconstructionGraph(model: Model, batch: number, noise: boolean): Graph {
  const chain = new Chain(model);
  const z = chain.output(reparameterize(chain.encode(chain.examples(batch)), noise), "z");
  chain.unpadded(chain.decode(z, "y", visible(model)));
  return prune({ nodes: chain.nodes });
}
