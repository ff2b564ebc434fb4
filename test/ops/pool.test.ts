import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { opNamed } from "../../src/ops/index.js";
import { avgPool2d, maxPool2d, type Pooling } from "../../src/ops/pool.js";

import { size, slopeNeedsInput, tensor, type Activation, activations } from "../../src/tensor.js";
import { activate, saved } from "../reference/activation.js";
import { twinOf } from "../reference/index.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import type { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });

const pools = { max_pool: maxPool2d, avg_pool: avgPool2d };
type Kind = keyof typeof pools;
const kinds = ["max_pool", "avg_pool"] as const;

interface Geometry extends Pooling {
  /** B, H, W, C. */
  readonly shape: readonly number[];
}

/** All windows that begin before the padded image's end; the last ones are cut off there. */
function geometry(
  shape: readonly number[],
  window: readonly [number, number],
  stride: readonly [number, number],
  pad: readonly [number, number] = [0, 0],
): Geometry {
  const along = (axis: 0 | 1) => Math.ceil((shape[axis + 1]! + pad[axis]) / stride[axis]);
  return { shape, window, stride, pad, size: [along(0), along(1)] };
}

/** Forward and gradient for one geometry, with x made by `from` from values that `draw` returns. */
function cases(
  kind: Kind,
  { shape, ...pooling }: Geometry,
  from: Activation = "none",
  draw = (random: RandomValues) => random.normal(size(shape)),
  note = "",
): OpCase[] {
  const pre = slopeNeedsInput(from) ? { pre: tensor("x.pre", "activation", shape) } : {};
  const x = tensor("x", "activation", shape, from === "none" ? {} : { activation: from, ...pre });
  const forward = pools[kind]("y", x, pooling);
  const dy = tensor("dy", "activation", forward.outputs.y!.shape);
  const backward = opNamed(kind).gradient!(forward, { y: dy }, () => true).nodes[0]!;
  const { window, stride, pad, size: count } = pooling;
  const name = `${shape.join("x")} by ${window.join("x")} every ${stride.join("x")} from ${pad.join("x")} to ${count.join("x")} ${from}${note}`;
  return [forward, backward].map((node) => ({
    name: `${node.op} ${name}`,
    build: (random) => {
      const a = draw(random);
      const values = {
        x: a.map((value) => Math.fround(activate(from, value))),
        saved: a.map((value) => Math.fround(saved(from, value))),
        dy: random.normal(size(dy.shape)),
      };
      const all: Record<string, Float64Array> = { ...values, ...twinOf(kind)(forward, values, defaultStep) };
      return { node, values: Object.fromEntries(Object.keys(node.inputs).map((key) => [key, all[key]!])) };
    },
  }));
}

const each = (make: (kind: Kind) => OpCase[]) => kinds.flatMap(make);

describe("every size", () => {
  const geometries: Geometry[] = [
    ...[1, 3, 4, 5, 17].map((C) => geometry([2, 6, 8, C], [2, 2], [2, 2])),
    geometry([1, 1, 1, 1], [1, 1], [1, 1]),
    geometry([1, 1, 1, 3], [3, 2], [2, 3], [2, 1]),
    // Windows cut off at the end, and left out.
    geometry([3, 7, 5, 5], [2, 2], [2, 2]),
    { ...geometry([3, 7, 5, 5], [2, 2], [2, 2]), size: [3, 2] },
    // Overlapping along one axis or both, starting outside the image.
    geometry([2, 9, 7, 4], [3, 3], [1, 1], [1, 1]),
    geometry([2, 9, 7, 17], [3, 3], [2, 2], [1, 1]),
    geometry([1, 13, 11, 3], [5, 2], [2, 1], [4, 0]),
    // Gaps between windows: pixels in no window.
    geometry([2, 11, 10, 5], [2, 1], [3, 4]),
    geometry([2, 11, 10, 5], [2, 3], [5, 2], [1, 2]),
    // A window larger than the image, so that every window contains all of it.
    geometry([2, 3, 2, 3], [7, 5], [1, 1], [3, 3]),
    // The whole image at once.
    { ...geometry([5, 7, 7, 17], [7, 7], [7, 7]), size: [1, 1] },
    geometry([2, 63, 65, 5], [2, 2], [2, 2]),
    geometry([3, 33, 31, 20], [3, 3], [2, 2], [0, 1]),
  ];
  testOps(
    device,
    each((kind) => geometries.flatMap((one) => cases(kind, one))),
  );
});

describe("x made by every activation", () => {
  testOps(
    device,
    each((kind) => activations.flatMap((from) => cases(kind, geometry([2, 7, 9, 5], [3, 2], [2, 2], [1, 0]), from))),
  );
});

describe("ties: the first maximum in row-major order gets the gradient", () => {
  const shape = [2, 11, 9, 5];
  const few = (random: RandomValues) => random.integers(size(shape), -1, 2);
  const same = () => new Float64Array(size(shape)).fill(-3);
  testOps(
    device,
    [geometry(shape, [2, 2], [2, 2]), geometry(shape, [3, 3], [1, 1], [1, 1]), geometry(shape, [4, 3], [3, 2])].flatMap(
      (one) => [
        ...cases("max_pool", one, "none", few, ", of three values"),
        ...cases("max_pool", one, "none", same, ", of one value"),
      ],
    ),
  );
});

it.each([
  { window: [2, 2], stride: [2, 2], pad: [2, 0], size: [3, 2] },
  { window: [2, 2], stride: [2, 2], pad: [0, 0], size: [3, 4] },
  { window: [2, 2], stride: [3, 2], pad: [1, 0], size: [4, 2] },
] as const)("a window without a pixel is refused: %o", (pooling) => {
  for (const kind of kinds) {
    expect(() => pools[kind]("y", tensor("x", "input", [1, 5, 5, 1]), pooling)).toThrow(
      "y: a window lies outside of x",
    );
  }
});
