// Which tensors of a graph are held in half precision, and where.
import type { Graph } from "./graph.js";
import type { Kernel } from "./ops/op.js";
import { HALF_WEIGHTS, memberOffsets, size, type Tensor } from "./tensor.js";

/** What the kernels hold as lib/stored.wgsl says. Throws where one kernel does and another doesn't. */
export function storedTensors(graph: Graph, kernels: readonly Kernel[]): Set<string> {
  const all = { stored: new Set<string>(), plain: new Set<string>() };
  graph.nodes.forEach((node, index) => {
    const { shader, entryPoint, names = {} } = kernels[index]!;
    for (const name of shader.entryPoints[entryPoint]?.bindings ?? []) {
      const tensor = { ...node.inputs, ...node.outputs }[names[name] ?? name];
      if (tensor) all[shader.bindings[name]?.stored ? "stored" : "plain"].add(tensor.name);
    }
  });
  const both = [...all.stored].filter((name) => all.plain.has(name));
  if (both.length > 0) throw new Error(`${both.join(", ")}: f16 in one kernel and f32 in another`);
  return all.stored;
}

/** As in a plan (plan.ts). */
interface HalfBuffer {
  readonly kind: "param" | "gradient" | "state" | "input" | "ring" | "slot";
  readonly bytes: number;
}
interface HalfPlace {
  readonly buffer: string;
  readonly offset: number;
  readonly bytes: number;
  readonly half?: boolean;
}

/** The f16 copies of the parameters that kernels read so: one buffer, laid out as the parameters are. */
export function placeHalf(
  flat: Tensor,
  halves: ReadonlySet<string>,
  buffers: Record<string, HalfBuffer>,
  places: Record<string, HalfPlace>,
): void {
  const bytes = 2 * size(flat.storage);
  buffers[HALF_WEIGHTS] = { kind: "state", bytes };
  places[HALF_WEIGHTS] = { buffer: HALF_WEIGHTS, offset: 0, bytes, half: true };
  const offsets = memberOffsets(flat);
  for (const member of flat.members ?? []) {
    if (!halves.has(member.name)) continue;
    const offset = 2 * (offsets.get(member.name) ?? 0);
    places[member.name] = { buffer: HALF_WEIGHTS, offset, bytes: Math.max(16, 2 * size(member.storage)), half: true };
  }
}
