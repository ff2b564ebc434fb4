// A Graph is nodes in the order in which they run. Each node is one use of an op on tensors, by the names that the
// op's WGSL file gives them.
import type { Tensor } from "./tensor.js";

export type Attributes = Readonly<Record<string, number | string | boolean>>;

export interface Node {
  /** Name of the op, which is the name of its entry point. */
  readonly op: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly attributes: Attributes;
  /** Members of the kernel's `shape` that are the place of a knob, by its name: a number that each step has anew. */
  readonly knobs?: Readonly<Record<string, string>>;
}

/** The knob that is 1 in every step. */
export const ONE = "one";

/** A loss in nats: the mean over the rows of `value`, [rows, parts], of the sum of its parts. */
export interface Term {
  readonly name: string;
  readonly value: Tensor;
  /** How much it counts in what is minimised; without one it is only reported. */
  readonly knob?: string;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly terms?: readonly Term[];
}

/**
 * Every tensor of the graph by name. Throws where two different tensors share one, or two nodes make it: they would write
 * to one place. A node may write over what it reads, and one that is `in_place` over what it needs of an earlier one.
 */
export function graphTensors(graph: Graph): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const made = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const tensor of [...Object.values(node.inputs), ...Object.values(node.outputs)]) {
      const other = tensors.get(tensor.name);
      if (other && other !== tensor && String(other.storage) !== String(tensor.storage)) {
        throw new Error(`two tensors are named ${tensor.name}: [${other.storage}] and [${tensor.storage}]`);
      }
      tensors.set(tensor.name, tensor);
    }
    const read = new Set(Object.values(node.inputs).map(({ name }) => name));
    for (const { name } of Object.values(node.outputs)) {
      const other = made.get(name);
      if (other && !read.has(name) && !node.attributes.in_place)
        throw new Error(`two nodes make ${name}: ${other.op} and ${node.op}`);
      made.set(name, node);
    }
  }
  return tensors;
}

/** One line a node: `h [128, 400] = linear(x, encoder.0.weight, encoder.0.bias; activation=relu)`; a knob as `rate=$name`. */
export function printGraph(graph: Graph): string {
  const shown = (tensor: Tensor) => `${tensor.name} [${tensor.shape.join(", ")}]`;
  return graph.nodes
    .map((node) => {
      const outputs = Object.values(node.outputs).map(shown).join(", ");
      const inputs = Object.entries(node.inputs).map(([key, { name }]) => (key === name ? name : `${key}=${name}`));
      const attributes = Object.entries(node.attributes).map(([key, value]) => `${key}=${value}`);
      const knobs = Object.entries(node.knobs ?? {}).map(([key, knob]) => `${key}=$${knob}`);
      return `${outputs} = ${node.op}(${[inputs.join(", "), ...attributes, ...knobs].join("; ")})`;
    })
    .join("\n");
}

/** One node as a graph of its own: what other nodes made for it comes from outside instead. */
export function standalone(node: Node): Graph {
  const outside = (tensor: Tensor): Tensor => (tensor.role === "activation" ? { ...tensor, role: "input" } : tensor);
  const inputs = Object.fromEntries(Object.entries(node.inputs).map(([key, tensor]) => [key, outside(tensor)]));
  return { nodes: [{ ...node, inputs }] };
}

/** `name`, or where it is taken the first of name.2, name.3, ... that isn't. */
export function free(name: string, taken: ReadonlySet<string>): string {
  let other = name;
  for (let use = 2; taken.has(other); use++) other = `${name}.${use}`;
  return other;
}
