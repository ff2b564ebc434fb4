import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import type { Schedule } from "../../src/ops/op.js";
import { winogradSizes } from "../../src/ops/winograd.js";
import type { Activation } from "../../src/tensor.js";
import { runnable } from "../../src/products.js";
import { activate, saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import {
  directions,
  gradientNode,
  gradientsOf,
  layer,
  randomGeometries,
  square,
  title,
  type Direction,
  type Geometry,
} from "../support/convolutions.js";
import { testDevice } from "../support/gpu.js";
import type { RandomValues } from "../support/random_values.js";

const device = await Device.open({ device: await testDevice() });
const here = runnable(device);

const kinds = ["", "_grad_weight", "_grad_input"] as const;
type Kind = (typeof kinds)[number];

/** The length of the longest sum over pixels, which are summed in parts of about 512 small ones. */
const partOf = (pixels: number, smallPixels: number) => pixels / Math.ceil(smallPixels / 512);

/** Values whose products are about 1 at any size, so that one tolerance suits all. */
function values(
  node: Node,
  direction: Direction,
  geometry: Geometry,
  from: Activation,
  random: RandomValues,
): Record<string, Float64Array> {
  const { B, large, small, CL, CS, kernel, stride } = geometry;
  const down = direction === "conv2d";
  const [input, output] = down ? (["large", "small"] as const) : (["small", "large"] as const);
  const count = (image: Geometry["large"]) => B * image[0] * image[1];
  // The product goes down in a convolution and in the input gradient of a transposed one.
  const gathers = down === (node.op === direction);
  const taps = kernel[0] * kernel[1];
  const meeting = Math.ceil(kernel[0] / stride[0]) * Math.ceil(kernel[1] / stride[1]);
  const terms = gathers ? taps * CL : meeting * CS;
  const dyScale = Math.sqrt(1 / partOf(count(geometry[output]), count(small)));
  const a = random.normal(down ? count(large) * CL : count(small) * CS);
  const made: Record<string, Float64Array> = {
    [input]: a.map((value) => Math.fround(activate(from, value))),
    // Not around 0, or the bias gradient of a single channel would be one sum that cancels.
    [output]: random.normal(down ? count(small) * CS : count(large) * CL).map((e) => Math.fround(dyScale * (e + 1))),
    saved: a.map((value) => Math.fround(saved(from, value))),
    W: random.normal(taps * CL * CS, Math.sqrt(1 / terms) / (node.op === direction ? 1 : dyScale)),
    b: random.normal(down ? CS : CL),
  };
  const old = node.attributes.in_place ? { result: made.saved! } : {};
  return { ...Object.fromEntries(Object.keys(node.inputs).map((key) => [key, made[key]!])), ...old };
}

/** The node that makes dx, in place or not. */
function inputNode(forward: Node, in_place: boolean): Node {
  const node = gradientsOf(forward, true, in_place).nodes.at(-1)!;
  expect(node.attributes.in_place).toBe(in_place);
  return node;
}

function layerCase(
  direction: Direction,
  kind: Kind,
  geometry: Geometry,
  activation: Activation,
  schedule: Schedule,
): OpCase {
  // Every other one is in place, if an activation made x.
  const in_place = kind === "_grad_input" && geometry.B % 2 === 0 && activation !== "none";
  return {
    name: `${direction}${kind} ${title(geometry)} ${activation} ${schedule}${in_place ? " in place" : ""}`,
    build: (random) => {
      // The activation of the result, or of the tensor that the gradient is for.
      const [of, from]: Activation[] = kind === "" ? [activation, "none"] : ["none", activation];
      const forward = layer(direction, geometry, of!, from);
      const node =
        kind === "" ? forward : kind === "_grad_input" ? inputNode(forward, in_place) : gradientNode(forward);
      expect(node.op).toBe(direction + kind);
      return { node, values: values(node, direction, geometry, from!, random), schedule };
    },
  };
}

/** Every op on every geometry; the activations take turns. */
function cases(geometries: readonly Geometry[], some: readonly Activation[], on: readonly Schedule[] = here): OpCase[] {
  return geometries.flatMap((geometry, i) =>
    directions.flatMap((direction) =>
      kinds.flatMap((kind) =>
        on
          .filter((schedule) => schedule !== "winograd" || winogradSizes(layer(direction, geometry, "none")))
          .map((schedule) => layerCase(direction, kind, geometry, some[i % some.length]!, schedule)),
      ),
    ),
  );
}

// Listed in the results, so that an omission would be noticed.
if (!here.includes("subgroups")) it.skip("schedule subgroups: this adapter lacks the feature", () => {});

describe("any geometry, in every schedule", () => {
  testOps(device, cases(randomGeometries(24), ["relu", "silu", "none"]));
});

describe("the ends of the ranges", () => {
  const geometries: Geometry[] = [
    // One pixel; one pixel of the other image; one row of a kernel across one row of pixels.
    { B: 1, CL: 1, CS: 1, ...square(1, 1, 1, 1, 0) },
    { B: 3, CL: 5, CS: 17, ...square(5, 1, 5, 1, 0) },
    { B: 2, CL: 4, CS: 3, ...square(1, 1, 5, 1, 2) },
    { B: 2, CL: 3, CS: 5, large: [1, 40], small: [1, 20], kernel: [1, 3], stride: [1, 2], pad: [0, 0] },
    { B: 2, CL: 3, CS: 5, large: [40, 1], small: [14, 1], kernel: [3, 1], stride: [3, 1], pad: [1, 0] },
    // Strides larger than the kernel: large pixels that meet nothing; and than the image: phases without a pixel.
    { B: 2, CL: 8, CS: 9, ...square(9, 3, 2, 3, 0) },
    { B: 2, CL: 5, CS: 4, ...square(2, 1, 2, 3, 0) },
    { B: 2, CL: 5, CS: 4, large: [11, 4], small: [3, 1], kernel: [1, 1], stride: [4, 7], pad: [0, 0] },
    // A large image that extends beyond the small one's last taps by a few rows and columns.
    { B: 2, CL: 4, CS: 4, ...square(10, 3, 3, 3, 0) },
    // More channels than one and two tiles have.
    { B: 1, CL: 33, CS: 65, ...square(7, 7, 3, 1, 1) },
    { B: 1, CL: 68, CS: 36, ...square(6, 6, 1, 1, 0) },
  ];
  testOps(device, cases(geometries, ["relu", "silu"]));
});

describe("typical layers of models", () => {
  const geometries: Geometry[] = [
    // Stride 2 with padding "same": none before, one row and column after.
    { B: 3, CL: 1, CS: 32, ...square(28, 14, 3, 2, 0) },
    { B: 3, CL: 32, CS: 64, ...square(14, 7, 3, 2, 0) },
    { B: 2, CL: 32, CS: 32, ...square(14, 7, 4, 2, 1) },
    { B: 2, CL: 1, CS: 32, ...square(28, 28, 3, 1, 1) },
    { B: 3, CL: 3, CS: 16, ...square(32, 16, 5, 2, 2) },
  ];
  testOps(device, cases(geometries, ["relu"]));
});

describe("kernels twice their stride, by Winograd", () => {
  if (!here.includes("winograd")) it.skip("this adapter lacks the feature subgroups", () => {});
  const geometries: Geometry[] = [
    { B: 2, CL: 32, CS: 64, ...square(16, 8, 4, 2, 1) },
    { B: 3, CL: 5, CS: 33, ...square(9, 8, 2, 1, 0) },
    // Odd sizes, so that tiles extend beyond the image; different strides and pads down and across; rows that meet
    // nothing.
    { B: 2, CL: 9, CS: 17, large: [13, 11], small: [5, 5], kernel: [4, 4], stride: [2, 2], pad: [0, 1] },
    { B: 3, CL: 7, CS: 5, large: [11, 20], small: [3, 10], kernel: [6, 4], stride: [3, 2], pad: [1, 2] },
    { B: 2, CL: 3, CS: 12, large: [9, 7], small: [8, 3], kernel: [2, 4], stride: [1, 2], pad: [0, 1] },
    { B: 1, CL: 1, CS: 1, ...square(4, 1, 4, 2, 0) },
    { B: 2, CL: 8, CS: 8, ...square(12, 7, 4, 2, 3) },
  ];
  testOps(
    device,
    cases(
      geometries,
      ["relu", "silu", "none"],
      here.filter((schedule) => schedule === "winograd"),
    ),
  );
});

describe("weight gradients in several parts", () => {
  // 513, 605, 1300 and 1600 small pixels: parts end within an image, within a row, and the last one after 1 of 4.
  const geometries: Geometry[] = [
    { B: 1, CL: 3, CS: 5, large: [19, 27], small: [19, 27], kernel: [3, 3], stride: [1, 1], pad: [1, 1] },
    { B: 5, CL: 9, CS: 17, ...square(23, 11, 3, 2, 0) },
    { B: 4, CL: 1, CS: 4, large: [27, 77], small: [13, 25], kernel: [2, 5], stride: [2, 3], pad: [0, 1] },
    { B: 1600, CL: 4, CS: 6, ...square(2, 1, 2, 1, 0) },
  ];
  it("have several parts", () => {
    const parts = geometries.map((one) => gradientNode(layer("conv2d", one, "none")).outputs.dW!.shape[0]);
    expect(Math.min(...parts.map(Number))).toBeGreaterThan(1);
  });
  testOps(
    device,
    cases(geometries, ["relu", "none"]).filter(({ name }) => name.includes("_grad")),
  );
});

// linear's test covers lib/activation.wgsl; this tests how the epilogue, shared by all schedules, uses it.
describe("an activation that is not 0 at 0 leaves the padding alone, and its slope follows from its value", () => {
  const one: Geometry = { B: 2, CL: 5, CS: 7, ...square(7, 4, 3, 2, 1) };
  testOps(
    device,
    cases([one], ["sigmoid"], ["direct"]).filter(({ name }) => !name.includes("_grad_weight")),
  );
});
