// The contents of a saved model: its weights, its spec, and, to continue a run bit for bit, Adam's moments and the
// run's progress. A separate file in the bundle, loaded by model_files.ts: it imports no code from the core, because
// code that two files import would become a third file.
import type { Schedule } from "./ops/op.js";
import type { Model, Parameter } from "./parameters.js";
import type { Progress } from "./progress.js";
import {
  asFloat32,
  FileFault,
  readSafetensors,
  writeSafetensors,
  type NamedTensor,
  type SafetensorsFile,
} from "./safetensors.js";
import type { ModelSpec } from "./spec.js";
import type { Tensor } from "./tensor.js";

export { FileFault };

/** The build of the library that this belongs to. */
export const release = typeof RELEASE === "string" ? RELEASE : "";

/** The parts of the core that are needed here. */
export interface Core {
  /** Throws INVALID_SPEC, DOWNLOAD_FAILED and TIMEOUT. */
  readonly modelOf: (spec: ModelSpec) => Promise<Model>;
  readonly forEachValue: typeof import("./weights.js").forEachValue;
  readonly size: typeof import("./tensor.js").size;
  readonly schedules: readonly Schedule[];
}

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

/** The most steps and epochs that a file may claim; as many again fit before the GPU's 32-bit counters overflow. */
const MOST_STEPS = 2 ** 31;
/** The most characters of JSON in the metadata: a spec of a thousand layers takes 100,000. */
const LONGEST = 2 ** 18;
const MOMENTS = ["optimizer.moment1.", "optimizer.moment2."] as const;

/** A safetensors file; the same for the same checkpoint. */
export function writeCheckpoint(
  core: Core,
  { model, weights, statistics, training }: Checkpoint,
): Uint8Array<ArrayBuffer> {
  const metadata = new Map([
    ["format", "webvae"],
    ["model_spec", JSON.stringify(model.resolved.spec)],
  ]);
  const tensors = [...toTensors(core, weightsOf(model), weights), ...toTensors(core, statisticsOf(model), statistics)];
  if (training) {
    const { seed, step, epoch, epochStep, dropLast = false, place } = training.progress;
    const state = { seed, step, epoch, epochStep, dropLast, place, schedules: training.schedules };
    metadata.set("training_state", JSON.stringify(state));
    const laid = weightsOf(model);
    tensors.push(
      ...toTensors(core, laid, training.moment1, MOMENTS[0]),
      ...toTensors(core, laid, training.moment2, MOMENTS[1]),
    );
  }
  return writeSafetensors(tensors, metadata);
}

/**
 * Reads and checks a whole file before anything is built from it. A file without a spec in its metadata is read as the
 * weights of `expected`. Throws INVALID_FILE, NON_FINITE, and SPEC_MISMATCH if the tensors do not match the spec, or
 * the file's spec does not match that of `expected`.
 */
export async function readCheckpoint(core: Core, bytes: Uint8Array, expected?: Model): Promise<Checkpoint> {
  const file = readSafetensors(bytes);
  const text = file.metadata.get("model_spec");
  if (text === undefined && !expected) {
    throw invalid(
      "it has no model_spec in its metadata, so it is not a saved webvae model; to load weights from another tool, " +
        "pass their model's spec as the option spec",
    );
  }
  const model = text === undefined ? expected! : await modelOf(core, text, expected);
  checkTensors(file, [...namedIn(weightsOf(model)), ...namedIn(statisticsOf(model))], text === undefined);
  const weights = fromTensors(core, weightsOf(model), file);
  const statistics = fromTensors(core, statisticsOf(model), file);
  return { model, weights, statistics, ...(text === undefined ? {} : trainingOf(core, model, file)) };
}

async function modelOf(core: Core, text: string, expected?: Model): Promise<Model> {
  const spec = parse(text, "model_spec");
  let model: Model;
  try {
    model = await core.modelOf(spec as ModelSpec);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "INVALID_SPEC")) throw cause;
    throw new FileFault("INVALID_FILE", `the model file's model_spec is invalid: ${cause.message}`, { cause });
  }
  const other = expected && difference(model.resolved.spec, expected.resolved.spec, "");
  if (other) throw new FileFault("SPEC_MISMATCH", `the file holds a different model: ${other}`);
  return model;
}

