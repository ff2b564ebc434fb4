// From a ModelSpec to graphs: what is trained, evaluated, encoded and decoded. Pure: no GPU, no data.
import { prune } from "./fuse.js";
import { ONE, type Graph, type Node, type Term } from "./graph.js";
import { differentiate } from "./gradient.js";
import type { Builder, ResolvedLayer } from "./layers/definition.js";
import { typeOf } from "./layers/index.js";
import { adam, type AdamOptions } from "./ops/adam.js";
import { dataTensor, gather, type GatherOptions } from "./ops/gather.js";
import { gradientNorm, totalNorm } from "./ops/gradient_norm.js";
import { further } from "./ops/index.js";
import { linear } from "./ops/linear.js";
import { NOISE, reparameterize, samplePrior } from "./ops/reparameterize.js";
import type { Chosen } from "./objectives/index.js";
import type { Model } from "./parameters.js";
import { HALF_WEIGHTS, size, tensor, type Activation, type Tensor } from "./tensor.js";

/** Collects nodes in order; each reads what earlier ones made. */
export class Chain implements Builder {
  readonly nodes: Node[];
  /** Nodes that run once a step's health is known. */
  readonly updates: ((health: Tensor) => Node)[] = [];
  /** Dropouts so far, so that each draws different numbers. */
  dropouts = 0;
  /** The condition of a conditional model, [batch, size]. */
  condition: Tensor | undefined;
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

  /** For a conditional model, the rows of `x` followed by the condition; otherwise `x` itself. */
  private given(name: string, x: Tensor): Tensor {
    return this.condition ? this.output(further!.concat(name, x, this.condition), "y") : x;
  }

  encode(x: Tensor): Tensor {
    const { encoder, condition } = this.model.resolved;
    const beside = (at: string, name: string, y: Tensor) => (condition?.beside === at ? this.given(name, y) : y);
    const features = beside("features", "features", this.layers(encoder, beside("x", "encoder.input", x)));
    return this.output(linear("heads", features, this.parameter("heads.weight"), this.parameter("heads.bias")), "y");
  }

