// How a continued run recognizes its data set: by its values, wherever they are in memory.
import { expect, it } from "vitest";
import { fromArray } from "../../src/datasets.js";
import { placeIn } from "../../src/progress.js";

const bytes = Uint8Array.from({ length: 30 }, (_, i) => 7 * i);
const of = (values: Uint8Array | Float32Array, shape = [5]) => placeIn(fromArray(values, { shape }), "shuffled");

it("the same values have the same place at any offset, even in a Node Buffer", () => {
  for (let offset = 0; offset < 8; offset++) {
    const pool = Buffer.alloc(48);
    const buffer = pool.subarray(offset, offset + 30);
    buffer.set(bytes);
    expect(of(buffer), `offset ${offset}`).toBe(of(bytes));
    expect(of(new Uint8Array(pool.buffer, pool.byteOffset + offset, 30)), `offset ${offset}`).toBe(of(bytes));
  }
});

it("other values, shapes or types have another", () => {
  const places = [
    of(bytes),
    of(bytes, [6]),
    of(bytes, [1, 5]),
    of(Float32Array.from(bytes)),
    ...Array.from(bytes, (value, i) => of(bytes.with(i, value ^ 1))),
  ];
  expect(new Set(places).size).toBe(places.length);
});
