// Philox4x32-10 on the host: the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011). shaders/lib/random.wgsl is the same function on the GPU; both are checked against the
// published known answers. Used for values made once on the host: initial weights and generated data sets.

export type Words4 = [number, number, number, number];

/** High and low 32 bits of a 32 x 32 bit product. */
function multiplyWide(a: number, b: number): [number, number] {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  const high = aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/** Ten rounds of Philox4x32: four random words from a counter of four words and a key of two. */
export function philox4x32(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiplyWide(0xd2511f53, c0);
    const [high1, low1] = multiplyWide(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A key of two words from a seed: any safe integer >= 0. */
export function seedKey(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 0x100000000) >>> 0];
}

/** A stream per use, so that no two uses of a seed share numbers. Same values in shaders/lib/random.wgsl. */
export const Stream = {
  training: 1,
  evaluation: 2,
  shuffle: 3,
  binarise: 4,
  prior: 5,
  initialisation: 6,
  data: 7,
  observation: 8,
  dropout: 9,
  component: 10,
} as const;

/** Uniform and normal numbers in sequence from one stream; the same on every machine. */
export class RandomSequence {
  #counter = 0;
  #words: number[] = [];
  readonly #key: [number, number];
  constructor(
    seed: number,
    private readonly stream: number,
    private readonly substream = 0,
  ) {
    this.#key = seedKey(seed);
  }

  /** Strictly inside (0, 1), on a grid of 2^-24. */
  uniform(): number {
    if (this.#words.length === 0) {
      const index = this.#counter++;
      this.#words = philox4x32(
        [index >>> 0, Math.floor(index / 0x100000000), this.stream, this.substream],
        this.#key,
      ).reverse();
    }
    return ((this.#words.pop()! >>> 8) + 0.5) * 2 ** -24;
  }

  /** Standard normal (Box-Muller, 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Integer in [0, n). */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }
}
