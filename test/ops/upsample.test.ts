import { describe } from "vitest";
import { Device } from "../../src/device.js";
import { opNamed } from "../../src/ops/index.js";
import { upsample2d } from "../../src/ops/upsample.js";

import { size, slopeNeedsInput, tensor, type Activation, activations } from "../../src/tensor.js";
import { activate, saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";

const device = await Device.open({ device: await testDevice() });

const modes = ["nearest", "bilinear"] as const;

/** Forward and gradient in both modes, with x [B, H, W, C] made by `from`. */
function cases(shape: readonly number[], factor: readonly [number, number], from: Activation = "none"): OpCase[] {
  const pre = slopeNeedsInput(from) ? { pre: tensor("x.pre", "activation", shape) } : {};
  const x = tensor("x", "activation", shape, from === "none" ? {} : { activation: from, ...pre });
  return modes.flatMap((mode) => {
    const forward = upsample2d("y", x, factor, mode);
    const dy = tensor("dy", "activation", forward.outputs.y!.shape);
    const backward = opNamed(forward.op).gradient!(forward, { y: dy }, () => true).nodes[0]!;
    return [forward, backward].map((node) => ({
      name: `${node.op} ${shape.join("x")} by ${factor.join("x")} ${from}`,
      build: (random) => {
        const a = random.normal(size(shape));
        const values: Record<string, Float64Array> = {
          x: a.map((value) => Math.fround(activate(from, value))),
          saved: a.map((value) => Math.fround(saved(from, value))),
          dy: random.normal(size(dy.shape)),
        };
        return { node, values: Object.fromEntries(Object.keys(node.inputs).map((key) => [key, values[key]!])) };
      },
    }));
  });
}

describe("every size", () => {
  testOps(device, [
    ...[1, 3, 4, 5, 17].flatMap((C) => cases([2, 7, 5, C], [2, 2])),
    ...cases([1, 1, 1, 1], [1, 1]),
    ...cases([3, 1, 1, 5], [3, 2]),
    ...cases([1, 1, 9, 3], [2, 4]),
    ...cases([2, 4, 3, 4], [1, 1]),
    ...cases([2, 4, 3, 7], [1, 3]),
    ...cases([2, 5, 6, 3], [3, 5]),
    ...cases([1, 2, 3, 2], [7, 4]),
    ...cases([2, 33, 31, 17], [2, 2]),
    // Long enough that a position computed in f32 would be wrong.
    ...cases([1, 700, 1, 1], [3, 1]),
    ...cases([1, 1, 641, 1], [1, 6]),
  ]);
});

describe("x made by every activation", () => {
  testOps(
    device,
    activations.flatMap((from) => cases([2, 6, 5, 5], [2, 3], from)),
  );
});

describe("a non-finite pixel reaches only its neighbours", () => {
  const shape = [2, 4, 3, 2];
  testOps(
    device,
    modes.map((mode): OpCase => ({
      name: `upsample_${mode} of NaNs in the first column`,
      build: (random) => ({
        node: upsample2d("y", tensor("x", "input", shape), [2, 4], mode),
        values: { x: random.normal(size(shape)).map((value, i) => (i % 6 < 2 ? NaN : value)) },
        nonFinite: ["y"],
      }),
    })),
  );
});
