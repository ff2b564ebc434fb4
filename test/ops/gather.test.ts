import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { dataTensor, gather, type GatherOptions } from "../../src/ops/gather.js";
import { Stream } from "../../src/random.js";
import { size } from "../../src/tensor.js";
import { order } from "../reference/gather.js";
import { wordsAt } from "../reference/random.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { edgeShapes, imageShapes, randomShapes, SEED } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

function gatherCase(
  kind: "bytes" | "floats",
  [batch = 1, D = 1, N = 1]: readonly number[],
  options: Omit<GatherOptions, "batch"> = {},
  step: object = {},
): OpCase {
  const how = [...Object.keys(options), ...Object.entries(step).map(([key, value]) => `${key}=${String(value)}`)];
  return {
    name: [`gather_${kind}`, `${batch}x${D} of ${N}`, ...how].join(" "),
    build: (random) => ({
      node: gather(dataTensor(kind, N, D), { batch, ...options }),
      values: { [kind]: kind === "bytes" ? random.integers(N * D, 0, 256) : random.normal(N * D) },
      step: { rows: batch, ...step },
    }),
  };
}

/** The same, as an image with padded channels. */
function imageCase(kind: "bytes" | "floats", shape: readonly number[], binarise = false): OpCase {
  const [batch = 1, ...image] = shape;
  const [N, D] = [batch + 3, size(image)];
  return {
    name: `gather_${kind} ${shape.join("x")} images${binarise ? " binarise" : ""}`,
    build: (random) => ({
      node: gather(dataTensor(kind, N, D), { batch, shuffle: true, binarise }, image),
      values: { [kind]: kind === "bytes" ? random.integers(N * D, 0, 256) : random.normal(N * D) },
      step: { rows: batch },
    }),
  };
}

describe("a batch", () => {
  const shapes = [...edgeShapes(3), ...randomShapes([130, 200, 300], 4)];
  testOps(device, [
    ...shapes.map((shape) => gatherCase("bytes", shape, { shuffle: true })),
    ...shapes.map((shape) => gatherCase("bytes", shape, { shuffle: true, binarise: true })),
    ...shapes.map((shape) => gatherCase("floats", shape, { shuffle: true })),
    ...imageShapes.flatMap((shape) => [
      imageCase("bytes", shape),
      imageCase("bytes", shape, true),
      imageCase("floats", shape),
    ]),
    gatherCase("bytes", [10, 7, 40], {}, { first_row: 20 }),
    gatherCase("floats", [10, 7, 40], {}, { first_row: 20 }),
    // Beyond the data's end it starts over, in either order.
    gatherCase("bytes", [10, 7, 25], {}, { first_row: 20, rows: 5 }),
    gatherCase("floats", [10, 7, 25], { shuffle: true }, { first_row: 20, rows: 5 }),
    gatherCase("floats", [4, 2, 3], { shuffle: true }, { first_row: 100, rows: 1 }),
    gatherCase("bytes", [10, 7, 40], { binarise: true }, { step: 2 ** 32 - 1, sample: 9, first_row: 3 }),
  ]);
});

/** An epoch's order on the GPU, obtained from a data set in which each example is its own index. */
async function orderOf(N: number, step: object): Promise<number[]> {
  const node = gather(dataTensor("floats", N, 1), { batch: N, shuffle: true });
  const values = { floats: Float64Array.from({ length: N }, (_, i) => i) };
  const { outputs, faults } = await runNode(device, { node, values, step: { ...defaultStep, rows: N, ...step } });
  expect(faults).toEqual([]);
  return [...outputs.x!];
}

