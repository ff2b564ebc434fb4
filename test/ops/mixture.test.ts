import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { mixture, mixtureSample } from "../../src/ops/mixture.js";
import { opNamed } from "../../src/ops/index.js";
import { tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { gradientBy, minimised, weightsTensor } from "../support/losses.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });

interface Sizes {
  readonly examples: number;
  readonly latents: number;
  readonly components: number;
  readonly copies?: number;
  readonly rows?: number;
  readonly over?: boolean;
}

const headsOf = ({ components, latents }: Sizes) => tensor("heads", "param", [components, 2, latents]);

const forward = (sizes: Sizes) => {
  const { examples, latents, copies = 1 } = sizes;
  return mixture(tensor("z", "activation", [examples * copies, latents]), headsOf(sizes), copies);
};

/** Log variances also beyond the limits, and components that no row is near. */
function someHeads({ components, latents }: Sizes, random: RandomValues): Float64Array {
  const heads = random.normal(components * 2 * latents);
  if (components > 2) {
    heads[2 * latents] = 30;
    heads[3 * latents] = Math.fround(10.5);
    heads[latents] = Math.fround(-10.25);
  }
  return heads;
}

const step = ({ examples, rows = examples }: Sizes) => ({ rows, knobs: { weight: 0.375, noise: 1 } });

const loss = (sizes: Sizes): OpCase => ({
  name: `mixture ${JSON.stringify(sizes)}`,
  build: (random) => {
    const { examples, latents, copies = 1, over } = sizes;
    const rows = examples * copies;
    const heads = someHeads(sizes, random);
    const z = random.normal(rows * latents);
    // Near the narrow component's mean, or the others' shares would all be 0.
    for (let row = 0; row < rows && latents > 1; row++) z[row * latents] = Math.fround(heads[0]! + 0.001 * row);
    const weight = { knob: "weight", over: weightsTensor(rows) };
    const node = forward(sizes);
    return {
      node: over ? gradientBy(node, weight, "prior") : minimised(node, "weight", "prior"),
      values: { z, heads, ...(over ? { over: random.uniform(rows) } : {}) },
      step: step(sizes),
    };
  },
});

const ofHeads = (sizes: Sizes): OpCase => ({
  name: `mixture_grad_heads ${JSON.stringify(sizes)}`,
  build: (random) => {
    const { examples, latents, components } = sizes;
    const { nodes } = opNamed("mixture").gradient!(forward(sizes), { prior: { knob: "weight" } }, () => true);
    const heads = random.normal(components * 2 * latents);
    if (components > 2) heads[latents] = Math.fround(-10.25);
    return {
      node: nodes[1]!,
      values: {
        z: random.normal(examples * latents),
        heads,
        shares: random.uniform(examples * components).map((share) => Math.fround(share / examples)),
      },
      step: step(sizes),
    };
  },
});

describe("the loss and its gradient", () => {
  testOps(device, [
    loss({ examples: 1, latents: 1, components: 1 }),
    loss({ examples: 65, latents: 7, components: 3 }),
    loss({ examples: 33, latents: 20, components: 10 }),
    loss({ examples: 33, latents: 20, components: 10, rows: 20 }),
    loss({ examples: 11, latents: 5, components: 4, copies: 3, rows: 9 }),
    loss({ examples: 11, latents: 5, components: 4, copies: 3, over: true }),
    loss({ examples: 3, latents: 2, components: 130 }),
  ]);
});

describe("the gradient of the components", () => {
  testOps(device, [
    ofHeads({ examples: 1, latents: 1, components: 1 }),
    ofHeads({ examples: 65, latents: 7, components: 3 }),
    ofHeads({ examples: 128, latents: 20, components: 10 }),
    ofHeads({ examples: 3, latents: 2, components: 130 }),
  ]);
});

describe("draws", () => {
  const draw = (sizes: Sizes, noise = 1): OpCase => ({
    name: `mixture_sample ${JSON.stringify(sizes)}, noise ${noise}`,
    build: (random) => {
      const { components, latents } = sizes;
      const heads = random.normal(components * 2 * latents);
      const step = { rows: sizes.examples, first_row: 100, stream: 5, knobs: { noise } };
      return { node: mixtureSample(headsOf(sizes), sizes.examples, "noise"), values: { heads }, step };
    },
  });
  testOps(device, [
    draw({ examples: 65, latents: 7, components: 3 }),
    draw({ examples: 33, latents: 20, components: 10 }, 0.3),
    draw({ examples: 1, latents: 1, components: 1 }),
    draw({ examples: 400, latents: 2, components: 7 }, 0),
  ]);

  it("come from each component alike, with its mean and variance", async () => {
    const [rows, C] = [6000, 3];
    // Far apart, so that each draw tells where it is from.
    const heads = Float64Array.of(-20, -2, 0, 0, 20, 1);
    const { outputs } = await runNode(device, {
      node: mixtureSample(tensor("heads", "param", [C, 2, 1]), rows, "noise"),
      values: { heads },
      step: { ...defaultStep, rows, stream: 5 },
    });
    for (let c = 0; c < C; c++) {
      const [mean, s] = [heads[2 * c]!, heads[2 * c + 1]!];
      const own = outputs.drawn!.filter((value) => Math.abs(value - mean) < 10);
      const share = own.length / rows;
      expect(Math.abs(share - 1 / C)).toBeLessThan(4 * Math.sqrt(((1 / C) * (1 - 1 / C)) / rows));
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
      expect(Math.abs(variance / Math.exp(s) - 1)).toBeLessThan(4 * Math.sqrt(2 / own.length));
    }
  });
});

it("is minus the logarithm of a density: it integrates to 1", async () => {
  const [C, rows] = [3, 4001];
  const random = new RandomValues("integral");
  const heads = random.normal(C * 2);
  const grid = Float64Array.from({ length: rows }, (_, i) => (i - 2000) / 100);
  const { outputs } = await runNode(device, {
    node: mixture(tensor("z", "activation", [rows, 1]), tensor("heads", "param", [C, 2, 1]), 1),
    values: { z: grid, heads },
    step: { ...defaultStep, rows, slot: 1 },
  });
  const total = outputs.prior!.reduce((sum, value) => sum + Math.exp(-value) / 100, 0);
  expect(Math.abs(total - 1)).toBeLessThan(1e-4);
});

it("a NaN in a row of z reaches its loss and no other", async () => {
  const sizes = { examples: 5, latents: 3, components: 4 };
  const z = new Float64Array(15);
  z[7] = NaN;
  const { outputs } = await runNode(device, {
    node: forward(sizes),
    values: { z, heads: new RandomValues("nan").normal(24) },
    step: { ...defaultStep, rows: 5 },
  });
  expect([...outputs.prior!].map(Number.isFinite)).toEqual([true, true, false, true, true]);
});
