// The model to train, from the settings and the shape of the data.
import { models, WebvaeError, type ModelSpec } from "webvae";
import { readJson } from "./json_fault.js";
import type { Settings } from "./settings.js";

type Wanted = Pick<Settings, "model" | "latent" | "spec">;

/** Throws WebvaeError INVALID_SPEC. A custom spec is checked further by VAE.create. */
export function specFor({ model, latent, spec }: Wanted, shape: readonly number[]): ModelSpec {
  if (model === "custom") return customSpec(spec, shape);
  if (shape.length !== 3) {
    if (model === "mlp") return models.points(shape, latent);
    throw new WebvaeError("INVALID_SPEC", "a convolutional model needs images, but this data is points. Choose MLP");
  }
  if (model === "mlp") return models.mlp(shape, latent);
  const [height = 0, width = 0] = shape;
  const large = Math.min(height, width) >= 48 && height % 16 === 0 && width % 16 === 0;
  return large ? models.conv64(shape, latent) : models.conv(shape, latent);
}

function customSpec(text: string, shape: readonly number[]): ModelSpec {
  const { value, fault } = readJson(text);
  if (fault) {
    const { line, column, message } = fault;
    throw new WebvaeError("INVALID_SPEC", `line ${line}, column ${column}: ${message}`);
  }
  const input = (value as { input?: unknown } | null)?.input;
  if (Array.isArray(input) && String(input) !== String(shape)) {
    throw new WebvaeError(
      "INVALID_SPEC",
      `input: the data has shape [${shape.join(", ")}], but the model expects [${input.join(", ").slice(0, 60)}]`,
    );
  }
  return value as ModelSpec;
}
