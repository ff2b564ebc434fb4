// A saved model: its weights, its spec, and, to continue a run bit for bit, Adam's moments and the run's progress. In
// the bundle this and what only this needs is a separate file, files.js, which model_files.ts loads.
import { WebvaeError } from "./errors.js";
import { quoted } from "./checks.js";
import { partOf, statisticsOf, weightsOf } from "./model_part.js";
import { schedules, type Schedule } from "./ops/op.js";
import { invalidOption } from "./options.js";
import { defineModel, type Model } from "./parameters.js";
import type { ModelPart } from "./part.js";
import { resolved } from "./prepare.js";
import type { Progress } from "./progress.js";
import type { Runs } from "./runs.js";
import { readSafetensors, writeSafetensors, type SafetensorsFile } from "./safetensors.js";
import { checkTensors, fromTensors, halved, namedIn, toTensors } from "./saved_tensors.js";
import type { ModelSpec } from "./spec.js";
import type { SaveOptions } from "./vae_options.js";

export { getWeights, setWeights } from "./named_weights.js";

/** The build of the library that this belongs to. */
export const release = typeof RELEASE === "string" ? RELEASE : "";

export interface Checkpoint {
  readonly model: Model;
  readonly weights: Float32Array<ArrayBuffer>;
  /** Laid out like model.running. */
  readonly statistics: Float32Array<ArrayBuffer>;
  readonly training?: {
    readonly moment1: Float32Array<ArrayBuffer>;
    readonly moment2: Float32Array<ArrayBuffer>;
    readonly progress: Progress;
    /** The schedule of each product, so that sums are computed in the same order again. */
    readonly schedules: Readonly<Record<string, Schedule>>;
  };
}

/**
 * The version of the format that is written. It goes up by one when a file would be misread by a release that does not
 * know its version; all versions up to this one are read. 0: files from before they said their version.
 */
const VERSION = 1;
/** The most steps and epochs that a file may claim; as many again fit before the GPU's 32-bit counters overflow. */
const MOST_STEPS = 2 ** 31;
/** The most characters of JSON in the metadata: a spec of a thousand layers takes 100,000. */
const LONGEST = 2 ** 18;
const MOMENTS = ["optimizer.moment1.", "optimizer.moment2."] as const;

/** The model between two steps of its runs, as a file. Throws as the method `save` of a VAE does. */
export async function saved(runs: Runs, options: SaveOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { model } = runs.parts;
  checkOptions(model, options);
  const { trainingState = false } = options;
  const { snapshot, progress } = await runs.snapshot(trainingState);
  const { weights, statistics, moments } = snapshot;
  const [moment1, moment2] = (trainingState && moments) || [];
  const training = moment1 && moment2 && { moment1, moment2, progress, schedules: runs.schedules };
  return writeCheckpoint({ model, weights, statistics, ...(training ? { training } : {}) }, options);
}

function checkOptions({ only }: Model, { trainingState, part, precision }: SaveOptions): void {
  const check = (name: string, value: unknown, known: readonly string[]) => {
    if (value === undefined || known.includes(value as string)) return;
    throw invalidOption(`save: ${name} must be "${known.join('" or "')}", not ${quoted(value)}`);
  };
  check("part", part, ["encoder", "decoder"]);
  check("precision", precision, ["f32", "f16"]);
  if (trainingState && (part || precision === "f16")) {
    const other = part ? `part "${part}"` : 'precision "f16"';
    throw invalidOption(
      `save: a run can only continue from the whole model in f32, so trainingState excludes ${other}`,
    );
  }
  if (!only || only.part === part) return;
  throw new WebvaeError("UNSUPPORTED", `save: ${only.refusal}; save({ part: "${only.part}" }) saves what there is`);
}

/** A safetensors file of the whole or a part; the same for the same checkpoint. Throws INVALID_OPTION for f16. */
export function writeCheckpoint(
  { model, weights, statistics, training }: Checkpoint,
  { part, precision }: Pick<SaveOptions, "part" | "precision"> = {},
): Uint8Array<ArrayBuffer> {
  const metadata = new Map([
    ["format", "webvae"],
    ["format_version", String(VERSION)],
    ["model_spec", JSON.stringify(model.resolved.spec)],
  ]);
  if (part) metadata.set("model_part", part);
  const laid = weightsOf(model, part);
  const own = toTensors(laid, weights);
  const tensors = [
    ...(precision === "f16" ? own.map(halved) : own),
    // Always in f32: a variance may be smaller than any f16, and there are few of them.
    ...toTensors(statisticsOf(model, part), statistics),
  ];
  if (training) {
    const { seed, step, epoch, epochStep, dropLast = false, place } = training.progress;
    const state = { seed, step, epoch, epochStep, dropLast, place, schedules: training.schedules };
    metadata.set("training_state", JSON.stringify(state));
    tensors.push(...toTensors(laid, training.moment1, MOMENTS[0]), ...toTensors(laid, training.moment2, MOMENTS[1]));
  }
  return writeSafetensors(tensors, metadata);
}

/**
 * Reads and checks a whole file before anything is built from it. A file without a spec in its metadata is read as the
 * weights of `expected`. Throws INVALID_FILE, NON_FINITE, and SPEC_MISMATCH if the tensors do not match the spec, or
 * the file's spec does not match that of `expected`.
 */
