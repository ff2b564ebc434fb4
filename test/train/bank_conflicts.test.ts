// The tiled products keep a workgroup's tiles so that no lane waits for a bank of workgroup memory that another uses.
import { describe, expect, test } from "vitest";
import type { Node } from "../../src/graph.js";
import { linear } from "../../src/ops/linear.js";
import { opNamed } from "../../src/ops/index.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import { conflictsOf, passesOf } from "../support/bank_conflicts.js";
import { gradientNode, layer, square } from "../support/convolutions.js";
import { testDevice } from "../support/gpu.js";
import { textOf, traceOf, workgroupArrays } from "../support/workgroup_trace.js";

/** Bytes of workgroup memory that every adapter has. */
const DEFAULT_LIMIT = 16_384;

const gpu = await testDevice();

/**
 * A product for each entry point, with several turns of the reduction. The dense ones have two tiles each way, none of
 * them full.
 */
function products(): Node[] {
  const x = tensor("x", "activation", [40, 52]);
  const dense = linear("y", x, weightTensor("W", "param", [52], [44]), tensor("b", "param", [44]));
  const dy = tensor("dy", "activation", [40, 44]);
  const denseGradients = [["x"], ["W"], ["x", "W"]].map(
    (wanted) => opNamed("linear").gradient!(dense, { y: dy }, (input) => wanted.includes(input)).nodes[0]!,
  );
  const geometry = { ...square(7, 4, 3, 2, 1), B: 2, CL: 12, CS: 20 };
  const down = layer("conv2d", geometry, "none");
  const up = layer("conv2d_transpose", geometry, "none");
  return [dense, ...denseGradients, down, gradientNode(down), up];
}

const kernels = products().map((node) => ({ name: node.op, kernel: opNamed(node.op).kernel(node, "tiled") }));

test("every entry point of the tiled shaders is among them", () => {
  const named = new Set(kernels.map(({ kernel }) => kernel.entryPoint));
  expect(named).toEqual(new Set(kernels.flatMap(({ kernel }) => Object.keys(kernel.shader.entryPoints))));
});

describe.each(kernels)("$name", ({ kernel }) => {
  test("no bank is wanted for two words at once", async () => {
    const conflicts = conflictsOf(await traceOf(gpu, kernel));
    expect(conflicts.parts).toBeGreaterThan(0);
    expect(conflicts).toEqual({ parts: conflicts.parts, passes: conflicts.parts, worst: 1 });
  });

  test("the tiles fit into every adapter's workgroup memory", () => {
    const lengths = workgroupArrays(textOf(kernel)).map(({ length }) => length);
    expect(lengths.length).toBeGreaterThan(0);
    expect(16 * lengths.reduce((sum, length) => sum + length)).toBeLessThanOrEqual(DEFAULT_LIMIT);
  });
});

test("the banks that lanes share are counted", () => {
  const lanes = [0, 1, 2, 3, 4, 5, 6, 7];
  expect(passesOf(lanes.map((lane) => lane + 3))).toBe(1);
  expect(passesOf(lanes.map((lane) => 2 * lane))).toBe(2);
  expect(passesOf(lanes.map((lane) => 16 * lane))).toBe(8);
  expect(passesOf(lanes.map((lane) => 17 * lane))).toBe(1);
  // One word for all.
  expect(passesOf(lanes.map(() => 5))).toBe(1);
});

test.each(kernels.filter(({ kernel }) => /grad_input|linear_grad$|transpose$/.test(kernel.entryPoint)))(
  "$name would wait eight times as long without the free vec4 after four rows",
  async ({ kernel }) => {
    const code = textOf(kernel);
    const packed = code.replace("return i+i/(4u*DEPTH);", "return i;");
    expect(packed).not.toBe(code);
    expect(conflictsOf(await traceOf(gpu, kernel, packed)).worst).toBe(8);
  },
);
