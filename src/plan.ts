// A Plan is what runs: dispatches in order, and the place of every tensor in a buffer. Plain data that can be
// serialised; the Executable binds it to a device.
import { WebvaeError } from "./errors.js";
import { extras } from "./extras.js";
import { fuse } from "./fuse.js";
import { graphTensors, ONE, type Graph, type Node } from "./graph.js";
import { opNamed } from "./ops/index.js";
import type { Kernel, Schedule, Tiling } from "./ops/op.js";
import { inHalf, type ShaderSource } from "./shader_source.js";
import { placeInSlots } from "./slots.js";
import { memberOffsets, size, type Tensor } from "./tensor.js";

/** Where a tensor lies: a range of a named buffer, in bytes. */
export interface Place {
  readonly buffer: string;
  readonly offset: number;
  readonly bytes: number;
  /** It holds f16. */
  readonly half?: boolean;
}

export interface Dispatch {
  /** The entry point's name and what it makes. */
  readonly label: string;
  readonly shader: string;
  readonly entryPoint: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly shape: Readonly<Record<string, number>>;
  /** Places by the WGSL variable's name; null for an output that this use doesn't keep. */
  readonly bindings: Readonly<Record<string, Place | null>>;
  readonly workgroups: number;
}

/**
 * param, gradient, state, input: one buffer for a tensor, or for a flat tensor and its members. ring: a row for each of
 * `slots` steps. slot: ranges for activations, shared by those that don't live at the same time.
 */
export type BufferKind = "param" | "gradient" | "state" | "input" | "ring" | "slot";

export interface PlannedBuffer {
  readonly kind: BufferKind;
  readonly bytes: number;
}

export interface Plan {
  readonly dispatches: readonly Dispatch[];
  /** What they compute, each one node. */
  readonly nodes: readonly Node[];
  readonly buffers: Readonly<Record<string, PlannedBuffer>>;
  readonly places: Readonly<Record<string, Place>>;
  /** The names of the knobs by their places in the Step. The first one is 1 in every step. */
  readonly knobs: readonly string[];
  /** Rows in the rings of outputs: the most steps that one submit may hold. */
  readonly slots: number;
  /** Bytes of all activations if none shared a slot. */
  readonly activationBytes: number;
}

export interface PlanOptions {
  /** Flat tensors whose members the graph uses. */
  readonly flats?: readonly Tensor[];
  /** Rows in the rings of outputs. */
  readonly slots?: number;
  /** The schedule of each node that has a choice. Default: direct. */
  readonly schedule?: ((node: Node) => Schedule | undefined) | undefined;
  /** Activations, their gradients and a copy of the weights in f16. Needs the flat tensor of parameters. */
  readonly half?: boolean;
  /** Activations that must outlive the last dispatch, by name: what the host reads. */
  readonly keep?: readonly string[];
}

/** Every shader that a graph's dispatches use, by name. */
export type Shaders = ReadonlyMap<string, ShaderSource>;

