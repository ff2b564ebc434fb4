// Neighbours that one node can stand for: a dispatch costs more than a little arithmetic, and a pass over memory more
// than a second result of it.
import type { Graph, Node } from "./graph.js";
import { opNamed } from "./ops/index.js";
import { joinedSums } from "./ops/sum.js";

/** The nodes that take the place of `node`, and those that go with it; undefined where the rule does not fit. */
export type Fusion = (
  node: Node,
  nodes: readonly Node[],
) => { readonly takes: readonly Node[]; readonly nodes: readonly Node[] } | undefined;

/** A loss and its gradient, NAME_grad, where the weight is a knob alone: NAME makes both where it lists these outputs. */
const lossWithGradient: Fusion = (node, nodes) => {
  const { optional = [] } = opNamed(node.op);
  const gradient = nodes.find(
    ({ op, inputs, outputs }) =>
      op === `${node.op}_grad` &&
      !inputs.over &&
      Object.entries(node.inputs).every(([key, tensor]) => inputs[key] === tensor) &&
      Object.keys(outputs).every((key) => optional.includes(key)),
  );
  if (!gradient) return undefined;
  const [outputs, knobs] = [
    { ...node.outputs, ...gradient.outputs },
    { ...node.knobs, ...gradient.knobs },
  ];
  return { takes: [gradient], nodes: [{ ...node, outputs, knobs }] };
};

const fusions: readonly Fusion[] = [lossWithGradient, joinedSums];

/** The graph with fewer nodes that compute the same bits. */
export function fuse(graph: Graph): Graph {
  let { nodes } = graph;
  for (const apply of fusions) {
    for (const node of nodes) {
      const found = nodes.includes(node) && apply(node, nodes);
      if (!found) continue;
      nodes = nodes.flatMap((other) => (other === node ? found.nodes : found.takes.includes(other) ? [] : [other]));
    }
  }
  return { ...graph, nodes };
}

/** The graph without the optional outputs that no node reads, that are no term, and that are not in `read`. */
export function prune(graph: Graph, read: readonly string[] = []): Graph {
  const { nodes, terms = [] } = graph;
  const inputs = nodes.flatMap((node) => Object.values(node.inputs));
  const wanted = new Set([...read, ...[...inputs, ...terms.map(({ value }) => value)].map(({ name }) => name)]);
  const pruned = nodes.map((node) => {
    const { optional = [] } = opNamed(node.op);
    const left = Object.entries(node.outputs).filter(([key, { name }]) => !optional.includes(key) || wanted.has(name));
    return { ...node, outputs: Object.fromEntries(left) };
  });
  return { ...graph, nodes: pruned };
}
