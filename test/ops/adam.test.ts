import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { StepValues } from "../../src/executable.js";
import { adam, type AdamOptions } from "../../src/ops/adam.js";
import type { Tensor } from "../../src/tensor.js";
import { adamTwins } from "../reference/adam.js";
import type { Values } from "../reference/twin.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { compare } from "../support/compare.js";
import { testDevice } from "../support/gpu.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { toleranceOf } from "../support/tolerances.js";

const device = await Device.open({ device: await testDevice() });

const plain: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };
const variants: Readonly<Record<string, Partial<AdamOptions>>> = {
  plain: {},
  "another epsilon and betas": { epsilon: 1e-4, beta1: 0.5, beta2: 0.9 },
  "L2 decay": { weightDecay: 0.05 },
  "decoupled decay": { weightDecay: 0.05, decoupled: true },
  clipped: { clipNorm: 0.5 },
  "clipped far above its norm": { clipNorm: 1e6 },
  "clipped, L2 decay": { clipNorm: 0.5, weightDecay: 0.05 },
  "clipped, decoupled decay": { clipNorm: 0.5, weightDecay: 0.05, decoupled: true },
};

function node(N: number, options: Partial<AdamOptions>) {
  const vector = (name: string, role: Tensor["role"], length = N): Tensor => ({
    name,
    role,
    shape: [length],
    storage: [length],
  });
  const tensors = {
    params: vector("params", "param"),
    gradients: vector("gradients", "gradient"),
    moment1: vector("moment1", "state"),
    moment2: vector("moment2", "state"),
    norm: vector("norm", "state", 4),
    health: vector("health", "state", 2),
  };
  return adam(tensors, { ...plain, ...options });
}

/** A gradient's norm, alone in its vec4. */
function normOf(gradients: Float64Array): Float64Array {
  return Float64Array.of(Math.fround(Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0))), 0, 0, 0);
}

function atStep(t: number, { beta1, beta2 }: AdamOptions): StepValues {
  const [correction1, correction2] = [1 / (1 - beta1 ** t), 1 / (1 - beta2 ** t)].map(Math.fround) as [number, number];
  const knobs = { learning_rate: Math.fround(0.01), correction1, correction2 };
  return { ...defaultStep, step: t, slot: t % 3, knobs };
}

const initial = (N: number, random: RandomValues) => {
  const gradients = random.normal(N);
  const params = random.normal(N);
  const [moment1, moment2] = [random.normal(N), random.uniform(N, 0, 2)];
  return { params, gradients, moment1, moment2, norm: normOf(gradients), health: Float64Array.of(0, 0) };
};

describe("one step", () => {
  // A workgroup has 4,096 weights.
  const sizes = [4, 64, 260, 4092, 4096, 4100, 12_352];
  testOps(device, [
    ...sizes.map((N): OpCase => ({
      name: `adam ${N}`,
      build: (random) => ({ node: node(N, {}), values: initial(N, random), step: atStep(3, plain) }),
    })),
    ...Object.entries(variants).map(([name, options]): OpCase => ({
      name: `adam, ${name}`,
      build: (random) => ({ node: node(64, options), values: initial(64, random), step: atStep(3, plain) }),
    })),
  ]);
});

describe("twenty steps from moments of zero", () => {
  it.each(Object.entries(variants))("%s", async (name, changes) => {
    const N = 100;
    const options = { ...plain, ...changes };
    const random = new RandomValues(`twenty steps, ${name}`);
    const start = { params: random.normal(N), moment1: new Float64Array(N), moment2: new Float64Array(N) };
    const health = new Float64Array(2);
    let kernel: Values = start;
    let twin = kernel;
    for (let t = 1; t <= 20; t++) {
      const gradients = random.normal(N);
      const given = { gradients, norm: normOf(gradients), health };
      const step = atStep(t, options);
      const { outputs, faults } = await runNode(device, {
        node: node(N, options),
        values: { ...kernel, ...given },
        step,
      });
      expect(faults).toEqual([]);
      kernel = outputs;
      twin = adamTwins.adam!(node(N, options), { ...twin, ...given }, step);
    }
    for (const key of ["params", "moment1", "moment2"]) {
      expect(compare(kernel[key]!, twin[key]!, toleranceOf("adam", key)), key).toBeUndefined();
    }
    expect(compare(kernel.params!, start.params, toleranceOf("adam", "params"))).toBeDefined();
  });
});

describe("a step that must be skipped changes no bit", () => {
  const unchanged = async (
    change: (values: ReturnType<typeof initial>) => void,
    options: Partial<AdamOptions> = {},
  ) => {
    const values = initial(4100, new RandomValues("skipped"));
    change(values);
    const { outputs, faults } = await runNode(device, { node: node(4100, options), values, step: atStep(2, plain) });
    expect(faults).toEqual([]);
    for (const key of ["params", "moment1", "moment2"] as const) expect(outputs[key]).toEqual(values[key]);
  };

  it("if its gradient was not finite", async () => {
    await unchanged(({ health }) => (health[1] = 3));
    await unchanged(({ health }) => (health[1] = 3), { clipNorm: 1, weightDecay: 0.1, decoupled: true });
  });

  it("if the run is halted", () => unchanged(({ health }) => (health[0] = 1)));

  it("but not if another step's gradient was not finite", async () => {
    await expect(unchanged(({ health }) => (health[1] = 2))).rejects.toThrow();
  });
});
