// Memory for tensors that live within a step: ranges in a few buffers, shared by tensors that live at different times.
import type { Graph } from "./graph.js";
import type { Tensor } from "./tensor.js";

/** Bindings start at multiples of this. */
const ALIGNMENT = 256;

interface Life {
  readonly name: string;
  readonly bytes: number;
  /** From the node that makes it to the last one that uses it. */
  readonly first: number;
  last: number;
  /** How each node that uses it accesses it. */
  readonly uses: Map<number, "reads" | "writes">;
}

export interface Spot {
  readonly slot: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A spot for every activation that `graph` makes, and the slots' sizes. Tensors in `keep` outlive the last node. The
 * largest are placed first: each takes the smallest slot with room for it, or a new one of its size.
 */
export function placeInSlots(
  graph: Graph,
  bytesOf: (tensor: Tensor) => number,
  keep: ReadonlySet<string>,
): { spots: Map<string, Spot>; sizes: readonly number[] } {
  const slots: { readonly bytes: number; readonly held: (Life & Spot)[] }[] = [];
  const spots = new Map<string, Spot>();
  for (const life of livesOf(graph, bytesOf, keep).sort((a, b) => b.bytes - a.bytes)) {
    const { name, bytes } = life;
    const rooms = slots.flatMap(({ bytes: size, held }, slot) => {
      const offset = held.some((other) => mixes(life, other)) ? Infinity : firstGap(life, held);
      return offset + bytes <= size ? [{ slot, offset, size }] : [];
    });
    const least = Math.min(...rooms.map(({ size }) => size));
    const { slot, offset } = rooms.find(({ size }) => size === least) ?? {
      slot: slots.push({ bytes, held: [] }) - 1,
      offset: 0,
    };
    slots[slot]?.held.push({ ...life, slot, offset });
    spots.set(name, { slot, offset, bytes });
  }
  return { spots, sizes: slots.map(({ bytes }) => bytes) };
}

function livesOf(graph: Graph, bytesOf: (tensor: Tensor) => number, keep: ReadonlySet<string>): Life[] {
  const lives = new Map<string, Life>();
  graph.nodes.forEach((node, index) => {
    for (const { name } of Object.values(node.inputs)) {
      const life = lives.get(name);
      life?.uses.set(index, "reads");
      if (life) life.last = Math.max(life.last, index);
    }
    for (const tensor of Object.values(node.outputs)) {
      if (tensor.role !== "activation") continue;
      const { name } = tensor;
      const life = lives.get(name) ?? { name, bytes: bytesOf(tensor), first: index, last: index, uses: new Map() };
      life.uses.set(index, "writes");
      life.last = keep.has(name) ? Infinity : Math.max(life.last, index);
      lives.set(name, life);
    }
  });
  return [...lives.values()];
}

/** Whether a node reads one and writes the other, since WebGPU does not let a dispatch do both with one buffer. */
function mixes(a: Life, b: Life): boolean {
  return [...a.uses].some(([index, use]) => (b.uses.get(index) ?? use) !== use);
}

/** The first offset that is not in `held` at any time during `life`. */
function firstGap(life: Life, held: readonly (Life & Spot)[]): number {
  const then = held.filter(({ first, last }) => first <= life.last && life.first <= last);
  let offset = 0;
  for (const { offset: from, bytes } of then.sort((a, b) => a.offset - b.offset)) {
    if (from - offset >= life.bytes) break;
    offset = Math.max(offset, Math.ceil((from + bytes) / ALIGNMENT) * ALIGNMENT);
  }
  return offset;
}