/** Plans a graph. Throws a plain Error naming the node where the graph and its kernels disagree: a fault of ours. */
export function plan(given: Graph, options: PlanOptions = {}): { plan: Plan; shaders: Shaders } {
  const { slots = 1, half = false, schedule } = options;
  const scheduleOf = (node: Node) => (opNamed(node.op).schedules && schedule?.(node)) ?? "direct";
  const graph = fuse(given, scheduleOf);
  const tensors = graphTensors(graph);
  // No node that is left has the schedule winograd.
  const kernels = graph.nodes.map((node) => opNamed(node.op).kernel(node, scheduleOf(node) as Tiling));
  const halves = half ? extras!.storedTensors(graph, kernels) : new Set<string>();
  const buffers: Record<string, PlannedBuffer> = {};
  const places: Record<string, Place> = {};
  for (const flat of options.flats ?? []) {
    placeFlat(flat, tensors, buffers, places);
    if (half && flat.role === "param") extras!.placeHalf(flat, halves, buffers, places);
  }
  let activationBytes = 0;
  for (const tensor of tensors.values()) {
    if (places[tensor.name] || tensor.role === "activation") continue;
    // Rows of a ring lie close, as the kernels place them: also those of fewer than 4 values.
    const isHalf = halves.has(tensor.name);
    const bytes = tensor.role === "ring" ? 4 * size(tensor.storage) * slots : tensorBytes(tensor, isHalf);
    buffers[tensor.name] = { kind: tensor.role, bytes };
    places[tensor.name] = { buffer: tensor.name, offset: 0, bytes, ...(isHalf ? { half: true } : {}) };
  }
  // What is written over what an earlier node made is another tensor.
  for (const { inputs, outputs } of graph.nodes) {
    for (const tensor of Object.values(outputs)) {
      const made = tensor.role === "activation" && !Object.values(inputs).includes(tensor);
      if (made) activationBytes += tensorBytes(tensor, halves.has(tensor.name));
    }
  }
  placeActivations(graph, new Set(options.keep), halves, buffers, places);
  const shaders = new Map<string, ShaderSource>();
  const knobs = [ONE];
  const placeOfKnob = ([member, knob]: [string, string]): [string, number] => {
    if (!knobs.includes(knob)) knobs.push(knob);
    return [member, knobs.indexOf(knob)];
  };
  const dispatches = graph.nodes.map((node, index) => {
    const asked = kernels[index]!;
    const kernel = half ? { ...asked, shader: inHalf(asked.shader) } : asked;
    shaders.set(kernel.shader.name, kernel.shader);
    const tensorsOf = { ...node.inputs, ...node.outputs };
    const dispatch: Dispatch = {
      label: `${kernel.entryPoint} ${Object.values(node.outputs)[0]?.name ?? ""}`,
      shader: kernel.shader.name,
      entryPoint: kernel.entryPoint,
      constants: kernel.constants,
      shape: { ...kernel.shape, ...Object.fromEntries(Object.entries(node.knobs ?? {}).map(placeOfKnob)) },
      bindings: bindTensors(kernel, tensorsOf, places),
      workgroups: kernel.workgroups,
    };
    return dispatch;
  });
  return { plan: { dispatches, nodes: graph.nodes, buffers, places, knobs, slots, activationBytes }, shaders };
}

function placeFlat(
  flat: Tensor,
  tensors: ReadonlyMap<string, Tensor>,
  buffers: Record<string, PlannedBuffer>,
  places: Record<string, Place>,
): void {
  const members = flat.members ?? [];
  if (!tensors.has(flat.name) && !members.some(({ name }) => tensors.has(name))) return;
  buffers[flat.name] = { kind: flat.role as BufferKind, bytes: tensorBytes(flat) };
  places[flat.name] = { buffer: flat.name, offset: 0, bytes: tensorBytes(flat) };
  const offsets = memberOffsets(flat);
  for (const member of members) {
    places[member.name] = {
      buffer: flat.name,
      offset: 4 * (offsets.get(member.name) ?? 0),
      bytes: tensorBytes(member),
    };
  }
}

/** Activations that don't live at the same time share memory. */
function placeActivations(
  graph: Graph,
  keep: ReadonlySet<string>,
  halves: ReadonlySet<string>,
  buffers: Record<string, PlannedBuffer>,
  places: Record<string, Place>,
): void {
  const { spots, sizes } = placeInSlots(graph, (tensor) => tensorBytes(tensor, halves.has(tensor.name)), keep);
  for (const [name, { slot, offset, bytes }] of spots) {
    places[name] = { buffer: `slot${slot}`, offset, bytes, ...(halves.has(name) ? { half: true } : {}) };
  }
  sizes.forEach((bytes, slot) => (buffers[`slot${slot}`] = { kind: "slot", bytes }));
  for (const node of graph.nodes) {
    for (const { name, role } of Object.values(node.inputs)) {
      if (role === "activation" && !places[name]) throw new Error(`${node.op} reads ${name}, which no node makes`);
    }
  }
}

