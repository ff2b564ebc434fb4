// Results with more workgroups than one dimension of a dispatch allows, with some rows compared with sums in f64.
// check_op verifies for all its cases that an op computes the same when folded into rows of workgroups.
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import { standalone, type Node } from "../../src/graph.js";
import { opNamed, schedulesOf } from "../../src/ops/index.js";
import { add } from "../../src/ops/add.js";
import { conv2d, conv2dTranspose } from "../../src/ops/conv2d.js";
import { linear } from "../../src/ops/linear.js";
import type { Tiling } from "../../src/ops/op.js";
import { plan } from "../../src/plan.js";
import { readRanges } from "../../src/readback.js";
import { size, tensor, weightTensor, type Tensor } from "../../src/tensor.js";
import { runnable } from "../../src/products.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { defaultStep } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });
const PER_DIMENSION = 65_535;

/** A tensor's values by index, in [-1, 1), which can be recomputed instead of stored. */
const valueAt = (place: number) => Math.fround(((Math.imul(place, 0x9e3779b1) >>> 0) / 2 ** 31 - 1) / 4);

interface LargeCase {
  readonly name: string;
  readonly node: Node;
  /** The output, [rows, columns]. */
  readonly output: string;
  readonly rows: number;
  /** A row of it. */
  readonly row: (index: number) => number[];
}

/** Sum over k of a(k) b(k). */
function dot(terms: number, a: (k: number) => number, b: (k: number) => number): number {
  let sum = 0;
  for (let k = 0; k < terms; k++) sum += a(k) * b(k);
  return sum;
}
const each = (columns: number, value: (column: number) => number) =>
  Array.from({ length: columns }, (_, i) => value(i));

const MANY = 2_100_000;
const FEW = 4;
const WIDE = 32;

/** A row of x [rows, FEW] W [FEW, WIDE] + b. */
const productAndBias = (row: number) =>
  each(
    WIDE,
    (c) =>
      valueAt(c) +
      dot(
        FEW,
        (k) => valueAt(row * FEW + k),
        (k) => valueAt(k * WIDE + c),
      ),
  );

/** The product of a row of one matrix [rows, FEW] and a row of another. */
const productOfRows = (one: number, other: number) =>
  dot(
    FEW,
    (k) => valueAt(one * FEW + k),
    (k) => valueAt(other * FEW + k),
  );

function linearCases(): LargeCase[] {
  const weights = (inputs: number, outputs: number) => ({
    W: weightTensor("W", "param", [inputs], [outputs]),
    b: tensor("b", "param", [outputs]),
  });
  const forward = weights(FEW, WIDE);
  const x = tensor("x", "input", [MANY, FEW]);
  const back = weights(WIDE, FEW);
  const narrow = tensor("x", "input", [MANY, WIDE]);
  const gradient = (from: Tensor, { W, b }: ReturnType<typeof weights>, wanted: string) => {
    const node = linear("y", from, W, b);
    const dy = tensor("dy", "input", node.outputs.y!.shape);
    const { nodes } = opNamed("linear").gradient!(node, { y: dy }, (input) => wanted.includes(input));
    return nodes[0]!;
  };
  // 67 million weights.
  const vast = weights(MANY, WIDE);
  const rows = 2;
  return [
    {
      name: "y",
      node: linear("y", x, forward.W, forward.b),
      output: "y",
      rows: MANY,
      row: productAndBias,
    },
    {
      name: "dx",
      node: gradient(narrow, back, "x"),
      output: "dx",
      rows: MANY,
      row: (r) => each(WIDE, (c) => productOfRows(r, c)),
    },
    {
      name: "dW",
      node: gradient(tensor("x", "input", [rows, MANY]), vast, "Wb"),
      output: "dW",
      rows: MANY,
      row: (r) =>
        each(WIDE, (c) =>
          dot(
            rows,
            (k) => valueAt(k * MANY + r),
            (k) => valueAt(k * WIDE + c),
          ),
        ),
    },
  ];
}

