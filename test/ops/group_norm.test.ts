import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import { layoutOf } from "../../src/ops/batch_norm.js";
import { groupNorm } from "../../src/ops/group_norm.js";

import { tensor, type Activation, activations } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { affineTensors, backwardNodes, chain, inputTensor, normValues } from "../support/norms.js";

const device = await Device.open({ device: await testDevice() });

interface Variant {
  readonly groups: number;
  readonly activation?: Activation;
  readonly from?: Activation;
  readonly level?: number;
}

/** All nodes of a normalization of an x made by `from`: forward, then backward. */
function nodes(shape: readonly number[], { groups, activation = "none", from = "none" }: Variant): Node[] {
  const x = inputTensor(shape, from);
  const forward = groupNorm("y", x, affineTensors(shape), { groups, epsilon: 1e-3 }, activation);
  return [...forward, ...backwardNodes(forward)];
}

function cases(shape: readonly number[], variant: Variant, ops = /./): OpCase[] {
  const { from = "none", level = 0 } = variant;
  const shown = [shape.join("x"), ...Object.entries(variant).map(([key, value]) => `${key}=${value}`)].join(" ");
  return nodes(shape, variant)
    .filter(({ op }) => ops.test(op))
    .map((node) => ({
      name: `${node.op} ${shown}`,
      build: (random) => ({ node, values: normValues(node, random, from, level) }),
    }));
}

/** Groups of 1 channel, of all, of some that fill vec4s, and of some that straddle them. */
const channels = [
  [1, 1],
  [3, 1],
  [3, 3],
  [4, 2],
  [5, 1],
  [5, 5],
  [6, 2],
  [12, 4],
  [17, 1],
  [20, 4],
  [64, 1],
  [64, 8],
  [64, 64],
] as const;
/** Values of an example flat, a pixel, and images of one part and of several. */
const images = [[3], [1, 1, 1], [7, 1, 1], [4, 5, 5], [5, 20, 20], [1, 40, 50]];

describe("every size", () => {
  testOps(
    device,
    images.flatMap((image) => channels.flatMap(([C, groups]) => cases([...image, C], { groups }))),
  );

  it("has one or more parts, none of them empty", () => {
    const counts = images.map((image) => layoutOf(tensor("x", "input", [...image, 6]), 2));
    expect(counts.map(({ sections }) => sections)).toEqual([3, 1, 7, 4, 5, 1]);
    expect(counts.map(({ rows }) => rows)).toEqual([1, 1, 1, 25, 400, 2000]);
    expect(counts.map(({ parts }) => parts)).toEqual([1, 1, 1, 2, 7, 19]);
  });
});

describe("every activation", () => {
  testOps(
    device,
    activations.flatMap((activation) => [
      ...cases([3, 2, 5, 6], { groups: 2, activation }, /group_norm$/),
      ...cases([3, 2, 5, 6], { groups: 2, from: activation }, /_grad$/),
    ]),
  );
});

describe("a mean a thousand deviations from zero", () => {
  testOps(device, cases([4, 20, 20, 6], { groups: 2, level: 1000 }, /_moments$|group_norm$|_sums$|_grad$/));

  it.each([[[4, 20, 20, 6]], [[3, 1, 1, 2]], [[50, 64]]])(
    "costs no precision from moments to gradients: %j",
    async (shape) =>
      chain(device, nodes(shape, { groups: 2 }), `thousand ${shape.join()}`, ["y", "dx", "dgamma", "dbeta"]),
  );
});

it("groups of unequal size are rejected", () => {
  expect(() => nodes([2, 3, 3, 6], { groups: 4 })).toThrow("group_norm y: 4 groups of 6 channels");
});