describe("the shuffled order", () => {
  it.each([1, 2, 3, 4, 5, 16, 17, 100, 1000, 4096, 4097])("contains each of %i examples once", async (N) => {
    const orders = [];
    for (const epoch of [0, 1, 2 ** 32 - 1]) {
      const found = await orderOf(N, { epoch });
      expect([...found].sort((a, b) => a - b)).toEqual(Array.from({ length: N }, (_, i) => i));
      orders.push(String(found));
    }
    if (N >= 16) expect(new Set(orders).size).toBe(3);
  });

  // From here on with the twin, which the cases above show to be equal.
  const orderBy = (N: number, changes: object) =>
    Array.from({ length: N }, (_, place) => order(place, N, { ...defaultStep, ...changes }));

  it("is a bijection for any size, seed and epoch", () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const law = fc.property(fc.integer({ min: 1, max: 700 }), word, word, (N, seed_low, epoch) => {
      expect(new Set(orderBy(N, { seed_low, epoch })).size).toBe(N);
    });
    fc.assert(law, { seed: SEED, numRuns: 100 });
  });

  it("differs for each epoch and seed", () => {
    const orders = Array.from({ length: 50 }, (_, epoch) => String(orderBy(100, { epoch })));
    orders.push(String(orderBy(100, { epoch: 0, seed_low: 5 })), String(orderBy(100, { epoch: 0, seed_high: 5 })));
    expect(new Set(orders).size).toBe(52);
  });

  it.each([3, 5, 10, 37])("puts each of %i examples in each position equally often", (N) => {
    const epochs = 400 * N;
    const counts = new Float64Array(N * N);
    for (let epoch = 0; epoch < epochs; epoch++) orderBy(N, { epoch }).forEach((i, place) => counts[place * N + i]!++);
    const chiSquared = counts.reduce((sum, count) => sum + (count - epochs / N) ** 2 / (epochs / N), 0);
    // (N - 1)^2 degrees of freedom; five standard deviations.
    const freedom = (N - 1) ** 2;
    expect(Math.abs(chiSquared - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom) + 5);
  });

  it("separates neighbours: successive examples are uncorrelated", () => {
    const N = 4097;
    const found = orderBy(N, {});
    const middle = (N - 1) / 2;
    let covariance = 0;
    for (let i = 1; i < N; i++) covariance += (found[i]! - middle) * (found[i - 1]! - middle);
    expect(Math.abs(covariance / (N * ((N * N - 1) / 12)))).toBeLessThan(4 / Math.sqrt(N));
  });
});

describe("binarised bytes", () => {
  const [N, D] = [64, 500];
  const draw = async (bytes: Float64Array, changes: object = {}) => {
    const node = gather(dataTensor("bytes", N, D), { batch: N, binarise: true });
    const { outputs } = await runNode(device, {
      node,
      values: { bytes },
      step: { ...defaultStep, rows: N, ...changes },
    });
    return outputs.x!;
  };

  it.each([0, 1, 51, 128, 254, 255])("%i is 1 with probability byte / 255", async (byte) => {
    const x = await draw(new Float64Array(N * D).fill(byte));
    expect(x.every((value) => value === 0 || value === 1)).toBe(true);
    const p = byte / 255;
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    // 0 never and 255 always; else four standard errors.
    expect(Math.abs(mean - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / x.length));
  });

  // Steps, found by search, at which the second pixel of the first example draws the smallest and the largest number.
  it.each([
    { step: 1_062_616, word: 0, never: 0, always: 1 },
    { step: 1_433_886, word: 2 ** 24 - 1, never: 254, always: 255 },
  ])("are exact if the draw is $word", async ({ step, word, never, always }) => {
    expect(wordsAt(0, { ...defaultStep, step }, Stream.binarise)[1] >>> 8).toBe(word);
    const pixel = async (byte: number) => (await draw(new Float64Array(N * D).fill(byte), { step }))[1];
    expect([await pixel(never), await pixel(always)]).toEqual([0, 1]);
  });

  it("are drawn anew at each step, and are the same for the same step", async () => {
    const bytes = new RandomValues("binarise").integers(N * D, 1, 255);
    const [first, again, later] = [await draw(bytes), await draw(bytes), await draw(bytes, { step: 8 })];
    expect(again).toEqual(first);
    expect(later).not.toEqual(first);
  });
});
