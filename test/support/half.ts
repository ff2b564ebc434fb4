// f16, for which Node 20 has no array: IEEE 754 binary16, rounded to nearest, ties to even.

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The bits of the f16 nearest to `value`; beyond 65504, an infinity. */
export function toHalf(value: number): number {
  single[0] = value;
  const bits = singleBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // The spacing of f16 near the value; below 2^-14 it no longer shrinks.
  const spacing = 2 ** (Math.max(-14, Math.floor(Math.log2(size || 1))) - 10);
  const steps = size / spacing;
  const below = Math.floor(steps);
  const rest = steps - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  const rounded = (below + (up ? 1 : 0)) * spacing;
  if (rounded < 2 ** -14) return sign | (rounded * 2 ** 24);
  const exponent = Math.floor(Math.log2(rounded));
  return sign | ((exponent + 15) << 10) | ((rounded / 2 ** exponent - 1) * 1024);
}

export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

export const roundToHalf = (value: number) => fromHalf(toHalf(value));
