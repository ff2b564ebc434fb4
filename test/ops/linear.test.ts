import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import { linear } from "../../src/ops/linear.js";
import { opNamed } from "../../src/ops/index.js";
import type { Schedule } from "../../src/ops/op.js";

import { size, slopeNeedsInput, tensor, weightTensor, type Activation, activations } from "../../src/tensor.js";
import { runnable } from "../../src/products.js";
import { activate, saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import type { RandomValues } from "../support/random_values.js";
import { edgeShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });
const here = runnable(device).filter((schedule) => schedule in opNamed("linear").schedules!);

const gradientOps = { linear_grad: ["x", "W"], linear_grad_input: ["x"], linear_grad_weight: ["W"] } as const;
type GradientOp = keyof typeof gradientOps;
const ops = ["linear", ...(Object.keys(gradientOps) as GradientOp[])] as const;

/** The forward node of a layer whose input was made by `from`. */
function layer(
  B: number,
  I: number,
  outputs: readonly number[],
  activation: Activation,
  from: Activation = "none",
): Node {
  const pre = slopeNeedsInput(from) ? { pre: tensor("x.pre", "activation", [B, I]) } : {};
  const x = tensor("x", "activation", [B, I], from === "none" ? {} : { activation: from, ...pre });
  const W = weightTensor("W", "param", [I], outputs);
  return linear("y", x, W, tensor("b", "param", outputs), activation);
}

/** The node that the gradient rule makes. */
function gradientNode(op: GradientOp, forward: Node): Node {
  const dy = tensor("dy", "activation", forward.outputs.y!.shape);
  const wanted = (input: string) => (gradientOps[op] as readonly string[]).includes(input);
  const node = opNamed("linear").gradient!(forward, { y: dy }, wanted).nodes[0]!;
  expect(node.op).toBe(op);
  return node;
}

/** Values whose products are about 1 at any size, so that one tolerance suits all. */
function values(node: Node, from: Activation, random: RandomValues): Record<string, Float64Array> {
  const [B = 1, I = 1] = (node.inputs.x ?? node.outputs.dx)!.shape;
  const O = size((node.outputs.y ?? node.inputs.dy)!.shape) / B;
  const a = random.normal(B * I);
  // dW sums over the batch; W compensates for it in dx, which sums over O.
  const dyScale = Math.sqrt(1 / Math.min(B, 512));
  const made: Record<string, Float64Array> = {
    x: a.map((value) => Math.fround(activate(from, value))),
    saved: a.map((value) => Math.fround(saved(from, value))),
    W: random.normal(I * O, node.op === "linear" ? Math.sqrt(1 / I) : Math.sqrt(1 / O) / dyScale),
    b: random.normal(O),
    dy: random.normal(B * O, dyScale),
  };
  return Object.fromEntries(Object.keys(node.inputs).map((key) => [key, made[key]!]));
}

function layerCase(
  op: (typeof ops)[number],
  [B = 1, I = 1, ...outputs]: readonly number[],
  activation: Activation,
  schedule: Schedule,
): OpCase {
  return {
    name: `${op} ${[B, I, ...outputs].join("x")} ${activation} ${schedule}`,
    build: (random) => {
      if (op === "linear") {
        const node = layer(B, I, outputs, activation);
        return { node, values: values(node, "none", random), schedule };
      }
      const node = gradientNode(op, layer(B, I, outputs, "none", activation));
      return { node, values: values(node, activation, random), schedule };
    },
  };
}

/** Whether the gradient rule makes this op for such a layer: from 2^19 multiply-adds, dx and dW are separate. */
const made = (op: (typeof ops)[number], [B = 1, ...sizes]: readonly number[]) =>
  op !== "linear_grad" || B * sizes.reduce((product, n) => product * n) < 2 ** 19;

const each = <A, B>(as: readonly A[], f: (a: A) => readonly B[]): B[] => as.flatMap(f);

// Listed in the results, so that an omission would be noticed.
if (!here.includes("subgroups")) it.skip("schedule subgroups: this adapter lacks the feature", () => {});

describe("every size, in every schedule", () => {
  const shapes = [...edgeShapes(3), ...randomShapes([300, 200, 200], 4), ...randomShapes([90, 70, 80], 3)];
  testOps(
    device,
    each(here, (schedule) =>
      each(ops, (op) => shapes.filter((s) => made(op, s)).map((s) => layerCase(op, s, "relu", schedule))),
    ),
  );
});

