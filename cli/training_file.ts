// checkpoint.safetensors: a saved VAE with its training state and, in its metadata, a record of the run: its options
// and the chart's points so far. The library can read it like any model.
import { createHash } from "node:crypto";
import { WebvaeError, type Dataset, type Initialisation, type ModelSpec } from "../src/index.js";
import type { Losses } from "./charts.js";
import type { Objective } from "./choices.js";

export const CHECKPOINT = "checkpoint.safetensors";

/** The settings that determine a run's weights, which a resumed run keeps. */
export interface RunSettings {
  readonly data: string;
  readonly split: string;
  readonly limit?: number;
  /** Hash of the training examples' values, and of their labels where the model is conditioned on them. */
  readonly dataHash: string;
  readonly model: string;
  readonly seed: number;
  readonly init: Initialisation;
  readonly batch: number;
  readonly epsilon?: number;
  /** Absent for the ELBO. */
  readonly objective?: Objective;
}

/** The record of a run so far. */
export interface RunRecord {
  readonly settings: RunSettings;
  /** These three may change when the run is resumed. */
  readonly epochs: number;
  readonly lr: number;
  readonly beta: number;
  /** Trained so far, across all processes. */
  readonly trained: { readonly steps: number; readonly epochs: number };
  readonly seconds: number;
  /** 0 if no step has been reported yet. */
  readonly stepsPerEpoch: number;
  /** For the current epoch: sums over its reported steps. */
  readonly partial: Losses & { readonly steps: number; readonly seconds: number };
  /** [epoch, elbo, reconstruction, kl] within the epochs, for the chart. */
  readonly curve: readonly (readonly number[])[];
}

const KEY = "webvae_train";

export function hashOf({ values, count, labels }: Dataset, conditional: boolean): string {
  const hash = createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  if (conditional && labels) hash.update(labels);
  return `${count}:${hash.digest("hex").slice(0, 32)}`;
}

type Header = Record<string, unknown> & { __metadata__?: Record<string, string> };

/** A safetensors file's JSON and its tensors' bytes. */
function split(file: Uint8Array): { header: Header; tensors: Uint8Array } {
  const length = file.length >= 8 ? Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)) : Infinity;
  if (length > file.length - 8) throw new Error("it is truncated");
  const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, 8 + length)));
  if (header === null || typeof header !== "object") throw new Error("its header is not an object");
  return { header: header as Header, tensors: file.subarray(8 + length) };
}

/** `file`, a saved VAE, with `record` in its metadata. */
export function withRecord(file: Uint8Array, record: RunRecord): Uint8Array {
  const { header, tensors } = split(file);
  const text = JSON.stringify({ ...header, __metadata__: { ...header.__metadata__, [KEY]: JSON.stringify(record) } });
  const json = new TextEncoder().encode(text);
  // Tensors begin at a multiple of eight bytes, so the header is padded with spaces.
  const length = 8 * Math.ceil(json.length / 8);
  const result = new Uint8Array(8 + length + tensors.length).fill(0x20, 8, 8 + length);
  new DataView(result.buffer).setBigUint64(0, BigInt(length), true);
  result.set(json, 8);
  result.set(tensors, 8 + length);
  return result;
}

/** The metadata of a safetensors file. Throws INVALID_FILE naming `path`. */
export function metadataOf(path: string, file: Uint8Array): Readonly<Record<string, string>> {
  try {
    const { __metadata__: metadata = {} } = split(file).header;
    if (metadata === null || typeof metadata !== "object") throw new Error("its metadata is not an object");
    return metadata;
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new WebvaeError("INVALID_FILE", `${path} is not a complete safetensors file: ${what}`, { cause });
  }
}

/** The spec of a saved model. Throws INVALID_FILE. The library checks the contents of the spec. */
export function specOf(path: string, file: Uint8Array): ModelSpec {
  return parsed(path, metadataOf(path, file), "model_spec", "is not a model of this library") as ModelSpec;
}

/** The record of a run in its checkpoint. Throws INVALID_FILE naming `path` and what the file is instead. */
export function recordOf(path: string, file: Uint8Array): RunRecord {
  const metadata = metadataOf(path, file);
  const missing = `is not a checkpoint to resume from (npm run train writes those as ${CHECKPOINT}); VAE.load can read it`;
  if (metadata["training_state"] === undefined && metadata["model_spec"] !== undefined) {
    throw new WebvaeError("INVALID_FILE", `${path} has weights but no training state: it ${missing}`);
  }
  const record = parsed(path, metadata, KEY, missing) as RunRecord;
  const { settings, partial, curve } = record;
  const whole = [
    record.epochs,
    record.trained?.steps,
    record.trained?.epochs,
    record.stepsPerEpoch,
    partial?.steps,
    settings?.batch,
    settings?.seed,
  ];
  const numbers = [record.lr, record.beta, record.seconds, partial?.seconds, partial?.elbo];
  const sound =
    whole.every((n) => Number.isSafeInteger(n) && n >= 0) &&
    numbers.every((n) => typeof n === "number") &&
    [settings.data, settings.split, settings.dataHash, settings.model, settings.init].every(
      (text) => typeof text === "string",
    ) &&
    Array.isArray(curve) &&
    curve.every((point) => Array.isArray(point) && point.length === 4);
  if (!sound) throw new WebvaeError("INVALID_FILE", `${path}: its record of the run is damaged`);
  return record;
}

function parsed(path: string, metadata: Readonly<Record<string, string>>, key: string, missing: string): object {
  const text = metadata[key];
  if (typeof text !== "string") throw new WebvaeError("INVALID_FILE", `${path} ${missing}`);
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object") throw new Error("it is not an object");
    return value;
  } catch (cause) {
    throw new WebvaeError("INVALID_FILE", `${path}: its ${key} is damaged (${String(cause)})`, { cause });
  }
}

export type Point = Losses & { readonly epoch: number };

/** A point of the chart as it is stored in a checkpoint. */
export const pointOf = ({ epoch, elbo, reconstruction, kl }: Point): number[] =>
  [epoch, elbo, reconstruction, kl].map((value) => Number(value.toPrecision(7)));

/** The most points of the chart in a checkpoint: about one per pixel. */
const MOST_POINTS = 1000;

/** Drops every second point while there are too many. */
export function thinned<T>(points: readonly T[]): readonly T[] {
  let kept = points;
  while (kept.length > MOST_POINTS) kept = kept.filter((_, i) => i % 2 === 1);
  return kept;
}
