// --resume: what a resumed run takes from its checkpoint, and which options may change.
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { WebvaeError, type Initialisation, type ModelSpec } from "../src/index.js";
import type { EpochLosses } from "./charts.js";
import { checkSame, partNames, type Objective, type PartName } from "./choices.js";
import type { DataName } from "./data.js";
import { readWhole } from "./files.js";
import type { Resumed } from "./run.js";
import { CHECKPOINT, recordOf, specOf, type Point, type RunRecord } from "./training_file.js";

/** The parsed options of the command line. */
interface Given {
  readonly epochs: number;
  readonly lr: number;
  readonly beta: number;
  readonly out: string;
}

export interface ResumedRun {
  readonly record: RunRecord;
  readonly resumed: Resumed;
  readonly name: string;
  readonly spec: ModelSpec;
  /** Options of the resumed run: from the command line, else from the checkpoint. */
  readonly options: {
    readonly data: DataName;
    readonly split: "train" | "all";
    readonly limit?: number;
    readonly seed: number;
    readonly init: Initialisation;
    readonly batch: number;
    readonly epsilon?: number;
    readonly objective?: Objective;
    readonly epochs: number;
    readonly lr: number;
    readonly beta: number;
    readonly out: string;
  };
  /** Lines of metrics.jsonl up to the checkpoint, and their figures. */
  readonly lines: readonly string[];
  readonly epochs: readonly EpochLosses[];
  readonly curve: readonly Point[];
  /** Changes since the checkpoint, to be printed. */
  readonly notes: readonly string[];
  /** Throws INVALID_DATA if the training data differs. */
  readonly checkData: (hash: string) => void;
}

/** Options that must not change, since the weights would differ; the same names as in the record. */
const fixed = ["data", "split", "limit", "model", "seed", "init", "batch", "epsilon"] as const;

/**
 * The run whose checkpoint is `path` or in the folder `path`. `isGiven` tells whether an option is on the command line.
 * Throws FileError, INVALID_FILE, and INVALID_OPTION if an option contradicts the run.
 */
export async function openResumed(
  path: string,
  given: Given & Partial<Record<(typeof fixed)[number] | "latent" | "objective" | PartName, unknown>>,
  isGiven: (option: string) => boolean,
): Promise<ResumedRun> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const file = resolve(isFolder ? join(path, CHECKPOINT) : path);
  const bytes = await readWhole(file);
  const record = recordOf(file, bytes);
  const spec = specOf(file, bytes);
  const { settings } = record;
  for (const key of fixed) {
    if (!isGiven(key) || given[key] === settings[key]) continue;
    const [now, then] = [given[key], settings[key] ?? "its default"].map(String);
    throw contradiction(`--${key} ${now} contradicts the run in ${file}, which has ${then}`);
  }
  if (isGiven("latent") && given.latent !== spec.latent) {
    throw contradiction(`--latent ${String(given.latent)} contradicts the run in ${file}, which has ${spec.latent}`);
  }
  for (const name of partNames) if (isGiven(name)) checkSame(name, given[name], spec[name], file);
  if (isGiven("objective")) checkSame("objective", given.objective, settings.objective, file);
  const trained = record.trained.epochs;
  const choose = (key: "epochs" | "lr" | "beta") => (isGiven(key) ? given[key] : record[key]);
  const epochs = choose("epochs");
  if (epochs < trained) {
    throw contradiction(
      `--epochs ${epochs} is less than the ${trained} epochs that the run in ${file} has already trained`,
    );
  }
  const notes = (["lr", "beta"] as const).flatMap((key) =>
    choose(key) === record[key] ? [] : [`--${key} changes from ${record[key]} to ${choose(key)}`],
  );
  if (epochs <= trained) {
    notes.push(`all ${trained} epochs are already trained: only writing the results (--epochs N trains up to N)`);
  }
  // A checkpoint with its original name is next to the metrics of its run.
  const at = basename(file) === CHECKPOINT ? dirname(file) : resolve(given.out);
  const { lines, epochs: figures } = await metricsOf(join(at, "metrics.jsonl"), trained);
  const { data, split, limit, seed, init, batch, epsilon, objective } = settings;
  return {
    record,
    resumed: { checkpoint: bytes, stepsPerEpoch: record.stepsPerEpoch, partial: record.partial },
    name: settings.model,
    spec,
    options: {
      data: data as DataName,
      split: split as "train" | "all",
      ...(limit === undefined ? {} : { limit }),
      seed,
      init,
      batch,
      ...(epsilon === undefined ? {} : { epsilon }),
      ...(objective === undefined ? {} : { objective }),
      epochs,
      lr: choose("lr"),
      beta: choose("beta"),
      out: isGiven("out") ? given.out : at,
    },
    lines,
    epochs: figures,
    curve: record.curve.map(([epoch = 0, elbo = 0, reconstruction = 0, kl = 0]) => ({
      epoch,
      elbo,
      reconstruction,
      kl,
    })),
    notes,
    checkData: (hash) => {
      if (hash === settings.dataHash) return;
      throw new WebvaeError(
        "INVALID_DATA",
        `the training data of ${settings.data} differs from that of the run in ${file}, so it cannot be resumed`,
      );
    },
  };
}

const contradiction = (message: string) => new WebvaeError("INVALID_OPTION", message);

/** The figures of epochs up to `last`. Truncated lines and later epochs are left out. */
async function metricsOf(path: string, last: number): Promise<{ lines: string[]; epochs: EpochLosses[] }> {
  const text = await readFile(path, "utf8").catch(() => "");
  const lines: string[] = [];
  const epochs: EpochLosses[] = [];
  for (const line of text.split("\n")) {
    try {
      const one = JSON.parse(line) as EpochLosses;
      if (!(one.epoch <= last) || typeof one.train.elbo !== "number") continue;
      lines.push(line);
      epochs.push({ epoch: one.epoch, train: one.train, test: one.test });
    } catch {
      continue;
    }
  }
  return { lines, epochs };
}
