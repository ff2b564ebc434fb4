// Argument checks shared by the benchmarks' command lines.
import { InvalidArgumentError } from "commander";

export const namesIn = (text: string) => [...new Set(text.split(",").map((name) => name.trim()))].filter(Boolean);

/** The names in `text`, each of them one of `known`. */
export function chosen<T>(text: string, known: Readonly<Record<string, T>>, what: string): [string, T][] {
  const wanted = namesIn(text);
  if (wanted.length === 0) throw new InvalidArgumentError(`It must name at least one ${what}.`);
  return wanted.map((name) => {
    const found = Object.hasOwn(known, name) ? known[name] : undefined;
    if (found === undefined) {
      throw new InvalidArgumentError(
        `There is no ${what} "${name}"; the choices are ${Object.keys(known).join(", ")}.`,
      );
    }
    return [name, found];
  });
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Above 0, and at most `most`. */
export function positive(most = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value > 0 && value <= most) || !Number.isFinite(value)) {
      throw new InvalidArgumentError(`It must be a number above 0${most < Infinity ? ` and at most ${most}` : ""}.`);
    }
    return value;
  };
}

/** Whole numbers separated by commas. */
export function wholes(least: number, most: number, what: string): (text: string) => number[] {
  return (text) => {
    const sizes = namesIn(text);
    if (sizes.length === 0) throw new InvalidArgumentError(`It must name at least one ${what}.`);
    return sizes.map(whole(least, most));
  };
}
