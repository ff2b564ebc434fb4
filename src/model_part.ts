// The tensors of a model or of one part of it, and a part as a model of its own.
import type { Model, Parameter } from "./parameters.js";
import type { ModelPart, Only } from "./part.js";
import { flatTensor, type Tensor } from "./tensor.js";

const calls: Readonly<Record<ModelPart, Only["calls"]>> = {
  encoder: ["encode"],
  decoder: ["decode", "sample", "sample with noise"],
};

const refusalOf = (part: ModelPart) =>
  `the file of this VAE has only the model's ${part}, which can ${part === "encoder" ? "encode" : "decode and sample"}; ` +
  "this needs a file of the whole model";

/** Whatever is not the encoder's is needed to sample: also the likelihood's scale. */
const isIn =
  (part: ModelPart) =>
  ({ tensor }: Parameter) =>
    /^(encoder|heads)\./.test(tensor.name) === (part === "encoder");

/** Parameters, and the flat tensor that contains them and maybe others: weights, or running statistics. */
export interface Laid {
  readonly parameters: readonly Parameter[];
  readonly flat: Tensor;
}

/** The model's weights, or those of a part. */
export const weightsOf = ({ parameters, params }: Model, part?: ModelPart): Laid => ({
  parameters: part ? parameters.filter(isIn(part)) : parameters,
  flat: params,
});

/** The running statistics, likewise. */
export const statisticsOf = ({ statistics, running }: Model, part?: ModelPart): Laid => ({
  parameters: part ? statistics.filter(isIn(part)) : statistics,
  flat: running,
});

/** The model with nothing but the part: its flat tensors are as long as that needs. */
export function partOf(model: Model, part: ModelPart): Model {
  const shortened = ({ name, role, members = [] }: Tensor, all = model.parameters) =>
    flatTensor(
      name,
      role,
      members.filter((_, i) => isIn(part)(all[i]!)),
    );
  return {
    ...model,
    parameters: model.parameters.filter(isIn(part)),
    statistics: model.statistics.filter(isIn(part)),
    params: shortened(model.params),
    gradients: shortened(model.gradients),
    moment1: shortened(model.moment1),
    moment2: shortened(model.moment2),
    running: shortened(model.running, model.statistics),
    only: { part, calls: calls[part], refusal: refusalOf(part) },
  };
}
