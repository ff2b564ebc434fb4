import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { gradientNorm, normParts, totalNorm } from "../../src/ops/gradient_norm.js";
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
  const [reconstruction, kl] = [vector("reconstruction", "ring", R), vector("kl", "ring", K)];
  return gradientNorm(vector("gradients", "gradient", N), reconstruction, kl, vector("health", "state", 2));
}

const values = (N: number, R: number, K: number, random: RandomValues) => ({
  gradients: random.normal(N, Math.sqrt(1 / Math.max(1, N / normParts(N)))),
  reconstruction: random.normal(R, 100),
  kl: random.normal(K, 10),
  health: Float64Array.of(0, 0),
});

describe("norms", () => {
  const sizes = [4, 64, 252, 256, 260, 4096, 16_384, 16_448, 40_000, 130_004];
  testOps(
    device,
    sizes.map((N, i): OpCase => ({
      name: `gradient_norm ${N}`,
      build: (random) => {
        const [R, K] = [1 + 700 * i, 4 + 500 * (9 - i)];
        return { node: node(N, R, K), values: values(N, R, K, random) };
      },
    })),
  );
  testOps(
    device,
    [64, 128, 1280, 4096].map((parts): OpCase => ({
      name: `total_norm ${parts}`,
      build: (random) => ({
        node: totalNorm(vector("norms", "ring", parts)),
        values: { norms: random.uniform(parts, 0, 1) },
      }),
    })),
  );

  it("have few enough parts to be read back, and enough to keep a GPU busy", () => {
    expect([4, 64, 32_768, 32_772, 652_864, 1e9].map(normParts)).toEqual([64, 64, 64, 128, 1280, 4096]);
  });
});

async function healthAfter(change: (of: ReturnType<typeof values>) => void, [N, R, K] = [300, 9000, 5000] as const) {
  const given = values(N, R, K, new RandomValues("health"));
  change(given);
  const { outputs, faults } = await runNode(device, { node: node(N, R, K), values: given, step: defaultStep });
  expect(faults).toEqual([]);
  return outputs;
}

describe("health", () => {
  it("stays good while every value is finite, even if one is huge", async () => {
    const { health } = await healthAfter(({ kl }) => (kl[7] = Math.fround(3e38)));
    expect([...health!]).toEqual([0, 0]);
  });

  it("stays bad once it is, and remembers every step", async () => {
    const { health } = await healthAfter(({ health }) => health.set([1, 7]));
    expect([...health!]).toEqual([1, 7]);
  });

  it.each([NaN, Infinity, -Infinity])("is halted for %s anywhere in any loss", async (bad) => {
    for (const key of ["reconstruction", "kl"] as const) {
      for (const place of [0, 1, 63, 64, 2047, 4095, 4096, 4999]) {
        const { health } = await healthAfter((given) => (given[key][place] = bad));
        expect([...health!], `${key} ${place}`).toEqual([1, 0]);
      }
    }
  });

  it.each([NaN, Infinity, Math.fround(3e30)])("skips this step for %s in a gradient", async (bad) => {
    for (const place of [0, 3, 255, 256, 299]) {
      const { health, norms } = await healthAfter(({ gradients }) => (gradients[place] = bad));
      expect([...health!]).toEqual([0, defaultStep.step + 1]);
      const broken = [...norms!.keys()].filter((part) => !Number.isFinite(norms![part]!));
      expect(broken).toEqual([(place >> 2) % 64]);
    }
  });
});
