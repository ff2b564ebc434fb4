// Which schedule a product takes where nothing is measured, and where nothing needs to be.
import { describe, expect, test } from "vitest";
import { conv2dTranspose } from "../../src/ops/conv2d.js";
import { opNamed, opNames, sizesOf, workOf } from "../../src/ops/index.js";
import type { Node } from "../../src/graph.js";
import type { Schedule } from "../../src/ops/op.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import { settled, usualSchedule } from "../../src/tuning_table.js";
import { directions, gradientsOf, layer, square } from "../support/convolutions.js";
import { graphOf } from "../support/dense.js";

describe("what the table says for certain is not measured", () => {
  // Tiles have 32 columns: 512 fill theirs, 40 fill 63 % of two, 36 fill 56 %, 8 fill a quarter of one.
  test.each([
    ["google swiftshader (SwiftShader driver 5.0.0)", 512, true],
    ["google swiftshader (SwiftShader driver 5.0.0)", 8, true],
    ["google swiftshader (SwiftShader driver 5.0.0)", 40, false],
    ["google swiftshader (SwiftShader driver 5.0.0)", 36, false],
    ["llvmpipe", 512, false],
    ["nvidia hopper", 512, false],
  ])("%s, %i columns: %s", (adapter, columns, expected) => {
    expect(settled(adapter, graphOf([128, 512, columns]).nodes[0]!)).toBe(expected);
  });
});

describe("an op says how large its products are", () => {
  test("every one that has schedules", () => {
    const said = opNames().filter((name) => "work" in opNamed(name) && "sizes" in opNamed(name));
    expect(said.length).toBeGreaterThan(8);
    expect(said).toEqual(opNames().filter((name) => opNamed(name).schedules));
  });

  test("without padding, for each matrix that is made, whether or not it is summed in parts", () => {
    const [forward] = graphOf([1000, 7, 5]).nodes as [Node];
    const dy = tensor("dy", "activation", [1000, 5]);
    const { nodes } = opNamed("linear").gradient!(forward, { y: dy }, () => true);
    const [both, sums] = nodes as [Node, Node];
    expect(both.outputs.dW!.shape).toEqual([2, 7, 5]);
    expect([forward, both, sums].map(workOf)).toEqual([35_000, 2 * 35_000, 0]);
    expect([forward, both].map(sizesOf)).toEqual([
      { text: "1000x8x8", columns: [8] },
      { text: "1000x8x8", columns: [8, 8] },
    ]);
    expect(sizesOf(sums).columns).toEqual([]);
  });

  test("of a convolution and its gradients the same, though they read other tensors", () => {
    const geometry = { B: 40, CL: 3, CS: 5, ...square(10, 5, 4, 2, 1) };
    for (const direction of directions) {
      const forward = layer(direction, geometry, "none", "relu");
      const [weight, sums, input] = gradientsOf(forward, true).nodes as [Node, Node, Node];
      expect(weight.outputs.dW!.shape).toEqual([2, 4, 4, 3, 5]);
      const work = 40 * 5 * 5 * 4 * 4 * 3 * 5;
      expect([forward, weight, sums, input].map(workOf)).toEqual([work, work, 0, work]);
      for (const node of [forward, weight, input]) {
        const { text, winograd } = sizesOf(node);
        expect(text).toBe("40x10x10x3 40x5x5x5 4x4 2x2");
        expect(winograd).toEqual({ tiles: 40 * 9, channels: 16, small: 8 });
      }
      const columns = direction === "conv2d" ? [8, 8, 4] : [4, 8, 8];
      expect([forward, weight, input].map((node) => sizesOf(node).columns)).toEqual(columns.map((count) => [count]));
    }
  });
});

describe("the table", () => {
  const all: readonly Schedule[] = ["direct", "subgroups", "tiled"];
  const [wide, heads, narrow, small] = graphOf([128, 784, 400], [128, 400, 40], [128, 400, 16], [8, 64, 64]).nodes;
  const grey = conv2dTranspose(
    "y",
    tensor("x", "input", [32, 28, 28, 32]),
    weightTensor("W", "param", [3, 3, 1], [32]),
    tensor("b", "param", [1]),
    { stride: [1, 1], pad: [1, 1], size: [28, 28] },
  );
  const winograd: readonly Schedule[] = [...all, "winograd"];
  /** A transposed convolution that doubles 16x16 pixels, from `C` channels to `to`. */
  const doubled = (C: number, to: number) =>
    conv2dTranspose(
      "y",
      tensor("x", "input", [16, 16, 16, C]),
      weightTensor("W", "param", [4, 4, to], [C]),
      tensor("b", "param", [to]),
      { stride: [2, 2], pad: [1, 1], size: [32, 32] },
    );
  test.each([
    ["software, full tiles", true, all, wide!, "subgroups"],
    ["software without subgroups", true, ["direct", "tiled"], wide!, "direct"],
    ["software, 40 columns", true, all, heads!, "subgroups"],
    ["software, 16 columns", true, all, narrow!, "direct"],
    ["software, one channel", true, all, grey, "direct"],
    ["software, 64 channels doubled in size to 64", true, winograd, doubled(64, 64), "winograd"],
    ["software, 32 channels to 64: the transforms are dear", true, winograd, doubled(32, 64), "subgroups"],
    // One vec4 of channels shares few loads, so that a direct product of it is dear.
    ["software, 64 channels to 3", true, winograd, doubled(64, 3), "winograd"],
    ["software, 8 channels to 3", true, winograd, doubled(8, 3), "direct"],
    ["software, 64 channels to 3 without subgroups", true, ["direct", "tiled"], doubled(64, 3), "direct"],
    ["hardware, 64 channels doubled in size to 64", false, winograd, doubled(64, 64), "tiled"],
    ["hardware, full tiles", false, all, wide!, "tiled"],
    ["hardware, 40 columns", false, all, heads!, "tiled"],
    ["hardware, one channel", false, all, grey, "direct"],
    ["hardware, few multiply-adds", false, all, small!, "direct"],
  ] as const)("%s", (_, software, runs, node, schedule) => {
    expect(usualSchedule(software, runs, node)).toBe(schedule);
  });
});
