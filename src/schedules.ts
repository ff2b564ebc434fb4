// Schedules as JSON: the values that a step may have anew, from a few numbers that a file can hold.
import { objectAt, quoted } from "./checks.js";
import { inRange, invalidOption, wholeNumber } from "./options.js";
import { meant } from "./words.js";

/** The point in the run for which a schedule must give a value. */
export interface SchedulePoint {
  readonly epoch: number;
  /** Steps since the very first, over all epochs and all runs that this one continues. */
  readonly step: number;
  readonly stepsPerEpoch: number;
}

/**
 * A schedule as JSON. `epochs` or `steps` is its length, counted over all runs that this one continues.
 * - linear, sigmoid, cosine: from `from` to `to`, where it stays. A sigmoid comes within 0.25 % of both (Bowman et al.,
 *   "Generating sentences from a continuous space", 2016, section 3.1).
 * - cyclical: again and again from `from` to `to` in the share `ramp` of each length, 0.5 by default, and at `to` for the
 *   rest of it (Fu et al., "Cyclical annealing schedule", 2019, equations 6 and 7).
 * - step: `from`, and after each length `factor` times what it was.
 */
export type ScheduleSpec = { readonly epochs?: number; readonly steps?: number } & (
  | { readonly type: "linear" | "sigmoid" | "cosine"; readonly from: number; readonly to: number }
  | { readonly type: "cyclical"; readonly from: number; readonly to: number; readonly ramp?: number }
  | { readonly type: "step"; readonly from: number; readonly factor: number }
);

/**
 * A constant; a schedule as JSON; or a function of the step, evaluated on the host as a submit is made: what it reads may
 * change while the run goes on, and takes effect with the next submit.
 */
export type Scheduled = number | ScheduleSpec | ((point: SchedulePoint) => number);
type Point = (point: SchedulePoint) => number;

interface Kind {
  /** Numbers besides the length, each with its range and default. */
  readonly numbers: Readonly<
    Record<string, { readonly most: number; readonly least?: number; readonly usual?: number }>
  >;
  /** The value after `t` lengths. */
  readonly at: (t: number, numbers: Readonly<Record<string, number>>) => number;
}

const value = { most: 1e6 };
const ends = { from: value, to: value };
/** From `from` to `to` by the share `s` of the way. */
const between = ({ from, to }: Readonly<Record<string, number>>, s: number) => from! + (to! - from!) * s;

/** How steep a sigmoid is: after half of its length 0.5, at its ends 0.0025 from 0 and 1. */
const STEEPNESS = 12;

const kinds: Readonly<Record<ScheduleSpec["type"], Kind>> = {
  linear: { numbers: ends, at: (t, numbers) => between(numbers, Math.min(t, 1)) },
  sigmoid: { numbers: ends, at: (t, numbers) => between(numbers, 1 / (1 + Math.exp(-STEEPNESS * (t - 0.5)))) },
  cosine: { numbers: ends, at: (t, numbers) => between(numbers, (1 - Math.cos(Math.PI * Math.min(t, 1))) / 2) },
  cyclical: {
    numbers: { ...ends, ramp: { least: 0.01, most: 1, usual: 0.5 } },
    at: (t, numbers) => between(numbers, Math.min((t % 1) / numbers.ramp!, 1)),
  },
  step: {
    numbers: { from: value, factor: { most: 1e3 } },
    at: (t, { from, factor }) => from! * factor! ** Math.floor(t),
  },
};

/** The function that a schedule as JSON means. Throws INVALID_OPTION naming `name`, the key and the value. */
export function scheduleFunction(given: object, name: string): Point {
  const types = Object.keys(kinds);
  const all = ["type", "epochs", "steps", ...Object.values(kinds).flatMap(({ numbers }) => Object.keys(numbers))];
  const { type } = objectAt(given, name, [...new Set(all)], "INVALID_OPTION");
  if (!types.includes(type as string)) {
    throw invalidOption(`${name}.type must be one of ${types.join(", ")}, not ${quoted(type)}${meant(type, types)}`);
  }
  const kind = kinds[type as ScheduleSpec["type"]];
  const keys = ["type", "epochs", "steps", ...Object.keys(kind.numbers)];
  const { epochs, steps, ...own } = objectAt(given, name, keys, "INVALID_OPTION");
  if ((epochs === undefined) === (steps === undefined)) {
    throw invalidOption(`${name}: a schedule needs one of epochs and steps, the length of its way, and not both`);
  }
  const numbers = Object.fromEntries(
    Object.entries(kind.numbers).map(([key, { least = 0, most, usual }]) => [
      key,
      inRange(`${name}.${key}`, own[key] ?? usual, least, most),
    ]),
  );
  const length =
    epochs === undefined ? wholeNumber(`${name}.steps`, steps) : inRange(`${name}.epochs`, epochs, 1e-6, 1e9);
  return ({ step, stepsPerEpoch }) => kind.at(step / (epochs === undefined ? length : length * stepsPerEpoch), numbers);
}
