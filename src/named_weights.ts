// A VAE's weights, each tensor by the name that it has in a saved file.
import { quoted } from "./checks.js";
import { invalidData, whatIs } from "./data/refusals.js";
import { valuesOf, type NumberArray } from "./data/rows.js";
import { WebvaeError } from "./errors.js";
import { statisticsOf, weightsOf, type Laid } from "./model_part.js";
import { invalidOption } from "./options.js";
import { defineModel, type Model, type Parameter } from "./parameters.js";
import { readRanges } from "./readback.js";
import type { Runs } from "./runs.js";
import { size } from "./tensor.js";
import { forEachValue } from "./weights.js";

/** Floats, one after another. */
export type WeightValues = Exclude<NumberArray, Uint8Array | Uint8ClampedArray> | readonly number[];

/** The weights of a VAE, its running statistics among them: unpadded tensors, named and laid out as in a saved file. */
export interface NamedWeights {
  /** Name and shape of each. */
  list(): { readonly name: string; readonly shape: readonly number[] }[];
  /**
   * The values of a tensor, in the order of its shape. During a run they are those after some step. Throws INVALID_OPTION
   * naming the nearest name for an unknown one, UNSUPPORTED for one of the part that the VAE's file did not have,
   * DOWNLOAD_FAILED if the library's files.js cannot be loaded, DISPOSED, and GPU errors.
   */
  get(name: string): Promise<Float32Array>;
  /**
   * Replaces them. `values` are copied before the call returns. The optimizer's moments and the count of steps stay as
   * they are. What the VAE keeps in case of a lost device or of a loss that is not finite gets the new values too. Throws
   * as `get`, INVALID_DATA for another number of values or for one that is not a finite 32-bit float, and BUSY during a
   * run.
   */
  set(name: string, values: WeightValues): Promise<void>;
}

export function getWeights({ parts }: Runs, name: string): Promise<Float32Array> {
  const { device, model, buffers } = parts;
  return device.working(async () => {
    const { laid, pieces } = find(model, "get", name);
    const buffer = buffers.inference[laid.flat.name]!;
    const ranges = pieces.map(({ at, from, to }) => ({ buffer, offset: 4 * at, bytes: 4 * (to - from) }));
    return new Float32Array(await readRanges(device, ranges));
  });
}

export function setWeights(runs: Runs, name: string, given: unknown): Promise<void> {
  const { device, model, buffers, lock } = runs.parts;
  const { safe } = runs.standing;
  const progress = () => runs.standing.progress;
  const checkIdle = () => {
    if (runs.busy) throw new WebvaeError("BUSY", "weights.set: this VAE is being trained; end the run first");
  };
  return device.working(async () => {
    const { laid, shape, pieces } = find(model, "set", name);
    const values = floatsOf(name, shape, given);
    checkIdle();
    // Not between two submits of a call that needs the weights of one moment.
    await lock.writing(() => {
      checkIdle();
      const buffer = buffers.inference[laid.flat.name]!;
      for (const { at, from, to } of pieces) device.write(buffer, 4 * at, values.subarray(from, to));
      // If a loss was not finite, that was with other weights.
      buffers.resume();
    });
    if (!safe.any) return;
    // A copy on the host must not be older: one of an earlier step is made anew, or dropped where it cannot be, and one of
    // this step gets the values.
    await safe.take(progress, true);
    const { kept } = safe;
    if (kept?.progress.step !== progress().step) return safe.clear();
    const copy = laid.flat === model.params ? kept.snapshot.weights : kept.snapshot.statistics;
    for (const { at, from, to } of pieces) copy.set(values.subarray(from, to), at);
  });
}

/** Values `from` to `to` of a saved tensor lie together in a flat buffer, from `at` on. */
interface Piece {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

interface Found {
  readonly laid: Laid;
  readonly shape: readonly number[];
  readonly pieces: readonly Piece[];
}

/** Throws INVALID_OPTION if the model has no tensor of that name, UNSUPPORTED if its other part has. */
function find(model: Model, call: string, name: string): Found {
  if (typeof name !== "string") throw invalidOption(`weights.${call}: name must be text, not ${quoted(name)}`);
  for (const laid of [weightsOf(model), statisticsOf(model)]) {
    for (const parameter of laid.parameters) {
      const file = parameter.files.findIndex((saved) => saved.name === name);
      if (file >= 0) return { laid, shape: parameter.files[file]!.shape, pieces: piecesOf(laid, parameter, file) };
    }
  }
  if (model.only && namesIn(defineModel(model.resolved)).includes(name)) {
    throw new WebvaeError("UNSUPPORTED", `weights.${call}: ${name}: ${model.only.refusal}`);
  }
  throw invalidOption(
    `weights.${call}: there is no tensor ${quoted(name)}; did you mean "${nearest(name, namesIn(model))}"?`,
  );
}

const namesIn = ({ parameters, statistics }: Model) =>
  [...parameters, ...statistics].flatMap(({ files }) => files.map(({ name }) => name));

function piecesOf({ flat }: Laid, parameter: Parameter, file: number): Piece[] {
  const found: { at: number; from: number; to: number }[] = [];
  forEachValue(flat, parameter, (at, of, index) => {
    if (of !== file) return;
    const last = found.at(-1);
    if (last && at === last.at + index - last.from) last.to++;
    else found.push({ at, from: index, to: index + 1 });
  });
  return found;
}

/** Throws INVALID_DATA. */
function floatsOf(name: string, shape: readonly number[], given: unknown): Float32Array<ArrayBuffer> {
  const place = `weights.set: ${name}`;
  const wanted = `${size(shape)} floats, [${shape.join(", ")}] in one array`;
  const [row] = Array.isArray(given) ? (given as unknown[]) : [];
  if (row !== null && typeof row === "object")
    throw invalidData(place, `expected ${wanted}, found ${whatIs(row)} in it`);
  const values = valuesOf(given, shape.slice(-1), place);
  if (values instanceof Uint8Array || values.length !== size(shape)) {
    throw invalidData(place, `expected ${wanted}, found ${whatIs(given)}`);
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw invalidData(place, `value ${bad} of ${values.length} is ${values[bad]}, not finite`);
  return values as Float32Array<ArrayBuffer>;
}

/** The one of `known` that begins so, or else takes the fewest changes of a letter (Levenshtein 1966). */
function nearest(name: string, known: readonly string[]): string {
  const word = name.slice(0, 80);
  const distance = (other: string) => {
    let row = Array.from({ length: word.length + 1 }, (_, i) => i);
    for (const [j, letter] of [...other].entries()) {
      const next = [j + 1];
      for (let i = 0; i < word.length; i++) {
        next.push(Math.min(next[i]! + 1, row[i + 1]! + 1, row[i]! + (word[i] === letter ? 0 : 1)));
      }
      row = next;
    }
    return row.at(-1)!;
  };
  let [best, least] = ["", Infinity];
  for (const other of known) {
    const changes = other.startsWith(word) ? 0 : distance(other);
    if (changes < least) [best, least] = [other, changes];
  }
  return best;
}
