// What a saved model is: its weights, its spec, and, for a run to be continued bit for bit, Adam's moments and where
// the run stood.
import { WebvaeError } from "./errors.js";
import type { Schedule } from "./ops/op.js";
import { schedules } from "./ops/op.js";
import { readSafetensors, writeSafetensors, type SafetensorsFile } from "./safetensors.js";
import { resolveSpec, type ModelSpec } from "./spec.js";
import { defineModel, type Model } from "./parameters.js";
import { fromTensors, statisticsOf, toTensors, weightsOf } from "./weights.js";

/** Where a run stands. */
export interface Progress {
  /** Keys all random numbers of the run. */
  readonly seed: number;
  /** Steps done since the first. */
  readonly step: number;
  /** Epochs begun; the current one's number is epoch, from 0. */
  readonly epoch: number;
  /** Steps done in the current epoch. */
  readonly epochStep: number;
}

export interface Checkpoint {
  readonly model: Model;
  readonly weights: Float32Array<ArrayBuffer>;
  /** Laid out as model.running. */
  readonly statistics: Float32Array<ArrayBuffer>;
  readonly training?: {
    readonly moment1: Float32Array<ArrayBuffer>;
    readonly moment2: Float32Array<ArrayBuffer>;
    readonly progress: Progress;
    /** The schedule of each product, so that sums are made in the same order again. */
    readonly schedules: Readonly<Record<string, Schedule>>;
  };
}

const MOMENTS = ["optimizer.moment1.", "optimizer.moment2."] as const;

/** A safetensors file; the same for the same checkpoint. */
export function writeCheckpoint({ model, weights, statistics, training }: Checkpoint): Uint8Array<ArrayBuffer> {
  const metadata = new Map([
    ["format", "webvae"],
    ["model_spec", JSON.stringify(model.resolved.spec)],
  ]);
  const tensors = [...toTensors(weightsOf(model), weights), ...toTensors(statisticsOf(model), statistics)];
  if (training) {
    metadata.set("training_state", JSON.stringify({ ...training.progress, schedules: training.schedules }));
    const laid = weightsOf(model);
    tensors.push(...toTensors(laid, training.moment1, MOMENTS[0]), ...toTensors(laid, training.moment2, MOMENTS[1]));
  }
  return writeSafetensors(tensors, metadata);
}

/**
 * Reads and checks all of a file before anything is built from it. Throws INVALID_FILE, and SPEC_MISMATCH where the
 * tensors are not those of the file's spec, or the spec is not `expected`.
 */
export function readCheckpoint(bytes: Uint8Array, expected?: ModelSpec): Checkpoint {
  const file = readSafetensors(bytes);
  const text = file.metadata.get("model_spec");
  if (text === undefined) throw invalid("it has no model_spec in its metadata, so it is not a webvae model");
  const spec = parse(text, "model_spec");
  let model: Model;
  try {
    model = defineModel(resolveSpec(spec));
  } catch (cause) {
    if (!(cause instanceof WebvaeError)) throw cause;
    throw new WebvaeError("INVALID_FILE", `the model file's model_spec is invalid: ${cause.message}`, { cause });
  }
  if (expected) {
    const [ours, theirs] = [resolveSpec(expected).spec, model.resolved.spec].map((s) => JSON.stringify(s));
    if (ours !== theirs) throw new WebvaeError("SPEC_MISMATCH", `the file's model is ${theirs}, not ${ours}`);
  }
  const weights = fromTensors(weightsOf(model), file);
  const statistics = fromTensors(statisticsOf(model), file);
  return { model, weights, statistics, ...trainingOf(model, file) };
}

function trainingOf(model: Model, file: SafetensorsFile): Pick<Checkpoint, "training"> {
  const text = file.metadata.get("training_state");
  if (text === undefined) return {};
  const state = parse(text, "training_state") as Record<string, unknown>;
  const count = (key: string) => {
    const value = state[key];
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      throw invalid(`training_state.${key} is ${JSON.stringify(value)}, not a whole number >= 0`);
    }
    return value as number;
  };
  const chosen: Record<string, Schedule> = {};
  for (const [key, value] of Object.entries((state.schedules ?? {}) as Record<string, unknown>)) {
    if (!schedules.includes(value as Schedule)) throw invalid(`training_state.schedules.${key} is unknown`);
    chosen[key] = value as Schedule;
  }
  return {
    training: {
      progress: { seed: count("seed"), step: count("step"), epoch: count("epoch"), epochStep: count("epochStep") },
      moment1: fromTensors(weightsOf(model), file, MOMENTS[0]),
      moment2: fromTensors(weightsOf(model), file, MOMENTS[1]),
      schedules: chosen,
    },
  };
}

function parse(text: string, what: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object") throw new SyntaxError("not an object");
    return value;
  } catch (cause) {
    throw new WebvaeError("INVALID_FILE", `the model file's ${what} is no JSON object: ${String(cause)}`, { cause });
  }
}

function invalid(message: string): WebvaeError {
  return new WebvaeError("INVALID_FILE", `model file: ${message}`);
}