export async function readCheckpoint(bytes: Uint8Array, expected?: Model): Promise<Checkpoint> {
  const file = readSafetensors(bytes);
  checkVersion(file.metadata.get("format_version") ?? "0");
  const text = file.metadata.get("model_spec");
  if (text === undefined && !expected) {
    throw invalid(
      "it has no model_spec in its metadata, so it is not a saved webvae model; to load weights from another tool, " +
        "pass their model's spec as the option spec",
    );
  }
  const part = partIn(file);
  const whole = text === undefined ? expected! : await modelOf(text, expected);
  const model = part ? partOf(whole, part) : whole;
  const only = part ?? (text === undefined ? "model" : undefined);
  checkTensors(file, [...namedIn(weightsOf(model)), ...namedIn(statisticsOf(model))], only);
  const weights = fromTensors(weightsOf(model), file);
  const statistics = fromTensors(statisticsOf(model), file);
  return { model, weights, statistics, ...(text === undefined ? {} : trainingOf(model, file)) };
}

function checkVersion(version: string): void {
  if (!/^(0|[1-9]\d{0,8})$/.test(version)) {
    throw invalid(`its format_version is ${JSON.stringify(version.slice(0, 80))}, not a whole number`);
  }
  if (Number(version) <= VERSION) return;
  throw invalid(`its format has version ${version}, but this release reads versions up to ${VERSION}; update webvae`);
}

/** Which part of its model a file has, if not the whole. */
function partIn({ metadata }: SafetensorsFile): ModelPart | undefined {
  const part = metadata.get("model_part");
  if (part === undefined) return undefined;
  if (part !== "encoder" && part !== "decoder") {
    throw invalid(`its model_part is ${JSON.stringify(part.slice(0, 80))}, not "encoder" or "decoder"`);
  }
  if (metadata.has("training_state")) throw invalid(`it has a training state, but only the model's ${part}`);
  return part;
}

async function modelOf(text: string, expected?: Model): Promise<Model> {
  const spec = parse(text, "model_spec");
  let model: Model;
  try {
    model = defineModel(await resolved(spec as ModelSpec));
  } catch (cause) {
    if (!(cause instanceof WebvaeError && cause.code === "INVALID_SPEC")) throw cause;
    throw new WebvaeError("INVALID_FILE", `the model file's model_spec is invalid: ${cause.message}`, { cause });
  }
  const other = expected && difference(model.resolved.spec, expected.resolved.spec, "");
  if (other) throw new WebvaeError("SPEC_MISMATCH", `the file holds a different model: ${other}`);
  return model;
}

function trainingOf(model: Model, file: SafetensorsFile): Pick<Checkpoint, "training"> {
  const text = file.metadata.get("training_state");
  if (text === undefined) return {};
  const state = parse(text, "training_state") as Record<string, unknown>;
  const count = (key: string) => {
    const value = state[key];
    // Steps are numbered in 32 bits on the GPU.
    const most = key === "seed" ? Number.MAX_SAFE_INTEGER : MOST_STEPS;
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most) {
      throw invalid(
        `training_state.${key} is ${String(JSON.stringify(value)).slice(0, 80)}, not a whole number from 0 to ${most}`,
      );
    }
    return value as number;
  };
  const chosen: Record<string, Schedule> = {};
  for (const [key, value] of Object.entries((state.schedules ?? {}) as Record<string, unknown>)) {
    if (!schedules.includes(value as Schedule))
      throw invalid(`training_state.schedules.${key.slice(0, 80)} is unknown`);
    chosen[key] = value as Schedule;
  }
  checkTensors(
    file,
    MOMENTS.flatMap((prefix) => namedIn(weightsOf(model), prefix)),
  );
  const [rounded] = [...file.tensors].find(([, { dtype }]) => dtype !== "F32") ?? [];
  if (rounded) throw invalid(`it has a training state, but ${JSON.stringify(rounded.slice(0, 80))} is not F32`);
  return {
    training: {
      progress: {
        seed: count("seed"),
        step: count("step"),
        epoch: count("epoch"),
        epochStep: count("epochStep"),
        // Files from before this option existed are from runs that left the smaller batch out.
        dropLast: state.dropLast !== false,
        ...(typeof state.place === "string" ? { place: state.place } : {}),
      },
      moment1: fromTensors(weightsOf(model), file, MOMENTS[0]),
      moment2: fromTensors(weightsOf(model), file, MOMENTS[1]),
      schedules: chosen,
    },
  };
}

/** The first difference between a file's spec and the expected one, in words; undefined if they are equal. */
function difference(file: unknown, asked: unknown, path: string): string | undefined {
  const [left, right] = [file, asked].map((value) => JSON.stringify(value) ?? "nothing");
  if (left === right) return undefined;
  const both = [file, asked].every((value) => value !== null && typeof value === "object");
  for (const key of both ? new Set([...Object.keys(file as object), ...Object.keys(asked as object)]) : []) {
    const [inFile, inAsked] = [file, asked].map((value) => (value as Record<string, unknown>)[key]);
    const found = difference(inFile, inAsked, path ? `${path}.${key}` : key);
    if (found) return found;
  }
  return `${path} is ${left!.slice(0, 80)} in the file, but ${right!.slice(0, 80)} in the option spec`;
}

function parse(text: string, what: string): unknown {
  if (text.length > LONGEST) throw invalid(`its ${what} has ${text.length} characters; the limit is ${LONGEST}`);
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object") throw new SyntaxError("not an object");
    return value;
  } catch (cause) {
    throw new WebvaeError("INVALID_FILE", `the model file's ${what} is not a JSON object: ${String(cause)}`, { cause });
  }
}

function invalid(message: string): WebvaeError {
  return new WebvaeError("INVALID_FILE", `model file: ${message}`);
}
