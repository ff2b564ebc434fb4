// Runs one node by the path that training takes (plan, Executable, encode) among guard words, twice, and tells what it
// wrote and what it should have left alone. The second time its workgroups are folded into rows, as those of a dispatch
// of more than an adapter takes in one dimension.
import type { Device } from "../../src/device.js";
import { Executable, type ExecutableOptions, type StepValues } from "../../src/executable.js";
import type { Node } from "../../src/graph.js";
import type { Schedule } from "../../src/ops/op.js";
import { plan, type Dispatch, type Plan } from "../../src/plan.js";
import { readRanges } from "../../src/readback.js";
import type { Role, Tensor } from "../../src/tensor.js";
import type { Values } from "../reference/twin.js";
import { withErrorScopes } from "./gpu.js";
import { fromStorage, storedBytes, toStorage } from "./layout.js";

/** NaNs of two bit patterns: a kernel that reads one spreads a NaN, and one that is gone was overwritten. */
const GUARD = 0x7fc06a7d;
const UNWRITTEN = 0x7fc0dead;
/** Two NaNs of f16. */
const UNWRITTEN_HALF = 0x7ead7ead;
const GUARD_BYTES = 256;

/** Rows of the rings of outputs; the run uses one, and the others must stay as they are. */
const SLOTS = 3;

export const defaultStep: StepValues = {
  seed_low: 0x9e3779b9,
  seed_high: 0x2545f491,
  step: 7,
  slot: 1,
  epoch: 2,
  first_row: 0,
  rows: 1,
  stream: 1,
  sample: 0,
  gradient_scale: 1,
  knobs: { learning_rate: 1e-3, beta: 1, noise: 1, correction1: 1, correction2: 1 },
};

export interface NodeRun {
  readonly node: Node;
  /** Values of the inputs, and of the outputs that are updated in place, by the WGSL names. */
  readonly values: Values;
  readonly step: StepValues;
  readonly schedule?: Schedule;
  /** Activations and weights in f16; the device must have the feature. */
  readonly half?: boolean;
  /** Another form of the planned dispatch: another workgroup size. */
  readonly alter?: (dispatch: Dispatch) => Dispatch;
}

export interface NodeResult {
  /** Outputs by their WGSL names. */
  readonly outputs: Readonly<Record<string, Float64Array>>;
  /** What went wrong apart from the values: damaged guards, values not written, padding, a second run that differs. */
  readonly faults: readonly string[];
}

export async function runNode(device: Device, run: NodeRun): Promise<NodeResult> {
  return withErrorScopes(device.gpu, async () => {
    const before = JSON.stringify(device.allocated);
    const node = standalone(run.node, run.values);
    const planned = plan(
      { nodes: [node] },
      { slots: SLOTS, schedule: () => run.schedule ?? "direct", half: run.half ?? false },
    );
    const { alter } = run;
    const altered = alter
      ? { ...planned, plan: { ...planned.plan, dispatches: planned.plan.dispatches.map(alter) } }
      : planned;
    const executables: Executable[] = [];
    const make = async (options: ExecutableOptions = {}) => {
      const made = await Executable.create(device, altered, {}, { guardBytes: GUARD_BYTES, ...options });
      executables.push(made);
      return made;
    };
    try {
      const executable = await make();
      const images = initialImages(executable, node, run);
      const first = await execute(device, executable, images, run.step);
      const again = await make({ mostWorkgroups: foldingWidth(altered.plan) });
      const second = await execute(device, again, images, run.step);
      const { outputs, faults } = inspect(executable, node, run, images, first);
      const differing = [...first].filter(([name, bytes]) => Buffer.compare(bytes, second.get(name)!) !== 0);
      for (const [name] of differing) faults.push(`a second run, in rows of workgroups, leaves other bits in ${name}`);
      for (const one of executables) one.dispose();
      const after = JSON.stringify(device.allocated);
      if (after !== before) faults.push(`buffers ${before} before, ${after} after dispose()`);
      return { outputs, faults };
    } finally {
      for (const one of executables) one.dispose();
    }
  });
}

/** Rows so short that each dispatch of two workgroups or more has several, and the last one, where it can, has some too many. */
function foldingWidth({ dispatches }: Plan): number {
  const most = Math.max(...dispatches.map(({ workgroups }) => workgroups));
  if (most === 2) return 1;
  return most % 2 === 0 ? 3 : 2;
}