function convolutionCases(): LargeCase[] {
  const side = 1450;
  const b = tensor("b", "param", [WIDE]);
  const down = conv2d(
    "y",
    tensor("x", "input", [1, side, side, FEW]),
    weightTensor("W", "param", [1, 1, FEW], [WIDE]),
    b,
    { stride: [1, 1], pad: [0, 0], size: [side, side] },
  );
  // Four phases of one tap each.
  const half = side / 2;
  const up = conv2dTranspose(
    "y",
    tensor("x", "input", [1, half, half, FEW]),
    weightTensor("W", "param", [2, 2, WIDE], [FEW]),
    b,
    { stride: [2, 2], pad: [0, 0], size: [side, side] },
  );
  return [
    {
      name: "y of a convolution",
      node: down,
      output: "result",
      rows: side * side,
      row: productAndBias,
    },
    {
      name: "y of a transposed convolution",
      node: up,
      output: "result",
      rows: side * side,
      row: (r) => {
        const [i, j] = [Math.floor(r / side), r % side];
        const pixel = Math.floor(i / 2) * half + Math.floor(j / 2);
        const tap = 2 * (i % 2) + (j % 2);
        return each(WIDE, (c) => valueAt(c) + productOfRows(pixel, tap * WIDE + c));
      },
    },
  ];
}

function sumCase(): LargeCase {
  const rows = 530_000;
  const [p, q] = ["p", "q"].map((name) => tensor(name, "input", [rows, WIDE])) as [Tensor, Tensor];
  const node = add("y", p, q);
  return { name: "p + q", node, output: "y", rows, row: (r) => each(WIDE, (c) => 2 * valueAt(r * WIDE + c)) };
}

/** Rows at both ends, near the end of each row of workgroups, and in between. */
function sample(rows: number, workgroups: number): number[] {
  const turns = [0, 1 / Math.ceil(workgroups / PER_DIMENSION), PER_DIMENSION / workgroups, 1];
  const near = turns.flatMap((share) => each(40, (i) => Math.round(share * rows) + i - 20));
  const between = each(200, (i) => Math.floor(((i + 0.5) / 200) * rows));
  return [...new Set([...near, ...between])].filter((row) => row >= 0 && row < rows);
}

async function check({ node, output, rows, row }: LargeCase, schedule: Tiling): Promise<void> {
  const planned = plan(standalone(node), { schedule: () => schedule });
  const { workgroups } = planned.plan.dispatches[0]!;
  expect(workgroups).toBeGreaterThan(PER_DIMENSION);
  const executable = await Executable.create(device, planned);
  try {
    for (const { name, storage } of Object.values(node.inputs)) {
      const { buffer, offset } = executable.locate(name);
      const values = new Float32Array(size(storage));
      for (let i = 0; i < values.length; i++) values[i] = valueAt(i);
      device.gpu.queue.writeBuffer(buffer, offset, values);
    }
    executable.writeSteps([defaultStep]);
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    executable.encode(pass, 0);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const { buffer, offset } = executable.locate(node.outputs[output]!.name);
    const picked = sample(rows, workgroups);
    const bytes = 4 * WIDE;
    const ranges = picked.map((index) => ({ buffer, offset: offset + index * bytes, bytes }));
    const read = new Float32Array(await readRanges(device, ranges));
    picked.forEach((index, i) => {
      const expected = row(index);
      const off = expected.map((value, c) => Math.abs(value - read[i * WIDE + c]!));
      // Five products of values below 1/4.
      expect(Math.max(...off), `row ${index}`).toBeLessThan(1e-7);
      expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-3);
    });
  } finally {
    executable.dispose();
  }
}

/** wgpu on an older lavapipe binds at most 128 MiB. Dawn's adapters take all of these cases, or they fail. */
const unbound = ({ node }: LargeCase) =>
  "deno" in process.versions &&
  [...Object.values(node.inputs), ...Object.values(node.outputs)].some(
    ({ storage }) => 4 * size(storage) > device.gpu.limits.maxStorageBufferBindingSize,
  );
const cases = [...linearCases(), ...convolutionCases(), sumCase()];

describe.each(cases)("$name of more than 65,535 workgroups", (one) => {
  // Without the tiled schedule on a software adapter, where it would take minutes.
  const slow = device.software ? ["tiled", "winograd"] : ["winograd"];
  const here = runnable(device, one.node).filter((schedule): schedule is Tiling => !slow.includes(schedule));
  it.skipIf(unbound(one)).each(schedulesOf(one.node).length > 0 ? here : (["direct"] as const))("%s", (schedule) =>
    withErrorScopes(device.gpu, () => check(one, schedule)),
  );
});
