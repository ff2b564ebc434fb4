// Shared argument parsing for the commands: checked numbers, and models by name or from a file.
import { InvalidArgumentError } from "commander";
import { readFile } from "node:fs/promises";
import { nodeGpu } from "../node/index.js";
import { tuningFile } from "../node/tuning_file.js";
import { partNames, type PartName } from "./choices.js";
import { readWhole } from "./files.js";
import { models, VAE, WebvaeError, type ModelName, type ModelSpec } from "../src/index.js";

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${Number.MAX_SAFE_INTEGER}.`);
    }
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("It must be a finite number >= 0.");
  }
  return value;
}

/** Parses a shape like 28x28x1 or 28,28,1; the library checks its values. */
export function shapeOf(text: string): number[] {
  const sizes = text.split(/[x,]/).map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new InvalidArgumentError("It must be whole numbers, as in 28x28x1.");
  }
  return sizes;
}

/**
 * A part of a spec or an objective, as NAME or NAME,key=value,...: "laplace,scale=learned" is { type: "laplace", scale:
 * "learned" }. The library checks the names and the values.
 */
export function typed(text: string): string | { type: string } {
  const [type = "", ...pairs] = text.split(",");
  if (pairs.length === 0) return type;
  const keys = pairs.map((pair) => {
    const [, key, value] = /^(\w+)=(.+)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      throw new InvalidArgumentError(`"${pair}" must be key=value, as in laplace,scale=0.5.`);
    }
    return [key, Number.isNaN(Number(value)) ? value : Number(value)] as const;
  });
  return { type, ...Object.fromEntries(keys) };
}

/** The latent dimensions of presets for which they are not 20. */
const presetLatents: Partial<Record<ModelName, number>> = { points: 2, conv: 2, conv64: 128 };

/**
 * A preset for examples of `shape`, or the spec in a JSON file, with `parts` in place of its own where they are given.
 * Throws INVALID_OPTION or INVALID_SPEC.
 */
export async function modelSpec(
  model: string,
  shape: readonly number[],
  latent: number | undefined,
  parts: Partial<Record<PartName, unknown>> = {},
): Promise<{ name: string; spec: ModelSpec }> {
  const given = partNames.filter((name) => parts[name] !== undefined);
  // The library checks them.
  const changed = Object.fromEntries(given.map((name) => [name, parts[name]])) as Partial<ModelSpec>;
  if (Object.hasOwn(models, model)) {
    const preset = model as ModelName;
    return { name: model, spec: { ...models[preset](shape, latent ?? presetLatents[preset] ?? 20), ...changed } };
  }
  let text: string;
  try {
    text = await readFile(model, "utf8");
  } catch {
    const names = Object.keys(models).join(", ");
    throw new WebvaeError("INVALID_OPTION", `--model ${model} is neither one of ${names} nor a readable file`);
  }
  let spec: unknown;
  try {
    spec = JSON.parse(text);
  } catch (cause) {
    throw new WebvaeError("INVALID_SPEC", `--model ${model} is not valid JSON: ${String(cause)}`, { cause });
  }
  if (spec === null || typeof spec !== "object" || Array.isArray(spec)) {
    throw new WebvaeError("INVALID_SPEC", `--model ${model} must contain a ModelSpec, not ${text.trim().slice(0, 40)}`);
  }
  // The library checks the rest, and says where any error is.
  return { name: model, spec: { ...(spec as ModelSpec), ...(latent === undefined ? {} : { latent }), ...changed } };
}

/** A saved model on this machine's GPU. Throws FileError, what nodeGpu throws, and what VAE.load throws with the file's name before it. */
export async function loadModel(file: string): Promise<VAE> {
  const bytes = await readWhole(file);
  const gpu = await nodeGpu();
  try {
    return await VAE.load(bytes, { gpu, tuning: tuningFile() });
  } catch (error) {
    if (error instanceof WebvaeError) throw new WebvaeError(error.code, `${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Prints an error as a user should see it, and sets the exit status. */
export function reportFault(error: unknown): number {
  if (error instanceof WebvaeError) console.error(`error (${error.code}): ${error.message}`);
  else if (error instanceof Error && ["FileError", "AbortError", "RangeError"].includes(error.name)) {
    console.error(`error: ${error.message}`);
  } else console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  return 1;
}

export function adapterLines({ name, software }: { name: string; software: boolean }): string[] {
  if (!software) return [`adapter: ${name}`];
  return [
    `adapter: ${name}`,
    "",
    "*** SOFTWARE ADAPTER: no GPU was found. ***",
    "*** Everything runs on the processor;   ***",
    "*** a real GPU is far faster.           ***",
    "",
  ];
}