/** The node alone: no other node makes its inputs, nor the outputs that it changes in place. */
function standalone(node: Node, values: Values): Node {
  const given = (tensor: Tensor, role: Role): Tensor => (tensor.role === "activation" ? { ...tensor, role } : tensor);
  const inputs = Object.entries(node.inputs).map(([key, tensor]) => [key, given(tensor, "input")] as const);
  const outputs = Object.entries(node.outputs).map(
    ([key, tensor]) => [key, values[key] ? given(tensor, "state") : tensor] as const,
  );
  return { ...node, inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) };
}

/** Where this step's values of a tensor lie in its buffer. */
function extent(executable: Executable, tensor: Tensor, step: StepValues) {
  const place = executable.plan.places[tensor.name]!;
  const half = place.half ?? false;
  const bytes = storedBytes(tensor, half);
  const row = tensor.role === "ring" ? step.slot * bytes : 0;
  const from = executable.locate(tensor.name).offset + row;
  return { name: place.buffer, from, to: from + bytes, half };
}

type Images = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

function filled(bytes: number, pattern: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(bytes / 4).fill(pattern).buffer);
}

function initialImages(executable: Executable, node: Node, { values, step }: NodeRun): Images {
  const images = new Map([...executable.buffers].map(([name, { size }]) => [name, filled(size, GUARD)]));
  for (const [key, tensor] of [...Object.entries(node.outputs), ...Object.entries(node.inputs)]) {
    const { name, from, to, half } = extent(executable, tensor, step);
    const given = values[key];
    if (!given && key in node.inputs) throw new Error(`${node.op}: the case gives no values for ${key}`);
    images
      .get(name)!
      .set(given ? toStorage(tensor, given, half) : filled(to - from, half ? UNWRITTEN_HALF : UNWRITTEN), from);
  }
  return images;
}

async function execute(device: Device, executable: Executable, images: Images, step: StepValues): Promise<Images> {
  for (const [name, buffer] of executable.buffers) device.gpu.queue.writeBuffer(buffer, 0, images.get(name)!);
  executable.writeSteps([step]);
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  executable.encode(pass, 0);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  const ranges = [...executable.buffers.values()].map((buffer) => ({ buffer, offset: 0, bytes: buffer.size }));
  const all = new Uint8Array(await readRanges(device, ranges));
  let from = 0;
  return new Map([...executable.buffers].map(([name, { size }]) => [name, all.subarray(from, (from += size))]));
}

function inspect(executable: Executable, node: Node, { values, step }: NodeRun, before: Images, after: Images) {
  const outputs: Record<string, Float64Array> = {};
  const faults: string[] = [];
  /** What the run should leave: the image from before with the outputs as they are now. */
  const expected = new Map([...before].map(([name, bytes]) => [name, bytes.slice()]));
  for (const [key, tensor] of Object.entries(node.outputs)) {
    const { name, from, to, half } = extent(executable, tensor, step);
    const bytes = after.get(name)!.subarray(from, to);
    const { values: read, dirty } = fromStorage(tensor, bytes, half);
    outputs[key] = read;
    expected.get(name)!.set(bytes, from);
    const unwritten = half
      ? new Uint16Array(bytes.slice().buffer).indexOf(UNWRITTEN_HALF & 0xffff)
      : new Uint32Array(bytes.slice().buffer).indexOf(UNWRITTEN);
    if (!values[key] && unwritten >= 0) faults.push(`${key}: word ${unwritten} is never written`);
    if (dirty.length > 0) faults.push(`${key}: padding at ${dirty.slice(0, 5).join(", ")} is not zero`);
  }
  // What passes between the dispatches of a node that is several.
  const own = new Set([...Object.values(node.inputs), ...Object.values(node.outputs)].map(({ name }) => name));
  for (const [tensor, { buffer, bytes }] of Object.entries(executable.plan.places)) {
    if (own.has(tensor)) continue;
    const { offset } = executable.locate(tensor);
    expected.get(buffer)!.set(after.get(buffer)!.subarray(offset, offset + bytes), offset);
  }
  for (const [name, bytes] of expected) {
    const now = after.get(name)!;
    const damaged = bytes.findIndex((byte, i) => byte !== now[i]);
    if (damaged >= 0) {
      faults.push(`buffer ${name} of ${bytes.length} bytes is changed at byte ${damaged}, outside of the outputs`);
    }
  }
  return { outputs, faults };
}
