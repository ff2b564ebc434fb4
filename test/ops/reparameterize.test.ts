import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { opNamed } from "../../src/ops/index.js";
import { reparameterize, samplePrior } from "../../src/ops/reparameterize.js";
import { tensor, type Tensor } from "../../src/tensor.js";
import { someHeads } from "../support/heads.js";
import { weightsTensor } from "../support/losses.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode, type NodeRun } from "../support/run_node.js";
import { edgeShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });
const shapes = [...edgeShapes(2), ...randomShapes([200, 40], 6)];
const LIMIT = 10;

const forward = (B: number, Z: number, noise = true) => reparameterize(tensor("heads", "activation", [B, 2, Z]), noise);

function backward(B: number, Z: number, over?: Tensor) {
  const dz = tensor("dz", "activation", [B, Z]);
  const kl = { knob: "beta", ...(over ? { over } : {}) };
  return opNamed("reparameterize").gradient!(forward(B, Z), { z: dz, kl }, () => true).nodes[0]!;
}

const numbers = { step: 2 ** 31 + 5, stream: 2, sample: 3, seed_low: 0xffffffff, seed_high: 17 };

describe("forward", () => {
  const make = (B: number, Z: number, name: string, step: object, noise = true): OpCase => ({
    name: `reparameterize ${B}x${Z}${name}`,
    build: (random) => {
      const heads = someHeads(B, Z, random);
      const deviation = new Float64Array(B * Z);
      for (let i = 0; i < B * Z; i++) {
        const raw = heads[(Math.floor(i / Z) * 2 + 1) * Z + (i % Z)]!;
        deviation[i] = Math.exp(Math.min(Math.max(raw, -LIMIT), LIMIT) / 2);
      }
      return {
        node: forward(B, Z, noise),
        values: { heads },
        step: { rows: B, ...step },
        // The mean's own rounding adds to the error.
        scales: { z: deviation.map((sigma) => Math.max(sigma, 0.1)) },
      };
    },
  });
  testOps(device, [
    ...shapes.map(([B = 1, Z = 1]) => make(B, Z, "", {})),
    make(33, 7, ", other numbers", { ...numbers, first_row: 100 }),
    make(33, 7, ", 20 rows count", { rows: 20 }),
    make(33, 7, ", without noise", {}, false),
    ...[0, 0.3, 2.5].map((noise) => make(33, 7, `, noise ${noise}`, { knobs: { noise } })),
  ]);

  it("with noise 0, z is the mean, bit for bit, whatever the deviation", async () => {
    const [B, Z] = [33, 7];
    const heads = someHeads(B, Z, new RandomValues("noise 0")).map(Math.fround);
    const { outputs } = await run({
      node: forward(B, Z),
      values: { heads },
      step: { ...defaultStep, rows: B, knobs: { noise: 0 } },
    });
    const means = heads.filter((_, i) => Math.floor(i / Z) % 2 === 0);
    expect(outputs.z).toEqual(means);
  });
});

describe("gradient", () => {
  const make = (B: number, Z: number, name: string, step: object): OpCase => ({
    name: `reparameterize_grad ${B}x${Z}${name}`,
    build: (random) => ({
      node: backward(B, Z),
      values: { heads: someHeads(B, Z, random), z: random.normal(B * Z), dz: random.normal(B * Z) },
      step: { rows: B, knobs: { beta: 0.5 }, ...step },
    }),
  });
  testOps(device, [
    ...shapes.map(([B = 1, Z = 1]) => make(B, Z, "", {})),
    make(33, 7, ", beta 0", { knobs: { beta: 0 } }),
    make(33, 7, ", 20 rows count", { rows: 20 }),
  ]);
  const over = (B: number, Z: number, rows: number, parts: number): OpCase => ({
    name: `by weights ${B}x${Z}, weights [${rows}, ${parts}]`,
    build: (random) => ({
      node: backward(B, Z, weightsTensor(rows, parts)),
      values: {
        heads: someHeads(B, Z, random),
        z: random.normal(B * Z),
        dz: random.normal(B * Z),
        over: random.uniform(rows * parts),
      },
      step: { rows: B, knobs: { beta: 0.5 } },
    }),
  });
  testOps(device, [
    ...shapes.flatMap(([B = 1, Z = 1]) => [over(B, Z, B, Z)]),
    over(33, 7, 33, 1),
    over(33, 7, 1, 7),
    over(33, 7, 1, 1),
    over(1, 8, 1, 8),
  ]);
});

describe("prior", () => {
  testOps(
    device,
    shapes.map(([B = 1, Z = 1]): OpCase => ({
      name: `sample_prior ${B}x${Z}`,
      build: () => ({ node: samplePrior(B, Z), values: {}, step: { rows: B, ...numbers } }),
    })),
  );
  testOps(
    device,
    [0, 0.3, 2.5].map((noise): OpCase => ({
      name: `sample_prior 33x7, noise ${noise}`,
      build: () => ({
        node: samplePrior(33, 7),
        values: {},
        step: { rows: 33, ...numbers, knobs: { noise } },
        scales: { z: new Float64Array(33 * 7).fill(noise || 1) },
      }),
    })),
  );
});

const run = (changes: Pick<NodeRun, "node" | "values"> & Partial<NodeRun>) =>
  runNode(device, { step: { ...defaultStep, rows: 4 }, ...changes });

