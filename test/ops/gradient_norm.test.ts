import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { gradientNorm } from "../../src/ops/gradient_norm.js";
import type { Tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });

function vector(name: string, role: Tensor["role"], length: number): Tensor {
  return { name, role, shape: [length], storage: [length] };
}

function node(N: number, R: number, K: number) {
  const [reconstruction, kl] = [vector("reconstruction", "output", R), vector("kl", "output", K)];
  return gradientNorm(vector("gradients", "gradient", N), reconstruction, kl, vector("halted", "state", 1));
}

const values = (N: number, R: number, K: number, random: RandomValues) => ({
  // A part sums up to a sixty-fourth of them.
  gradients: random.normal(N, Math.sqrt(1 / Math.max(1, N / 64))),
  reconstruction: random.normal(R, 100),
  kl: random.normal(K, 10),
  halted: Float64Array.of(0),
});

describe("norms", () => {
  const sizes = [4, 64, 252, 256, 260, 4096, 16_384, 16_448, 40_000, 130_004];
  testOps(
    device,
    sizes.map((N, i): OpCase => ({
      name: `gradient_norm ${N}`,
      build: (random) => {
        const [R, K] = [1 + 700 * i, 2 + 500 * (9 - i)];
        return { node: node(N, R, K), values: values(N, R, K, random) };
      },
    })),
  );
});

async function haltedAfter(change: (of: ReturnType<typeof values>) => void, [N, R, K] = [300, 9000, 5000] as const) {
  const given = values(N, R, K, new RandomValues("halted"));
  change(given);
  const { outputs, faults } = await runNode(device, { node: node(N, R, K), values: given, step: defaultStep });
  expect(faults).toEqual([]);
  return outputs;
}

describe("halted", () => {
  it("stays 0 while every loss is finite, also where one is huge", async () => {
    const { halted } = await haltedAfter(({ kl }) => (kl[7] = Math.fround(3e38)));
    expect([...halted!]).toEqual([0]);
  });

  it("stays 1 once it is", async () => {
    const { halted } = await haltedAfter(({ halted }) => (halted[0] = 1));
    expect([...halted!]).toEqual([1]);
  });

  it.each([NaN, Infinity, -Infinity])("becomes 1 for %s at any place of any loss", async (bad) => {
    for (const key of ["reconstruction", "kl"] as const) {
      for (const place of [0, 1, 63, 64, 2047, 4095, 4096, 4999]) {
        const { halted } = await haltedAfter((given) => (given[key][place] = bad));
        expect([...halted!], `${key} ${place}`).toEqual([1]);
      }
    }
  });

  it.each([NaN, Infinity, Math.fround(3e30)])(
    "is not what %s in a gradient makes: its part of the norm is",
    async (bad) => {
      for (const place of [0, 3, 255, 256, 299]) {
        const { halted, norms } = await haltedAfter(({ gradients }) => (gradients[place] = bad));
        expect([...halted!]).toEqual([0]);
        const broken = [...norms!.keys()].filter((part) => !Number.isFinite(norms![part]!));
        expect(broken).toEqual([place >> 8]);
      }
    },
  );
});
