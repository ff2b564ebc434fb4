// The model that a command is given by name or file, and data of its shape.
import { modelSpec } from "../../cli/options.js";
import { fromArray } from "../../src/datasets.js";
import { describe } from "../../src/describe.js";
import { models, WebvaeError, type Dataset, type ModelName, type ModelSpec } from "../../src/index.js";

export const MODEL_HELP = `${Object.keys(models).join(", ")}, or a JSON file with a ModelSpec`;

/** The usual shape of an example where that is not 28x28x1. */
const usual: Partial<Record<ModelName, readonly number[]>> = { points: [2], conv64: [64, 64, 3] };

export interface ModelArguments {
  readonly input?: number[];
  readonly latent?: number;
}

/** Throws INVALID_OPTION or INVALID_SPEC. */
export async function givenModel(model: string, { input, latent }: ModelArguments): Promise<ModelSpec> {
  const shape = input ?? usual[model as ModelName] ?? [28, 28, 1];
  const { spec } = await modelSpec(model, shape, latent).catch((error: unknown) => {
    if (!(error instanceof WebvaeError)) throw error;
    // Here it is no option.
    throw new WebvaeError(error.code, error.message.replace("--model ", "the model "), { cause: error });
  });
  const whole = Object.hasOwn(models, model) || !input ? spec : { ...spec, input };
  // Throws what VAE.create would, with a change that fits where there is one.
  describe(whole);
  return whole;
}

/** `count` examples of the model's shape: random-looking bytes, or floats for a Gaussian; the same each time. */
export function someData(spec: ModelSpec, count: number): Dataset {
  const length = count * spec.input.reduce((product, side) => product * side, 1);
  const bytes = Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
  const values = spec.likelihood === "bernoulli" ? bytes : Float32Array.from(bytes, (byte) => byte / 128 - 1);
  return fromArray(values, { shape: spec.input, name: "some data" });
}