describe("the noise", () => {
  it("has the moments 0, 1, 0, 3, no correlation between neighbours, and no repeats", async () => {
    const [B, Z] = [2000, 20];
    const { z } = (await run({ node: samplePrior(B, Z), values: {} })).outputs as { z: Float64Array };
    const n = B * Z;
    const moment = (k: number) => z.reduce((sum, e) => sum + e ** k, 0) / n;
    // Four standard errors: e, e^2, e^3, e^4 have variances 1, 2, 15, 96.
    [0, 1, 0, 3].forEach((expected, k) => {
      expect(Math.abs(moment(k + 1) - expected)).toBeLessThan(4 * Math.sqrt([1, 2, 15, 96][k]! / n));
    });
    for (const lag of [1, 2, 3, 4, Z]) {
      let sum = 0;
      for (let i = lag; i < n; i++) sum += z[i]! * z[i - lag]!;
      expect(Math.abs(sum / n)).toBeLessThan(4 / Math.sqrt(n));
    }
    // Among 40,000 draws from about 2^40 pairs hardly two are equal; f32 rounding alone gives a few.
    expect(new Set(z).size).toBeGreaterThan(0.99 * n);
  });

  it("is the same for any workgroup size", async () => {
    const [B, Z] = [37, 6];
    const draws: Float64Array[] = [];
    for (const WORKGROUP_SIZE of [1, 32, 64, 256]) {
      const alter: NodeRun["alter"] = (dispatch) => ({
        ...dispatch,
        constants: { ...dispatch.constants, WORKGROUP_SIZE },
        workgroups: Math.ceil((B * Math.ceil(Z / 4)) / WORKGROUP_SIZE),
      });
      const { outputs, faults } = await run({ node: samplePrior(B, Z), values: {}, alter });
      expect(faults).toEqual([]);
      draws.push(outputs.z!);
    }
    for (const draw of draws.slice(1)) expect(draw).toEqual(draws[0]);
  });

  it("differs for another step, sample, stream, seed or position in the epoch", async () => {
    const step = { ...defaultStep, rows: 4 };
    const changes = [
      {},
      { step: 8 },
      { sample: 1 },
      { stream: 2 },
      { seed_low: 1 },
      { seed_high: 1 },
      { first_row: 4 },
    ];
    const seen = new Set<string>();
    for (const change of changes) {
      const { outputs } = await run({ node: samplePrior(4, 4), values: {}, step: { ...step, ...change } });
      seen.add(String(outputs.z!.slice(0, 4)));
    }
    expect(seen.size).toBe(changes.length);
  });
});

describe("the KL term", () => {
  it("is separate for each latent, and ignores rows that do not count, whatever they contain", async () => {
    const [B, Z] = [4, 6];
    const heads = new Float64Array(B * 2 * Z);
    // Means 1 to 6 in row 1, and in row 3 values that no counted row may have.
    for (let j = 0; j < Z; j++) heads[2 * Z + j] = j + 1;
    heads.fill(NaN, 3 * 2 * Z, 3 * 2 * Z + Z).fill(88, 3 * 2 * Z + Z);
    const { outputs } = await run({ node: forward(B, Z), values: { heads }, step: { ...defaultStep, rows: 3 } });
    const row = [1, 2, 3, 4, 5, 6].map((mean) => mean ** 2 / 2);
    const none = row.map(() => 0);
    expect([...outputs.kl!]).toEqual([...none, ...row, ...none, ...none]);
    expect([...outputs.clamped!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe("a bad head", () => {
  it.each([NaN, Infinity, -Infinity])("%s in the mean or the log variance reaches the KL term", async (bad) => {
    for (const half of [0, 1]) {
      const [B, Z] = [4, 6];
      const heads = new Float64Array(B * 2 * Z);
      heads[(2 * 2 + half) * Z + 5] = bad;
      const { outputs } = await run({ node: forward(B, Z), values: { heads } });
      const broken = [...outputs.kl!.keys()].filter((i) => !Number.isFinite(outputs.kl![i]!));
      expect(broken).toEqual([2 * Z + 5]);
      expect([...outputs.clamped!].every(Number.isInteger)).toBe(true);
    }
  });

  it("beyond the limits is counted, and its gradient only points inward", async () => {
    const [B, Z] = [4, 4];
    const heads = new Float64Array(B * 2 * Z);
    const raw = [11, 11, -11, -11];
    raw.forEach((s, j) => (heads[Z + j] = s));
    const { outputs } = await run({ node: forward(B, Z), values: { heads } });
    expect([...outputs.clamped!]).toEqual([4, 0, 0, 0]);
    // With beta 0, ds = dz (z - mu) / 2: of either sign, at either limit.
    const z = new Float64Array(B * Z).fill(2);
    const dz = new Float64Array(B * Z);
    dz.set([3, -3, 3, -3]);
    const { dheads } = (
      await run({
        node: backward(B, Z),
        values: { heads, z, dz },
        step: { ...defaultStep, rows: B, knobs: { beta: 0 } },
      })
    ).outputs;
    expect([...dheads!.slice(Z, 2 * Z)].map((ds) => ds + 0)).toEqual([3, 0, 0, -3]);
  });
});