function bindTensors(
  { shader, entryPoint, names = {} }: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  places: Readonly<Record<string, Place>>,
): Record<string, Place | null> {
  const entry = shader.entryPoints[entryPoint];
  if (!entry) throw new Error(`${shader.name}.wgsl has no entry point ${entryPoint}`);
  const bindings: Record<string, Place | null> = {};
  const bound = new Set<string>();
  for (const name of entry.bindings) {
    const binding = shader.bindings[name];
    if (!binding || binding.access === "uniform") continue;
    const key = names[name] ?? name;
    bound.add(key);
    const tensor = tensors[key];
    const place = tensor ? places[tensor.name] : null;
    if (place === undefined) throw new Error(`${entryPoint}: tensor ${tensor?.name} has no place`);
    if (place === null && binding.access === "read") throw new Error(`${entryPoint}: no tensor is given for ${key}`);
    bindings[name] = place;
  }
  for (const key of Object.keys(tensors)) {
    if (!bound.has(key)) throw new Error(`${entryPoint}: the shader uses no tensor named ${key}`);
  }
  return bindings;
}

export function tensorBytes(tensor: Tensor, half = false): number {
  // A binding is at least one vec4 long.
  return Math.max(16, (half ? 2 : 4) * size(tensor.storage));
}

/**
 * `workgroups` as rows of at most `most`, the adapter's limit for one dimension, as [in a row, rows]. There may be a
 * few too many (shaders/lib/invocation.wgsl).
 */
export function folded(workgroups: number, most: number): [number, number] {
  const rows = Math.ceil(workgroups / most) || 1;
  return [Math.ceil(workgroups / rows), rows];
}

/** Throws LIMIT_EXCEEDED, naming what is too large, before anything is allocated. */
export function checkLimits(plan: Plan, limits: GPUSupportedLimits): void {
  const found = excess(plan, limits);
  if (found) throw new WebvaeError("LIMIT_EXCEEDED", found);
}

/** What of a plan is too large, if anything is. */
function excess({ buffers, places }: Plan, limits: GPUSupportedLimits): string | undefined {
  const { maxStorageBufferBindingSize: bound, maxBufferSize: most } = limits;
  for (const [name, { bytes, kind }] of Object.entries(buffers)) {
    if (bytes <= Math.min(bound, most)) continue;
    // A slot is as large as its largest tensor. Of all the parameters, the largest is the one to make smaller.
    const inside = Object.entries(places).filter(([tensor, { buffer }]) => buffer === name && tensor !== name);
    const [largest = name, place] = inside.sort(([, a], [, b]) => b.bytes - a.bytes)[0] ?? [];
    const what = kind === "slot" || !place ? largest : `${name} (${largest} alone ${place.bytes})`;
    return `${what} needs ${bytes} bytes; this adapter binds at most ${bound}, of a buffer of at most ${most}`;
  }
  return undefined;
}

/** The largest batch up to `most` whose plan fits; 0 where not even one example does. */
export function fittingBatch(most: number, planOf: (batch: number) => Plan, limits: GPUSupportedLimits): number {
  let [fits, above] = [0, most + 1];
  // Nearly always the first one fits.
  for (let batch = most; above - fits > 1; batch = Math.floor((fits + above) / 2)) {
    if (excess(planOf(batch), limits)) above = batch;
    else fits = batch;
  }
  return fits;
}

/** Throws LIMIT_EXCEEDED where the plan of `batch` examples is too large, saying how many would fit. */
export function checkBatch(batch: number, planOf: (batch: number) => Plan, limits: GPUSupportedLimits): void {
  const found = excess(planOf(batch), limits);
  if (!found) return;
  const fits = fittingBatch(batch - 1, planOf, limits);
  const advice = fits > 0 ? `a batch of at most ${fits} would fit` : "not even a batch of 1 would fit";
  throw new WebvaeError("LIMIT_EXCEEDED", `batchSize ${batch}: ${found}; ${advice}`);
}

/** A line a dispatch, with the places of what it reads and writes. */
export function printPlan(plan: Plan): string {
  const lines = plan.dispatches.map(({ label, shader, workgroups, bindings }, index) => {
    const bound = Object.entries(bindings).map(
      ([name, place]) => `${name}=${place ? `${place.buffer}+${place.offset}` : "-"}`,
    );
    return `${String(index).padStart(2)} ${label} (${shader}, ${workgroups} workgroups): ${bound.join(" ")}`;
  });
  const buffers = Object.entries(plan.buffers).map(([name, { kind, bytes }]) => `   ${name} (${kind}) ${bytes} bytes`);
  return [...lines, ...buffers].join("\n");
}
