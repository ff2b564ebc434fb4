// Proves a kernel: against its twin, with guards, twice, and with a control that must fail. A new op's test is a list
// of cases.
import { relative } from "node:path";
import { expect, it } from "vitest";
import type { Device } from "../../src/device.js";
import type { StepValues } from "../../src/executable.js";
import type { Node } from "../../src/graph.js";
import type { Schedule } from "../../src/ops/op.js";
import { twinOf } from "../reference/index.js";
import type { Values } from "../reference/twin.js";
import { compare, perturbed } from "./compare.js";
import { RandomValues } from "./random_values.js";
import { defaultStep, runNode } from "./run_node.js";
import { toleranceOf } from "./tolerances.js";

export interface BuiltCase {
  readonly node: Node;
  /** Values of the inputs, and of the outputs that are updated in place, by the WGSL names. */
  readonly values: Values;
  /** What differs from `defaultStep`. */
  readonly step?: Partial<StepValues>;
  readonly schedule?: Schedule;
  /** Outputs in which the twin's infinities and NaNs are meant. */
  readonly nonFinite?: readonly string[];
  /** By output: by what the error of each value is multiplied by nature, as noise is by its standard deviation. */
  readonly scales?: Values;
}

export interface OpCase {
  /** Says all there is to say: it repeats the case, and seeds its values. */
  readonly name: string;
  readonly build: (random: RandomValues) => BuiltCase;
}

/** A test for each case; with CASE in the environment, for the case of that name alone. */
export function testOps(device: Device, cases: readonly OpCase[]): void {
  const { CASE } = process.env;
  const twice = cases.find(({ name }, i) => cases.findIndex((other) => other.name === name) !== i);
  if (twice) throw new Error(`two cases are named "${twice.name}"`);
  for (const one of cases) {
    it.skipIf(CASE !== undefined && CASE !== one.name)(one.name, () => checkOp(device, one));
  }
}

/** Throws what is wrong with the kernel in this case, and the command that repeats it. */
export async function checkOp(device: Device, { name, build }: OpCase): Promise<void> {
  const complaints: string[] = [];
  const { node, values, step: changes, schedule, nonFinite = [], scales = {} } = build(new RandomValues(name));
  const step = { ...defaultStep, ...changes };
  const expected = twinOf(node.op)(node, values, step);
  const { outputs, faults } = await runNode(device, { node, values, step, ...(schedule ? { schedule } : {}) });
  complaints.push(...faults);
  for (const key of Object.keys(node.outputs)) {
    const [actual, twin] = [outputs[key], expected[key]];
    if (!actual || !twin) throw new Error(`the twin of ${node.op} makes no ${key}`);
    const scale = scales[key];
    const options = { nonFinite: nonFinite.includes(key), ...(scale ? { scale } : {}) };
    const check = (reference: Float64Array) => compare(actual, reference, toleranceOf(node.op, key), options);
    const wrong = check(twin);
    if (wrong) complaints.push(`${key}: ${wrong}`);
    // A test that cannot fail proves nothing.
    else if (!check(perturbed(twin))) complaints.push(`${key}: the comparison accepts a wrong sign`);
  }
  if (complaints.length > 0) {
    const file = relative(process.cwd(), expect.getState().testPath ?? "");
    const seed = process.env.SEED ? `SEED=${process.env.SEED} ` : "";
    throw new Error(`${complaints.join("\n")}\nrepeat by: ${seed}CASE="${name}" npm test -- ${file}`);
  }
}
