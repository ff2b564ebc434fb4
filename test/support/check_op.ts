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
import { opNamed } from "../../src/ops/index.js";
import { roundToHalf } from "./half.js";
import { RandomValues } from "./random_values.js";
import { defaultStep, runNode } from "./run_node.js";
import { inHalf, toleranceOf } from "./tolerances.js";

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
  /** Its values are beyond what f16 holds. */
  readonly beyondHalf?: boolean;
  readonly build: (random: RandomValues) => BuiltCase;
}

/** A test for each case; with CASE in the environment, for the case of that name alone. */
export function testOps(device: Device, cases: readonly OpCase[]): void {
  const hasHalf = device.gpu.features.has("shader-f16");
  const { CASE } = process.env;
  const twice = cases.find(({ name }, i) => cases.findIndex((other) => other.name === name) !== i);
  if (twice) throw new Error(`two cases are named "${twice.name}"`);
  for (const one of cases) {
    it.skipIf(CASE !== undefined && CASE !== one.name)(one.name, () => checkOp(device, one));
    if (hasHalf && !one.beyondHalf)
      it.skipIf(CASE !== undefined && CASE !== one.name)(`${one.name}, f16`, () => checkOp(device, one, true));
  }
}

/** The tensors, by their names in the node, that its kernel holds in f16. */
function storedKeys(node: Node, schedule: Schedule = "direct"): Set<string> {
  // What winograd's transforms read and write is what the one dispatch does.
  const one = schedule === "winograd" ? "direct" : schedule;
  const { shader, entryPoint, names = {} } = opNamed(node.op).kernel(node, one);
  const bindings = shader.entryPoints[entryPoint]!.bindings.filter((name) => shader.bindings[name]!.stored);
  return new Set(bindings.map((name) => names[name] ?? name));
}

/** Throws what is wrong with the kernel in this case, and the command that repeats it. */
export async function checkOp(device: Device, { name, build }: OpCase, half = false): Promise<void> {
  const complaints: string[] = [];
  const { node, values: given, step: changes, schedule, nonFinite = [], scales = {} } = build(new RandomValues(name));
  const step = { ...defaultStep, ...changes };
  const stored = half ? storedKeys(node, schedule) : new Set<string>();
  const values = Object.fromEntries(
    Object.entries(given).map(([key, all]) => [key, stored.has(key) ? all.map(roundToHalf) : all]),
  );
  const expected = twinOf(node.op)(node, values, step);
  const { outputs, faults } = await runNode(device, { node, values, step, half, ...(schedule ? { schedule } : {}) });
  complaints.push(...faults);
  for (const key of Object.keys(node.outputs)) {
    const [actual, twin] = [outputs[key], expected[key]];
    if (!actual || !twin) throw new Error(`the twin of ${node.op} makes no ${key}`);
    const scale = scales[key];
    const tolerance = toleranceOf(node.op, key);
    const options = { nonFinite: nonFinite.includes(key), ...(scale ? { scale } : {}) };
    const check = (reference: Float64Array) =>
      compare(actual, reference, stored.has(key) ? inHalf(tolerance) : tolerance, options);
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
