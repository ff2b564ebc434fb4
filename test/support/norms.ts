// Shared by the normalization tests: tensors, values for any of their nodes, and running several nodes in sequence.
import { expect } from "vitest";
import type { Device } from "../../src/device.js";
import type { StepValues } from "../../src/executable.js";
import type { Node } from "../../src/graph.js";
import type { NormTensors } from "../../src/ops/batch_norm.js";
import { opNamed } from "../../src/ops/index.js";
import { size, slopeNeedsInput, tensor, type Activation, type Tensor } from "../../src/tensor.js";
import { activate, saved } from "../reference/activation.js";
import { twinOf } from "../reference/index.js";
import type { Values } from "../reference/twin.js";
import { RandomValues } from "./random_values.js";
import { defaultStep, runNode } from "./run_node.js";

/** x, made by `from`. */
export function inputTensor(shape: readonly number[], from: Activation): Tensor {
  const pre = slopeNeedsInput(from) ? { pre: tensor("x.pre", "activation", shape) } : {};
  return tensor("x", "activation", shape, from === "none" ? {} : { activation: from, ...pre });
}

export function affineTensors(shape: readonly number[]): NormTensors {
  const channels = shape.slice(-1);
  return { gamma: tensor("gamma", "param", channels), beta: tensor("beta", "param", channels) };
}

/** The gradient nodes for the last output of `forward`; dy is [...shape]. */
export function backwardNodes(forward: readonly Node[]): readonly Node[] {
  const last = forward.at(-1)!;
  const dy = tensor("dy", "activation", last.outputs.y!.shape);
  const wanted = (input: string) => ["x", "gamma", "beta"].includes(input);
  return opNamed(last.op).gradient!(last, { y: dy }, wanted).nodes;
}

/** Values suited to one node of a normalization: their sums are about 1 at any size. */
export function normValues(
  node: Node,
  random: RandomValues,
  from: Activation,
  level = 0,
): Record<string, Float64Array> {
  const x = node.inputs.x;
  const all = node.inputs.all_parts;
  const a = random.normal(size(x?.shape ?? [])).map((value) => Math.fround(value + level));
  const [, parts = 1, , channels = 1] = all?.shape ?? [];
  const rows = Number(node.attributes.rows);
  // Means about 1, so that the overall mean is not a difference of large numbers; squares of one row are zero.
  const moments = (value: number, i: number) => {
    const part = Math.floor(i / channels / 2) % parts;
    const squares = Math.ceil((rows - part) / parts) - 1;
    return Math.floor(i / channels) % 2 === 0 ? value + level + 1 : Math.abs(value) * squares;
  };
  const sums = (value: number) => value / Math.sqrt(size(all?.shape ?? []) / channels);
  const make: Record<string, (of: Tensor) => Float64Array> = {
    x: () => a.map((value) => activate(from, value)),
    saved: () => a.map((value) => saved(from, value)),
    dy: (of) => random.normal(size(of.shape), Math.sqrt(of.shape.at(-1)! / size(of.shape))),
    gamma: (of) => random.normal(size(of.shape)),
    beta: (of) => random.normal(size(of.shape)),
    mean: (of) => random.normal(size(of.shape), 0.3).map((value) => value + level),
    variance: (of) => random.uniform(size(of.shape), 0.5, 2),
    means: (of) => random.normal(size(of.shape), 0.3),
    all_parts: (of) => random.normal(size(of.shape)).map("gamma" in node.inputs ? sums : moments),
    health: (of) => new Float64Array(size(of.shape)),
    running_mean: (of) => random.normal(size(of.shape)),
    running_variance: (of) => random.uniform(size(of.shape), 0.5, 2),
  };
  const updated = Object.entries(node.outputs).filter(([, { role }]) => role === "state");
  const given = [...Object.entries(node.inputs), ...updated];
  return Object.fromEntries(given.map(([key, of]) => [key, make[key]!(of).map(Math.fround)]));
}

/** Values by tensor name. */
export type Named = Map<string, Float64Array>;

/** A node's inputs, including tensors that it updates in place. */
function givenTo(node: Node, named: Named): Values {
  const entries = [...Object.entries(node.outputs), ...Object.entries(node.inputs)];
  return Object.fromEntries(entries.flatMap(([key, { name }]) => (named.has(name) ? [[key, named.get(name)!]] : [])));
}

function keep(node: Node, outputs: Values, named: Named): void {
  for (const [key, { name }] of Object.entries(node.outputs)) named.set(name, outputs[key]!);
}

/** The outputs of all nodes' twins in sequence, together with the inputs. */
export function runTwins(nodes: readonly Node[], given: Named, step: StepValues = defaultStep): Named {
  const named = new Map(given);
  for (const node of nodes) keep(node, twinOf(node.op)(node, givenTo(node, named), step), named);
  return named;
}

/**
 * Runs all nodes in sequence on the GPU, for an x near 1000 with deviation 1, and compares `names` with their twins.
 */
export async function chain(device: Device, nodes: readonly Node[], name: string, names: readonly string[]) {
  const random = new RandomValues(name);
  const start: Named = new Map();
  for (const node of nodes) {
    for (const [key, value] of Object.entries(normValues(node, random, "none", 1000))) {
      const tensor = (node.inputs[key] ?? node.outputs[key])!;
      const given = ["x", "dy"].includes(tensor.name) || ["param", "state"].includes(tensor.role);
      if (given && !start.has(tensor.name)) start.set(tensor.name, value);
    }
  }
  const actual = new Map(start);
  for (const node of nodes) {
    const { outputs, faults } = await runNode(device, { node, values: givenTo(node, actual), step: defaultStep });
    expect(faults).toEqual([]);
    keep(node, outputs, actual);
  }
  const expected = runTwins(nodes, start);
  // Near 1000, f32 rounds by up to 3e-5, in the parts' means and in their mean; gamma multiplies that by up to 3.
  for (const key of names) {
    const values = actual.get(key)!;
    expect(values.length).toBe(expected.get(key)!.length);
    values.forEach((value, i) => {
      const twin = expected.get(key)![i]!;
      expect(Math.abs(value - twin) / (1 + Math.abs(twin)), `${key} ${i}`).toBeLessThan(2e-4);
    });
  }
}
