// Compares each dispatch of a Winograd convolution with its own twin; conv2d.test.ts compares the whole.
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { fuse } from "../../src/fuse.js";
import type { Node } from "../../src/graph.js";
import { schedulesOf } from "../../src/ops/index.js";
import { winogradOps, winogradSizes } from "../../src/ops/winograd.js";
import { size, tensor } from "../../src/tensor.js";
import { runnable } from "../../src/products.js";
import { activate, saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import {
  directions,
  gradientsOf,
  layer,
  square,
  title,
  type Direction,
  type Geometry,
} from "../support/convolutions.js";
import { testDevice } from "../support/gpu.js";

const device = await Device.open({ device: await testDevice() });
const able = runnable(device).includes("winograd");

const geometries: Geometry[] = [
  { B: 2, CL: 5, CS: 33, ...square(9, 8, 2, 1, 0) },
  { B: 3, CL: 20, CS: 36, large: [13, 11], small: [5, 5], kernel: [4, 4], stride: [2, 2], pad: [0, 1] },
  { B: 1, CL: 3, CS: 12, large: [11, 20], small: [3, 10], kernel: [6, 4], stride: [3, 2], pad: [1, 2] },
  // An image that begins in the second tile.
  { B: 2, CL: 4, CS: 8, ...square(12, 7, 4, 2, 3) },
  // Product tiles in both widths, more than one row of them; weight gradients in two parts, one of which is sums.
  { B: 4, CL: 8, CS: 64, ...square(32, 16, 4, 2, 1) },
];

/** The forward node, dW and db, dx: in place where the batch is even. */
function nodesOf(direction: Direction, geometry: Geometry): Node[] {
  const forward = layer(direction, geometry, "silu");
  const after = layer(direction, geometry, "none", "relu");
  const { nodes } = gradientsOf(after, true, geometry.B % 2 === 0);
  return [forward, ...nodes].filter(({ op }) => op.startsWith("conv2d"));
}

/** Sums over padding channels are sums of zeros. */
function clearPadding({ op, attributes }: Node, { CL, CS }: Geometry, sums: Float64Array): void {
  const [inputs, outputs] = [4 * Number(attributes.large_c), 4 * Number(attributes.small_c)];
  sums.forEach((_, i) => {
    const [cl, cs] =
      op === "winograd_to_small"
        ? [0, i % outputs]
        : op === "winograd_to_large"
          ? [i % inputs, 0]
          : [Math.floor(i / outputs) % inputs, i % outputs];
    if (cl >= CL || cs >= CS) sums[i] = 0;
  });
}

function cases(direction: Direction, geometry: Geometry): OpCase[] {
  const dispatches = nodesOf(direction, geometry).flatMap((node) => fuse({ nodes: [node] }, () => "winograd").nodes);
  // A node and its gradients share some forms.
  const different = dispatches.filter(
    (node, i) => dispatches.findIndex((other) => JSON.stringify(other) === JSON.stringify(node)) === i,
  );
  return different.map((node, i) => ({
    name: `${direction} ${title(geometry)}: ${i} ${node.op}`,
    build: (random) => {
      const terms = { winograd_down: node.inputs.large?.shape[2], winograd_up: node.inputs.small?.shape[2] }[node.op];
      const rows = node.op === "winograd_across" ? node.inputs.large!.shape[0]! : 1;
      const scale = Math.sqrt(1 / (terms ?? rows));
      const draw = (key: string) => {
        const count = size((node.inputs[key] ?? node.outputs[key])!.shape);
        // Products and the sums of db are about 1 in all.
        const pixels = Number(node.attributes.bias_rows) || 1;
        const small = { W: scale, small: scale, image: Math.sqrt(1 / pixels) }[key];
        const values = random.normal(count, small ?? 1);
        if (key === "sums") clearPadding(node, geometry, values);
        return key === "aside" && node.attributes.gradient
          ? values.map((value) => Math.fround(saved("relu", value)))
          : values.map((value) => Math.fround(value));
      };
      const values = Object.fromEntries(Object.keys(node.inputs).map((key) => [key, draw(key)]));
      const old = node.attributes.in_place
        ? { result: random.normal(size(node.outputs.result!.shape)).map((x) => Math.fround(activate("relu", x))) }
        : {};
      return { node, values: { ...values, ...old } };
    },
  }));
}

if (!able) it.skip("this adapter lacks the feature subgroups", () => {});

describe("each dispatch equals its twin", () => {
  const all = able ? directions.flatMap((direction) => geometries.flatMap((one) => cases(direction, one))) : [];
  testOps(device, all);
  it("covers all of them, in place and not", () => {
    const seen = new Set(
      directions.flatMap((direction) =>
        geometries.flatMap((one) =>
          nodesOf(direction, one).flatMap((node) =>
            fuse({ nodes: [node] }, () => "winograd").nodes.map(
              ({ op, attributes }) => `${op}${attributes.in_place ? " in place" : ""}`,
            ),
          ),
        ),
      ),
    );
    const back = ["winograd_to_small in place", "winograd_to_large in place"];
    expect([...seen].sort()).toEqual([...winogradOps.map(({ name }) => name), ...back].sort());
  });
});

describe("which convolutions", () => {
  const one: Geometry = { B: 2, CL: 8, CS: 8, ...square(16, 8, 4, 2, 1) };
  it("those with kernels of twice the stride, down and across", () => {
    expect(winogradSizes(layer("conv2d", one, "none"))).toEqual({ tiles: 32, channels: 32, small: 8 });
    expect(schedulesOf(layer("conv2d", one, "none"))).toContain("winograd");
    const others: Partial<Geometry>[] = [{ kernel: [4, 3] }, { kernel: [3, 4] }, { stride: [1, 2] }];
    for (const other of others) expect(winogradSizes(layer("conv2d", { ...one, ...other }, "none"))).toBeUndefined();
  });
  it("no others, even on request", () => {
    const nodes = [layer("conv2d", { ...one, kernel: [4, 3] }, "none")];
    expect(() => fuse({ nodes }, () => "winograd")).toThrow("conv2d: its shapes cannot have the schedule winograd");
  });
  it("those whose forms every adapter can bind", () => {
    // Of each image 16 tiles of 9 x 128 values: 1,820 in 128 MiB.
    const large = (B: number) => layer("conv2d", { ...one, B, CL: 32 }, "none");
    expect(winogradSizes(large(1820))).toBeDefined();
    expect(winogradSizes(large(1821))).toBeUndefined();
  });
});

describe("forms are shared", () => {
  const one: Geometry = { B: 2, CL: 8, CS: 8, ...square(16, 8, 4, 2, 1) };
  const ops = (nodes: readonly Node[]) =>
    fuse({ nodes }, ({ op }) => (op.startsWith("conv2d") ? "winograd" : "direct")).nodes.map(({ op }) => op);
  it("x in y and dW, dy in dW and dx, W in y and dx", () => {
    const forward = layer("conv2d", one, "none", "relu");
    const { nodes } = gradientsOf(forward, true);
    const made = ops([forward, ...nodes]);
    for (const form of ["large", "small", "weight"]) {
      expect(made.filter((op) => op === `winograd_${form}`)).toHaveLength(1);
    }
    expect(made).toHaveLength(9);
  });
  it("but not after their source is overwritten", () => {
    const forward = layer("conv2d", one, "none", "relu");
    const x = forward.inputs.large!;
    const over: Node = {
      op: "reshape",
      inputs: { x: tensor("other", "input", x.shape) },
      outputs: { y: x },
      attributes: {},
    };
    const again: Node = {
      ...forward,
      outputs: { result: tensor("again", "activation", forward.outputs.result!.shape) },
    };
    expect(ops([forward, again]).filter((op) => op === "winograd_large")).toHaveLength(1);
    expect(ops([forward, over, again]).filter((op) => op === "winograd_large")).toHaveLength(2);
  });
});
