// What a model trains and keeps: its tensors, how each begins, and under which names and in which layout it is saved.
import { product } from "./checks.js";
import type { Declare, First, ResolvedLayer } from "./layers/definition.js";
import { typeOf } from "./layers/index.js";
import { likelihoodOf } from "./likelihoods/index.js";
import type { PriorType } from "./priors/definition.js";
import { priorTypes } from "./priors/index.js";
import type { Only } from "./part.js";
import type { ResolvedSpec } from "./spec.js";
import { flatTensor, tensor, weightTensor, type Tensor } from "./tensor.js";

/** One tensor, how it begins, and under which names it is saved. */
export interface Parameter {
  readonly tensor: Tensor;
  readonly kind: First["kind"];
  readonly fanIn: number;
  readonly fanOut: number;
  /**
   * Saved tensors: unpadded, in Keras's layouts. A tensor of two heads [..., 2, Z] is saved as two, each one index of
   * its second-to-last size.
   */
  readonly files: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** A spec's parameters and running statistics, each laid out flat, with the gradients and Adam's moments. */
export interface Model {
  readonly resolved: ResolvedSpec;
  readonly parameters: readonly Parameter[];
  /** Running statistics: kept and saved, not trained. */
  readonly statistics: readonly Parameter[];
  readonly params: Tensor;
  readonly gradients: Tensor;
  readonly moment1: Tensor;
  readonly moment2: Tensor;
  /** All running statistics in one; of no length where there are none. */
  readonly running: Tensor;
  readonly likelihood: ReturnType<typeof likelihoodOf>;
  /** Its type and parameter; absent for N(0, 1). */
  readonly prior?: { readonly type: PriorType; readonly tensor: Tensor };
  /** Set if the parameters are those of one part only. */
  readonly only?: Only;
}

const unscaled = { fanIn: 1, fanOut: 1 };

export function defineModel(resolved: ResolvedSpec): Model {
  const { encoder, decoder, features, spec } = resolved;
  const parameters: Parameter[] = [];
  const statistics: Parameter[] = [];
  const declare: Declare = (
    tensor,
    { kind, fans = unscaled, shape = tensor.shape, files = [{ name: tensor.name, shape }] },
  ) => (tensor.role === "param" ? parameters : statistics).push({ tensor, kind, ...fans, files });
  const layer = (one: ResolvedLayer): void => {
    typeOf(one).parameters?.(one, declare);
    one.layers?.forEach(layer);
  };
  encoder.forEach(layer);
  const fans = { fanIn: product(features), fanOut: spec.latent };
  const heads = (part: "weight" | "bias", shape: readonly number[]) => ({
    kind: part,
    fans,
    files: ["mean", "log_variance"].map((head) => ({ name: `${head}.${part}`, shape })),
  });
  declare(
    weightTensor("heads.weight", "param", features, [2, spec.latent]),
    heads("weight", [fans.fanIn, spec.latent]),
  );
  declare(tensor("heads.bias", "param", [2, spec.latent]), heads("bias", [spec.latent]));
  decoder.forEach(layer);
  const likelihood = likelihoodOf(spec.likelihood);
  if (likelihood.tensor?.role === "param") declare(likelihood.tensor, { kind: "offset" });
  const priorType = spec.prior && priorTypes[spec.prior.type]!;
  const prior = priorType && { type: priorType, tensor: priorType.parameters(spec.prior, spec.latent, declare) };
  const tensors = parameters.map((parameter) => parameter.tensor);
  const named = (prefix: string, role: "gradient" | "state") =>
    tensors.map((member) => ({ ...member, name: `${prefix}${member.name}`, role }));
  return {
    resolved,
    parameters,
    statistics,
    params: flatTensor("params", "param", tensors),
    gradients: flatTensor("gradients", "gradient", named("d", "gradient")),
    moment1: flatTensor("moment1", "state", named("moment1.", "state")),
    moment2: flatTensor("moment2", "state", named("moment2.", "state")),
    running: flatTensor(
      "running",
      "state",
      statistics.map(({ tensor }) => tensor),
    ),
    likelihood,
    ...(prior ? { prior } : {}),
  };
}

/** The flat tensors of a model: one buffer each. */
export function flats({ params, gradients, moment1, moment2, running }: Model): readonly Tensor[] {
  return [params, gradients, moment1, moment2, running];
}