  /** `last` replaces the last layer's activation: the sigmoid that turns logits into probabilities. */
  decode(z: Tensor, name: string, last?: Activation): Tensor {
    const { decoder } = this.model.resolved;
    // A reshape may follow what makes the logits; the logits are then what it makes of them.
    const final = decoder.findLastIndex(({ type }) => type !== "reshape");
    return decoder.reduce(
      (input, layer, index) => {
        const made = index === decoder.length - 1 ? name : `${layer.path}.output`;
        return this.layer(layer, input, made, index === final ? (last ?? layer.activation) : layer.activation);
      },
      this.given("decoder.input", z),
    );
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

/** The knob of the KL term's weight. */
const BETA = "beta";

const outputName = ({ likelihood }: Model) => likelihood.type.output;
/** What a decoder's user sees: the mean of x, probabilities for a Bernoulli. */
const visible = ({ likelihood }: Model): Activation | undefined => likelihood.type.link;

/** What a graph gathers its batches from, and what it makes of them. */
export interface BatchOptions extends GatherOptions {
  /** Labels of the data, for a conditional model. */
  readonly labels?: Tensor | undefined;
  /** In place of the ELBO, whose weight of the KL term is the knob `beta`. */
  readonly objective?: Chosen | undefined;
}

/** Gather, encode, sample, decode, the terms of the ELBO and of the objective: what training and evaluation share. */
function forward(model: Model, data: Tensor, options: BatchOptions, training: boolean) {
  const chain = new Chain(model, training);
  const { batch, labels, objective } = options;
  const { prior, resolved } = model;
  const x = chain.output(gather(data, options, resolved.layout), "x");
  if (resolved.condition) {
    const label = further!.gatherLabels(labels!, batch, resolved.condition.size, options.shuffle);
    chain.condition = chain.output(label, "label");
  }
  const copies = objective?.type.copies(objective.json) ?? 1;
  const heads = chain.encode(x);
  const drawn = objective || prior ? further!.draws(heads, copies, !prior) : reparameterize(heads);
  const z = chain.output(drawn, "z");
  const { kl, ratio } = drawn.outputs;
  const reconstruction = chain.reconstruction(chain.decode(z, outputName(model)), x);
  const given = prior && chain.output(prior.type.loss(z, prior.tensor, copies), "prior");
  const beta = (name: string, value: Tensor): Term => ({ name, value, knob: BETA });
  const elbo = [
    { name: "reconstruction", value: reconstruction, knob: ONE },
    ...(given ? [beta("kl.posterior", ratio!), beta("kl.prior", given)] : [beta("kl", kl!)]),
  ];
  const pass = { batch, reconstruction, ratio: [ratio!, ...(given ? [given] : [])] };
  const terms = objective?.type.terms(chain, pass, elbo, objective.json) ?? elbo;
  return { nodes: chain.nodes, terms, updates: chain.updates };
}

/**
 * One training step: forward, ELBO, backward, running statistics and Adam; with `half` Adam keeps the weights' copy in
 * f16 too.
 */
export function trainingGraph(
  model: Model,
  data: Tensor,
  options: BatchOptions,
  optimizer: AdamOptions,
  half = false,
): Graph {
  const { nodes, terms, updates } = forward(model, data, options, true);
  const backward = prune(differentiate({ nodes, terms }), ["clamped"]);
  const { params, gradients, moment1, moment2 } = model;
  const health = tensor("health", "state", [2]);
  const chain = new Chain(model, true, backward.nodes);
  const norms = chain.output(gradientNorm(gradients, terms[0]!.value, terms[1]!.value, health), "norms");
  chain.nodes.push(...updates.map((update) => update(health)));
  const clipped = optimizer.clipNorm > 0;
  const norm = clipped ? chain.output(totalNorm(norms), "norm") : tensor("norm", "state", [1]);
  const weights = half ? halfWeights(model) : undefined;
  chain.output(adam({ params, gradients, moment1, moment2, norm, health }, optimizer, weights), "params");
  return { nodes: chain.nodes, terms };
}

/** The copy of all weights in f16 that a plan in half precision reads. */
export function halfWeights({ params }: Model): Tensor {
  return { name: HALF_WEIGHTS, role: "state", shape: params.shape, storage: params.storage };
}

/** The terms of a batch of `data`, in the data's own order. Of a bound also the squares of what it weighs its draws by. */
export function evaluationGraph(model: Model, data: Tensor, options: BatchOptions): Graph {
  return prune(forward(model, data, options, false), ["squares"]);
}

/** What the host or the page writes latents, or examples, to. */
export const latentInput = (model: Model, batch: number) => tensor("z", "input", [batch, model.resolved.spec.latent]);
export const exampleInput = (model: Model, batch: number) => dataTensor("floats", batch, model.resolved.inputSize);

/** A graph of inference on `batch` rows; of a conditional model the condition comes from outside too. */
function inferring(model: Model, batch: number): Chain {
  const chain = new Chain(model);
  const { condition } = model.resolved;
  if (condition) chain.condition = tensor("label", "input", [batch, condition.size]);
  return chain;
}

/** x [batch, D] to heads [batch, 2, Z]. */
export function encodingGraph(model: Model, batch: number): Graph {
  const chain = inferring(model, batch);
  chain.encode(chain.examples(batch));
  return { nodes: chain.nodes };
}

/** z [batch, Z] to examples [batch, D]: probabilities or means. */
export function decodingGraph(model: Model, batch: number): Graph {
  const chain = inferring(model, batch);
  chain.unpadded(chain.decode(latentInput(model, batch), "y", visible(model)));
  return { nodes: chain.nodes };
}

/** Draws z [batch, Z] from the prior and decodes it; with `noise` examples are a draw from p(x|z) too. */
export function samplingGraph(model: Model, batch: number, noise: boolean): Graph {
  const chain = inferring(model, batch);
  const { prior } = model;
  const z = prior
    ? chain.output(prior.type.draw(prior.tensor, batch, NOISE), "drawn")
    : chain.output(samplePrior(batch, model.resolved.spec.latent), "z");
  if (noise) {
    const output = chain.decode(z, outputName(model));
    const { type, tensor } = model.likelihood;
    chain.unpadded(chain.output(type.draw(output, tensor), "y"));
  } else chain.unpadded(chain.decode(z, "y", visible(model)));
  return { nodes: chain.nodes };
}

/** x [batch, D] to examples [batch, D] through a draw of z or, without noise, through its mean. */
export function reconstructionGraph(model: Model, batch: number, noise: boolean): Graph {
  const chain = inferring(model, batch);
  const z = chain.output(reparameterize(chain.encode(chain.examples(batch)), noise), "z");
  chain.unpadded(chain.decode(z, "y", visible(model)));
  return prune({ nodes: chain.nodes });
}
