// The demo's numbers: operations per step, thinned-out losses, and compact figures.
import { beforeAll, describe, expect, it } from "vitest";
import { prepareFlops, stepFlops } from "../../demo/flops.js";
import { halved, Losses } from "../../demo/losses.js";
import { duration, rounded, shortLoss } from "../../demo/page/figures.js";
import { conv2d, convTranspose2d, dense, flatten, maxPool2d, models, reshape, residual } from "../../src/index.js";

describe("operations of a step", () => {
  it("are unknown until what counts them is loaded", () =>
    expect(stepFlops(models.mlp([28, 28, 1], 2), 128)).toBeUndefined());

  describe("then", () => {
    beforeAll(prepareFlops);

    it("of mlp: three products per layer, except that the first layer's input needs no gradient", () => {
      const [x, h, z] = [784, 400, 2];
      const forward = 2 * (x * h + h * 2 * z + z * h + h * x);
      expect(stepFlops(models.mlp([28, 28, 1], z), 128)).toBe(128 * (3 * forward - 2 * x * h));
    });

    it("of conv, counted like the benchmarks: about 1.25 GFLOP with a batch of 32", () => {
      expect(stepFlops(models.conv([28, 28, 1], 2), 32)! / 1e9).toBeCloseTo(1.25, 1);
    });

    it("follows shapes through paddings, strides, pools and residuals", () => {
      const spec = {
        input: [9, 7, 2],
        encoder: [
          conv2d(4, [3, 2], { stride: [2, 1], padding: "valid" as const }), // 4 x 6 x 4
          residual([conv2d(4, 3)]),
          maxPool2d(2), // 2 x 3 x 4
          flatten(),
        ],
        latent: 3,
        decoder: [dense(12), reshape(3, 2, 2), convTranspose2d(2, 3, { stride: 3, padding: 0, outputPadding: [0, 1] })],
        likelihood: { type: "gaussian", variance: 1 } as const,
      };
      const first = 2 * (3 * 2 * 2) * (4 * 6 * 4);
      const others = 2 * (9 * 4) * (4 * 6 * 4) + 2 * 24 * 6 + 2 * 3 * 12 + 2 * 9 * (3 * 2 * 2) * 2;
      expect(stepFlops(spec, 5)).toBe(5 * (2 * first + 3 * others));
    });
  });
});

describe("losses", () => {
  const point = (step: number) => ({ step, loss: 2 * step, reconstruction: step, kl: step });

  it("keeps a run of any length small, in order, and including its end", () => {
    const losses = new Losses();
    for (let step = 1; step <= 10_000; step++) losses.addTrain(point(step));
    const { train } = losses.all;
    expect(train.length).toBeGreaterThan(900);
    expect(train.length).toBeLessThanOrEqual(2000);
    expect(train.at(-1)).toEqual(point(10_000));
    for (const [i, { step }] of train.slice(1).entries()) expect(step).toBeGreaterThan(train[i]!.step);
    // Everything since the last call.
    expect(losses.takeAdded().train).toHaveLength(10_000);
    expect(losses.takeAdded().train).toHaveLength(0);
  });

  it("halves by averaging neighbours", () => {
    expect(halved([point(1), point(3), point(5), point(9)])).toEqual([
      { step: 3, loss: 4, reconstruction: 2, kl: 2 },
      { step: 9, loss: 14, reconstruction: 7, kl: 7 },
    ]);
  });
});

it("figures take few characters", () => {
  expect([0.123, 5.2, 104.23, 9999, 12_345, 178_900, 4.6e15, -3.2, NaN, Infinity].map((n) => shortLoss(n))).toEqual([
    "0.12", "5.20", "104.2", "9999.0", "12k", "179k", "4.6e15", "-3.20", "–", "–",
  ]); // prettier-ignore
  expect([0.012345, 12.345, 1234.5, NaN].map(rounded)).toEqual(["0.0123", "12.3", "1,235", "–"]);
  expect([0.2, 45, 600, 7200, Infinity].map(duration)).toEqual(["1 s", "45 s", "10 min", "2.0 h", "–"]);
});
