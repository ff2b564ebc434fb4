// f16 against the tests' own conversion, which computes with powers of two instead of bits.
import { expect, test } from "vitest";
import { fromHalf, toHalf } from "../../src/half.js";
import { RandomSequence, Stream } from "../../src/random.js";
import * as twin from "../support/half.js";

const all = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
const isNaNBits = (half: number) => (half & 0x7fff) > 0x7c00;

test("every f16 is the float it stands for, and comes back", () => {
  const values = fromHalf(all);
  expect(values.every((value, half) => Object.is(value, twin.fromHalf(half)))).toBe(true);
  // Bits of NaN may differ.
  const wrong = toHalf(values).findIndex((half, i) => (isNaNBits(i) ? !isNaNBits(half) : half !== i));
  expect(wrong).toBe(-1);
});

test("floats become the nearest f16; halfway between two, the even one", () => {
  const random = new RandomSequence(5, Stream.data);
  const bits = Uint32Array.from({ length: 200_000 }, () => random.uniform() * 2 ** 32);
  // Finite f16, the points halfway between neighbours, and the floats just beside those.
  const finite = all.filter((half) => half < 0x7c00);
  const exact = fromHalf(finite);
  const halfway = exact.map((value, i) => (value + (exact[i + 1] ?? 65536)) / 2);
  const beside = (step: number) =>
    new Float32Array(new Uint32Array(halfway.buffer).map((single) => single + step).buffer);
  const cases = [new Float32Array(bits.buffer), exact, halfway, beside(-1), beside(1)];
  for (const [i, values] of cases.entries()) {
    for (const signed of [values, values.map((value) => -value)]) {
      const wrong = toHalf(signed).findIndex((half, at) =>
        Number.isNaN(signed[at]) ? !isNaNBits(half) : half !== twin.toHalf(signed[at]!),
      );
      expect([i, signed[wrong]]).toEqual([i, undefined]);
    }
  }
  const ties = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25, 65519, 65520, 1e-40, -0);
  const rounded = [1, 1 + 2 ** -9, 0, 2 ** -23, 65504, Infinity, 0, -0];
  expect([...fromHalf(toHalf(ties))]).toEqual(rounded);
});
