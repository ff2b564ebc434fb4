// Values for tests: the same for the same name on every machine, and all exact in f32, so that a kernel and its twin
// start from equal numbers.
import { RandomSequence, Stream } from "../../src/random.js";

export class RandomValues {
  readonly #sequence: RandomSequence;
  constructor(name: string) {
    this.#sequence = new RandomSequence(hash(name), Stream.data);
  }

  private fill(count: number, next: () => number): Float64Array {
    return Float64Array.from({ length: count }, () => Math.fround(next()));
  }

  normal(count: number, scale = 1): Float64Array {
    return this.fill(count, () => scale * this.#sequence.normal());
  }

  uniform(count: number, from = 0, to = 1): Float64Array {
    return this.fill(count, () => from + (to - from) * this.#sequence.uniform());
  }

  /** Whole numbers from `from` up to but not including `to`. */
  integers(count: number, from: number, to: number): Float64Array {
    return this.fill(count, () => from + this.#sequence.integer(to - from));
  }
}

/** FNV-1a: any string to 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const character of text) h = Math.imul(h ^ character.codePointAt(0)!, 0x01000193);
  return h >>> 0;
}
