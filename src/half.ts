// f16, IEEE 754 binary16, as its bits: not every browser has a Float16Array.

/** As floats, which hold each of them exactly. */
export function fromHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, (half) => {
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
}

/** The nearest f16 of each, of two equally near the even one; an infinity for 65520 and more. */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return Uint16Array.from(bits, (single) => {
    const sign = (single >>> 16) & 0x8000;
    const size = single & 0x7fffffff;
    if (size > 0x7f800000) return sign | 0x7e00;
    if (size >= 0x477ff000) return sign | 0x7c00;
    // 13 of the 23 bits of the fraction are dropped; what they round up to may carry into the exponent.
    if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >> 13) & 1)) >> 13);
    // Below 2^-14 all are multiples of 2^-24; adding 2^52 to a double rounds it to an integer.
    const exponent = size >> 23;
    const fraction = exponent ? (size & 0x7fffff) | 0x800000 : size & 0x7fffff;
    const steps = fraction * 2 ** ((exponent || 1) - 126);
    return sign | (steps + 2 ** 52 - 2 ** 52);
  });
}
