// The only place where a graph is rewritten. Neighbours become one node where one dispatch can do their work, since a
// dispatch costs more than a little arithmetic, and a pass over memory more than a second result of it; a node becomes
// several where its schedule is several dispatches.
import type { Graph, Node } from "./graph.js";
import { further, opNamed } from "./ops/index.js";
import type { Fusion, Schedule } from "./ops/op.js";
import { joinedSums } from "./ops/sum.js";

/** A loss and its gradient, NAME_grad, where the weight is a knob alone: NAME makes both where it lists these outputs. */
const lossWithGradient: Fusion = {
  name: "loss_with_gradient",
  apply(node, { nodes }) {
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
  },
};

/** The rules, in the order in which they apply; those of further ops once these are loaded. */
export const fusions = (): readonly Fusion[] => [lossWithGradient, joinedSums, ...(further?.fusions ?? [])];

/** The graph as it runs: every node becomes one dispatch. `schedule` is how each product is computed. */
export function fuse(given: Graph, schedule: (node: Node) => Schedule = () => "direct"): Graph {
  let graph = given;
  for (const rule of fusions()) {
    for (const node of graph.nodes) {
      const found = graph.nodes.includes(node) && rule.apply(node, graph, schedule);
      if (!found) continue;
      const { takes, nodes } = found;
      const placed = (other: Node) => (other === node ? nodes : takes.includes(other) ? [] : [other]);
      graph = { ...graph, nodes: graph.nodes.flatMap(placed) };
    }
  }
  return graph;
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
