// Random damage to files, with fast-check; the same seed gives the same damage.
import fc from "fast-check";

/** As bytes, one per character. */
export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** Bits flipped, bytes set, parts cut, doubled or dropped, numbers made extreme. Changes beyond the end are ignored. */
type Change = (file: Uint8Array) => Uint8Array;
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (file: Uint8Array, share: number) => Math.floor(share * file.length);
const changed = (file: Uint8Array, from: number, values: Uint8Array) => {
  const copy = new Uint8Array(file);
  values.forEach((byte, i) => (copy[from + i] = byte));
  return copy;
};
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const words = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ",",
  ":",
  "null",
  "-1",
  "1e9",
  "1e400",
  "0.5",
  "true",
  "\\",
  "'",
  "(",
  ")",
  "__proto__",
];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([where, bit]): Change => (file) => {
    const i = at(file, where);
    return changed(file, i, Uint8Array.of((file[i] ?? 0) ^ (1 << bit)));
  }),
  fc.tuple(place, fc.nat(255)).map(
    ([where, byte]): Change =>
      (file) =>
        changed(file, at(file, where), Uint8Array.of(byte)),
  ),
  // In the header, which a random change of one byte seldom hits.
  fc.tuple(fc.nat(40), fc.nat(255)).map(
    ([where, byte]): Change =>
      (file) =>
        changed(file, where, Uint8Array.of(byte)),
  ),
  place.map(
    (where): Change =>
      (file) =>
        file.subarray(0, at(file, where)),
  ),
  fc.tuple(place, place).map(
    ([a, b]): Change =>
      (file) =>
        joined(file.subarray(0, at(file, a)), file.subarray(at(file, b))),
  ),
  fc.tuple(place, fc.constantFrom(...extremes), fc.boolean()).map(([where, value, little]): Change => (file) => {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, value, little);
    return changed(file, at(file, where), word);
  }),
  fc.tuple(place, fc.constantFrom(...words)).map(([where, word]): Change => (file) => {
    const i = at(file, where);
    return joined(file.subarray(0, i), bytes(word), file.subarray(i));
  }),
  // A number in a text becomes another.
  fc
    .tuple(place, fc.constantFrom("0", "-1", "999999999", "4294967296", "1e99", "0.5", '"x"', "[]"))
    .map(([where, number]): Change => (file) => {
      const text = Buffer.from(file).toString("latin1");
      const numbers = [...text.matchAll(/\d+/g)];
      const found = numbers[Math.floor(where * numbers.length)];
      return found ? bytes(text.slice(0, found.index) + number + text.slice(found.index + found[0].length)) : file;
    }),
);
/** The index of a file, as a fraction of their number, and one to four changes to it. */
const damage = fc.tuple(place, fc.array(change, { minLength: 1, maxLength: 4 }));

/** `count` of `files`, damaged. */
export function damaged(files: readonly Uint8Array[], count: number, seed: number): Uint8Array[] {
  return fc.sample(damage, { numRuns: count, seed }).map(([which, changes]) => {
    const file = files[Math.floor(which * files.length)]!;
    return changes.reduce((made, make) => make(made), file);
  });
}