function trainingOf(core: Core, model: Model, file: SafetensorsFile): Pick<Checkpoint, "training"> {
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
    if (!core.schedules.includes(value as Schedule))
      throw invalid(`training_state.schedules.${key.slice(0, 80)} is unknown`);
    chosen[key] = value as Schedule;
  }
  checkTensors(
    file,
    MOMENTS.flatMap((prefix) => namedIn(weightsOf(model), prefix)),
  );
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
      moment1: fromTensors(core, weightsOf(model), file, MOMENTS[0]),
      moment2: fromTensors(core, weightsOf(model), file, MOMENTS[1]),
      schedules: chosen,
    },
  };
}

/** Parameters, and the flat tensor that contains them: the model's weights, or its running statistics. */
interface Laid {
  readonly parameters: readonly Parameter[];
  readonly flat: Tensor;
}

const weightsOf = ({ parameters, params: flat }: Model): Laid => ({ parameters, flat });
const statisticsOf = ({ statistics: parameters, running: flat }: Model): Laid => ({ parameters, flat });

/** The saved form of `flat` (weights, or a moment of them): unpadded, with `prefix` before each name. */
function toTensors(core: Core, laid: Laid, flat: Float32Array, prefix = ""): NamedTensor[] {
  return laid.parameters.flatMap((parameter) => {
    const data = parameter.files.map(({ shape }) => new Float32Array(core.size(shape)));
    core.forEachValue(laid.flat, parameter, (at, file, index) => (data[file]![index] = flat[at]!));
    return parameter.files.map(({ name, shape }, file) => ({
      name: prefix + name,
      dtype: "F32" as const,
      shape,
      data: data[file]!,
    }));
  });
}

const namedIn = ({ parameters }: Laid, prefix = "") =>
  parameters.flatMap(({ files }) => files.map(({ name, shape }) => ({ name: prefix + name, shape })));

/** The most tensors that one message names, because a file may contain thousands. */
const MOST_NAMED = 200;

/**
 * Throws SPEC_MISMATCH naming the tensors that the file lacks or has in another shape and, with `only`, those that are
 * not `wanted`. Runs before anything is allocated, so that a small file cannot claim a huge model.
 */
function checkTensors(
  file: SafetensorsFile,
  wanted: readonly { name: string; shape: readonly number[] }[],
  only = false,
) {
  const list = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  const names = new Set(wanted.map(({ name }) => name));
  const wrong = wanted.flatMap(({ name, shape }) => {
    const saved = file.tensors.get(name);
    if (!saved) return [`the file has no tensor ${name} ${list(shape)}`];
    const same = String(saved.shape) === String(shape);
    return same ? [] : [`${name} has shape ${list(saved.shape)} in the file; the model needs ${list(shape)}`];
  });
  for (const [name, { shape }] of only ? file.tensors : []) {
    if (!names.has(name)) wrong.push(`the model has no tensor ${JSON.stringify(name.slice(0, 80))} ${list(shape)}`);
  }
  if (wrong.length === 0) return;
  const more = wrong.length > MOST_NAMED ? [`and ${wrong.length - MOST_NAMED} more such`] : [];
  throw new FileFault("SPEC_MISMATCH", [...wrong.slice(0, MOST_NAMED), ...more].join("; "));
}

/** The inverse of toTensors, for checked tensors. Throws NON_FINITE if one contains a NaN or an infinity. */
function fromTensors(core: Core, laid: Laid, file: SafetensorsFile, prefix = ""): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(core.size(laid.flat.storage));
  for (const parameter of laid.parameters) {
    const data = parameter.files.map(({ name }) => {
      const values = asFloat32(file.tensors.get(prefix + name)!, prefix + name);
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new FileFault("NON_FINITE", `${prefix + name} is ${values[bad]} at index ${bad} of ${values.length}`);
      }
      return values;
    });
    core.forEachValue(laid.flat, parameter, (at, index, place) => (flat[at] = data[index]![place]!));
  }
  return flat;
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
    throw new FileFault("INVALID_FILE", `the model file's ${what} is not a JSON object: ${String(cause)}`, { cause });
  }
}

function invalid(message: string): FileFault {
  return new FileFault("INVALID_FILE", `model file: ${message}`);
}
