// Tests of the test tools: each kind of error they look for is planted and must be found.
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { linear } from "../../src/ops/linear.js";
import { sumAll } from "../../src/ops/sum.js";
import type { Dispatch } from "../../src/plan.js";
import { tensor, weightTensor, type Tensor } from "../../src/tensor.js";
import { checkOp } from "./check_op.js";
import { compare, perturbed, type Tolerance } from "./compare.js";
import { testDevice } from "./gpu.js";
import { RandomValues } from "./random_values.js";
import { defaultStep, runNode } from "./run_node.js";

const device = await Device.open({ device: await testDevice() });
const tolerance: Tolerance = { nmse: 1e-6, absolute: 0.01, relative: 0.01, because: "of nothing" };

describe("compare", () => {
  const of = (...values: number[]) => Float64Array.from(values);
  const differs = (actual: Float64Array, expected: Float64Array, nonFinite = false) =>
    compare(actual, expected, tolerance, { nonFinite }) !== undefined;

  it("accepts values within the tolerance, and no others", () => {
    expect(differs(of(1, 2.0001), of(1, 2))).toBe(false);
    expect(differs(of(1, 2.1), of(1, 2))).toBe(true);
    expect(differs(of(1), of(1, 2))).toBe(true);
  });

  it("rejects a bias that would be acceptable in a single value", () => {
    expect(differs(of(1.005, 2.01, 3.015), of(1, 2, 3))).toBe(true);
  });

  it("does not treat NaNs as equal, unless the case expects one", () => {
    expect(differs(of(NaN), of(NaN))).toBe(true);
    expect(differs(of(NaN), of(NaN), true)).toBe(false);
    expect(differs(of(NaN), of(1), true)).toBe(true);
    expect(differs(of(Infinity), of(1))).toBe(true);
    expect(differs(of(1), of(NaN), true)).toBe(true);
  });

  it("rejects one flipped sign, even among zeros", () => {
    for (const values of [of(1, -3, 2), of(0, 0), of(NaN, 5), of(NaN)])
      expect(differs(values, perturbed(values), true)).toBe(true);
  });
});

describe("runNode finds", () => {
  const [B, I, O] = [5, 6, 7];
  const node = linear(
    "y",
    tensor("x", "activation", [B, I]),
    weightTensor("W", "param", [I], [O]),
    tensor("b", "param", [O]),
    "sigmoid",
  );
  const random = new RandomValues("planted");
  const values = { x: random.normal(B * I), W: random.normal(I * O), b: random.normal(O) };
  const faults = async (alter: (dispatch: Dispatch) => Dispatch) =>
    (await runNode(device, { node, values, step: defaultStep, alter })).faults.join("\n");

  it("nothing in a correct kernel", async () => expect(await faults((dispatch) => dispatch)).toBe(""));

  it("values that are not written", async () => {
    const fewer = (dispatch: Dispatch) => ({ ...dispatch, shape: { ...dispatch.shape, rows: B - 1 } });
    expect(await faults(fewer)).toContain("y: word 32 is never written");
  });

  it("padding that is not zero", async () => {
    const wider = (dispatch: Dispatch) => ({ ...dispatch, shape: { ...dispatch.shape, inner_count: O + 1 } });
    expect(await faults(wider)).toContain("y: padding at 7, 15, 23, 31, 39 is not zero");
  });

  it("writes outside the output", async () => {
    // The whole buffer is bound, guards and all: the kernel writes past its last row.
    const more = (dispatch: Dispatch): Dispatch => {
      const y = dispatch.bindings.y!;
      const bindings = { ...dispatch.bindings, y: { ...y, bytes: y.bytes + 64 } };
      return { ...dispatch, bindings, shape: { ...dispatch.shape, rows: B + 2 } };
    };
    expect(await faults(more)).toMatch(/buffer slot0 of \d+ bytes is changed at byte 416, outside of the outputs/);
  });

  it("WebGPU's own errors", async () => {
    const tooMany = (dispatch: Dispatch) => ({
      ...dispatch,
      bindings: { ...dispatch.bindings, W: { ...dispatch.bindings.W!, bytes: 10_000 } },
    });
    await expect(faults(tooMany)).rejects.toThrow("validation");
  });
});

it("checkOp fails with the command that repeats the case", async () => {
  const values: Tensor = { name: "values", role: "input", shape: [4], storage: [4] };
  const build = () => ({
    node: sumAll(values, tensor("y", "gradient", [1])),
    // Next to 2^25 the ones are lost in f32: a genuine failure.
    values: { values: Float64Array.of(2 ** 25, 1, 1, -(2 ** 25)) },
  });
  await expect(checkOp(device, { name: "a bad case", build })).rejects.toThrow(
    /y: value 0 is .*\nrepeat by: CASE="a bad case" npm test -- test\/support\/check_op\.test\.ts/,
  );
});
