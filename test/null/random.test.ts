import { describe, expect, it } from "vitest";
import { philox4x32, RandomSequence, seedKey, Stream, type Words4 } from "../../src/random.js";

const ONES = 0xffffffff;

describe("philox4x32", () => {
  // Known answers published with Random123 (Salmon et al. 2011).
  it.each<[Words4, [number, number], Words4]>([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ONES, ONES, ONES, ONES],
      [ONES, ONES],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("counter %j, key %j", (counter, key, expected) => {
    expect(philox4x32(counter, key)).toEqual(expected);
  });
});

describe("RandomSequence", () => {
  it("takes its uniforms from consecutive counters", () => {
    const random = new RandomSequence(2 ** 40 + 5, Stream.data, 7);
    for (let index = 0; index < 3; index++) {
      for (const word of philox4x32([index, 0, Stream.data, 7], seedKey(2 ** 40 + 5))) {
        expect(random.uniform()).toBe(((word >>> 8) + 0.5) * 2 ** -24);
      }
    }
    expect(seedKey(2 ** 40 + 5)).toEqual([5, 256]);
  });

  it("gives uniforms strictly inside (0, 1), evenly", () => {
    const random = new RandomSequence(1, Stream.data);
    const n = 200_000;
    const bins = new Float64Array(20);
    let least = 1;
    let most = 0;
    for (let i = 0; i < n; i++) {
      const u = random.uniform();
      least = Math.min(least, u);
      most = Math.max(most, u);
      bins[Math.floor(u * bins.length)]!++;
    }
    expect(least).toBeGreaterThan(0);
    expect(most).toBeLessThan(1);
    const expected = n / bins.length;
    const chiSquared = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 19 degrees of freedom: one seed in a thousand exceeds 43.8.
    expect(chiSquared).toBeLessThan(43.8);
  });

  it("gives normals with the moments 0, 1, 0, 3", () => {
    const random = new RandomSequence(2, Stream.data);
    const n = 200_000;
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const e = random.normal();
      sums.forEach((_, k) => (sums[k]! += e ** (k + 1)));
    }
    // Standard deviations of e, e^2, e^3, e^4 are 1, sqrt 2, sqrt 15, sqrt 96. Four standard errors.
    const spread = [1, 2, 15, 96].map((variance) => 4 * Math.sqrt(variance / n));
    [0, 1, 0, 3].forEach((moment, k) => expect(Math.abs(sums[k]! / n - moment)).toBeLessThan(spread[k]!));
  });

  it("keeps integers below n", () => {
    const random = new RandomSequence(3, Stream.data);
    const seen = new Set(Array.from({ length: 500 }, () => random.integer(5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it("differs between seeds, streams and substreams", () => {
    const first = (seed: number, stream: number, substream?: number) =>
      new RandomSequence(seed, stream, substream).uniform();
    expect(new Set([first(1, 1), first(2, 1), first(1, 2), first(1, 1, 1), first(1 + 2 ** 32, 1)]).size).toBe(5);
  });
});
