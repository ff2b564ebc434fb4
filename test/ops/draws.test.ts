import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { draws } from "../../src/ops/draws.js";
import { opNamed } from "../../src/ops/index.js";
import { tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { someHeads } from "../support/heads.js";
import { weightsTensor } from "../support/losses.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });
const LIMIT = 10;

const headsOf = (B: number, Z: number) => tensor("heads", "activation", [B, 2, Z]);

const numbers = { step: 2 ** 31 + 5, stream: 2, sample: 3, seed_low: 0xffffffff, seed_high: 17 };

describe("forward", () => {
  const make = (B: number, Z: number, copies: number, standard: boolean, step: object = {}): OpCase => ({
    name: `draws ${copies} of ${B}x${Z}${standard ? "" : ", log q alone"} ${JSON.stringify(step)}`,
    build: (random) => {
      const heads = someHeads(B, Z, random);
      const deviation = new Float64Array(B * copies * Z);
      for (let i = 0; i < deviation.length; i++) {
        const raw = heads[(Math.floor(i / Z / copies) * 2 + 1) * Z + (i % Z)]!;
        deviation[i] = Math.exp(Math.min(Math.max(raw, -LIMIT), LIMIT) / 2);
      }
      return {
        node: draws(headsOf(B, Z), copies, standard),
        values: { heads },
        step: { rows: B, ...step },
        scales: {
          z: deviation.map((sigma) => Math.max(sigma, 0.1)),
          // Against the prior it has z^2 / 2.
          ...(standard ? { ratio: deviation.map((sigma) => Math.max(sigma ** 2, 1) * 20) } : {}),
        },
      };
    },
  });
  testOps(device, [
    ...[1, 3].flatMap((copies) =>
      [true, false].map((standard) => make(33, 7, copies, standard, { rows: 20, ...numbers, first_row: 4 })),
    ),
    make(5, 130, 4, true),
    make(1, 1, 2, true),
    make(65, 3, 2, false),
    make(33, 7, 3, true, { knobs: { noise: 0.3 } }),
  ]);
});

describe("gradient", () => {
  interface Of {
    readonly B?: number;
    readonly Z?: number;
    readonly copies: number;
    readonly standard?: boolean;
    readonly over?: boolean;
    readonly loss?: "kl" | "ratio";
  }
  const make = (of: Of): OpCase => ({
    name: `draws_grad ${JSON.stringify(of)}`,
    build: (random) => {
      const { B = 33, Z = 7, copies, standard = true, over = false, loss = "ratio" } = of;
      const rows = B * (loss === "kl" ? 1 : copies);
      const weight = { knob: "beta", ...(over ? { over: weightsTensor(rows) } : {}) };
      const upstream = { z: tensor("dz", "activation", [B * copies, Z]), [loss]: weight };
      return {
        node: opNamed("draws").gradient!(draws(headsOf(B, Z), copies, standard), upstream, () => true).nodes[0]!,
        values: {
          heads: someHeads(B, Z, random),
          z: random.normal(B * copies * Z),
          dz: random.normal(B * copies * Z),
          ...(over ? { over: random.uniform(rows) } : {}),
        },
        step: { rows: B, knobs: { beta: 0.5 } },
      };
    },
  });
  testOps(device, [
    make({ copies: 3, loss: "kl" }),
    make({ copies: 3, loss: "kl", over: true }),
    ...[1, 5].flatMap((copies) =>
      [true, false].flatMap((standard) => [false, true].map((over) => make({ copies, standard, over }))),
    ),
    make({ B: 1, Z: 1, copies: 2, over: true }),
    make({ B: 9, Z: 130, copies: 2, over: true }),
  ]);
});

describe("draws of one example", () => {
  const [B, Z] = [6, 9];
  const heads = new RandomValues("draws").normal(B * 2 * Z);
  const drawn = async (copies: number, step: object = {}) => {
    const node = draws(headsOf(B, Z), copies, true);
    const { outputs, faults } = await runNode(device, {
      node,
      values: { heads },
      step: { ...defaultStep, rows: B, ...step },
    });
    expect(faults).toEqual([]);
    const of = (key: "z" | "ratio") =>
      Array.from({ length: B * copies }, (_, row) => outputs[key]!.slice(row * Z, (row + 1) * Z));
    return { z: of("z"), ratio: of("ratio") };
  };

  it("are the same bits, however many are made at once", async () => {
    const [all, two, last] = [await drawn(5), await drawn(2), await drawn(3, { sample: 2 })];
    for (let example = 0; example < B; example++) {
      for (const key of ["z", "ratio"] as const) {
        expect(two[key].slice(2 * example, 2 * example + 2)).toEqual(all[key].slice(5 * example, 5 * example + 2));
        expect(last[key].slice(3 * example, 3 * example + 3)).toEqual(all[key].slice(5 * example + 2, 5 * example + 5));
      }
    }
    expect(new Set(all.z.flatMap((row) => [...row])).size).toBe(B * 5 * Z);
  });

  it("have a ratio whose mean is the KL divergence", async () => {
    const copies = 4000;
    const node = draws(headsOf(1, 2), copies, true);
    const { outputs } = await runNode(device, {
      node,
      values: { heads: Float64Array.of(0.7, -1, -0.5, 0.4) },
      step: defaultStep,
    });
    for (const j of [0, 1]) {
      const values = outputs.ratio!.filter((_, i) => i % 2 === j);
      const mean = values.reduce((sum, value) => sum + value, 0) / copies;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / copies;
      expect(Math.abs(mean - outputs.kl![j]!)).toBeLessThan(4 * Math.sqrt(variance / copies));
    }
  });
});