describe("every width of tile, full and with columns to spare", () => {
  // A product of up to 2^24 multiply-adds uses one of two widths, however well its columns fill them.
  const shapes: Record<number, readonly (readonly number[])[]> = {
    2: [
      [20, 32, 32],
      [20, 17, 17],
      [16_390, 32, 32],
    ],
    4: [
      [4099, 64, 64],
      [1315, 113, 113],
    ],
    5: [
      [37, 33, 33],
      [37, 80, 80],
      [20, 151, 151],
      [3525, 69, 69],
    ],
  };
  const gradients = (shape: readonly number[]) =>
    Object.keys(gradientOps).filter((op): op is GradientOp => made(op as GradientOp, shape));
  it.each(Object.entries(shapes))("%s vec4", (own, some) => {
    for (const [B = 1, I = 1, O = 1] of some) {
      const node = layer(B, I, [O], "relu");
      for (const one of [node, ...gradients([B, I, O]).map((op) => gradientNode(op, node))])
        expect(opNamed(one.op).kernel(one, "subgroups").constants.COLUMNS).toBe(Number(own));
    }
  });
  if (here.includes("subgroups")) {
    const all = Object.values(shapes).flat();
    testOps(
      device,
      each(all, (shape) =>
        (["linear", ...gradients(shape)] as const).map((op) => layerCase(op, shape, "relu", "subgroups")),
      ),
    );
  }
});

describe("every activation", () => {
  const cases = (op: (typeof ops)[number], schedule: Schedule, some: readonly Activation[]) =>
    some.map((activation) => layerCase(op, [37, 21, 18], activation, schedule));
  testOps(device, [
    // The epilogues are one file for all schedules.
    ...each(["linear", "linear_grad", "linear_grad_input"] as const, (op) => cases(op, "direct", activations)),
    ...each(here.slice(1), (schedule) =>
      each(["linear", "linear_grad"] as const, (op) => cases(op, schedule, ["silu"])),
    ),
  ]);
});

describe("both heads in one layer", () => {
  const shapes = [
    [5, 6, 2, 3],
    [33, 10, 2, 17],
  ];
  testOps(
    device,
    each(here, (schedule) =>
      each(["linear", "linear_grad"] as const, (op) => shapes.map((shape) => layerCase(op, shape, "none", schedule))),
    ),
  );
});

describe("a batch whose weight gradient is summed in parts", () => {
  const shapes = [
    [512, 9, 5],
    [513, 37, 20],
    [1025, 20, 37],
    [1540, 6, 33],
  ];
  testOps(
    device,
    each(here, (schedule) =>
      each(["linear_grad", "linear_grad_weight"] as const, (op) =>
        shapes.filter((shape) => made(op, shape)).map((shape) => layerCase(op, shape, "none", schedule)),
      ),
    ),
  );
});

describe("pre-activations far from zero stay finite", () => {
  const extremes = [0, 1e-30, 1e-4, 0.5, 10, 20, 88, 89, 104, 1e4, 1e30].flatMap((a) => [a, -a]).map(Math.fround);
  const n = extremes.length;
  testOps(
    device,
    each(activations, (activation): OpCase[] => [
      {
        name: `linear of extremes, ${activation}`,
        beyondHalf: true,
        build: () => {
          const node = layer(1, 1, [n], activation);
          const [x, W] = [Float64Array.of(1), new Float64Array(n)];
          return { node, values: { x, W, b: Float64Array.from(extremes) } };
        },
      },
      {
        name: `linear_grad_input at extremes, ${activation}`,
        beyondHalf: true,
        build: () => {
          const node = gradientNode("linear_grad_input", layer(1, n, [1], "none", activation));
          const kept = Float64Array.from(extremes, (a) => Math.fround(saved(activation, a)));
          return { node, values: { W: new Float64Array(n).fill(1), dy: Float64Array.of(1), saved: kept } };
        },
      },
    ]),
  );
});

it.each([
  // 2^19 multiply-adds, and one row of a batch less.
  [32, ["linear_grad_input", "linear_grad_weight"]],
  [31, ["linear_grad"]],
] as const)("of %i rows of 128 x 128 the gradients are %s", (rows, ops) => {
  const forward = layer(rows, 128, [128], "none");
  const dy = tensor("dy", "activation", [rows, 128]);
  const { nodes, of } = opNamed("linear").gradient!(forward, { y: dy }, () => true);
  expect(nodes.map(({ op }) => op)).toEqual(ops);
  expect(Object.keys(of).sort()).toEqual(["W", "b", "x"]);
});
