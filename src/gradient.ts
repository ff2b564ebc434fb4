// The gradient of a graph is more nodes of ordinary ops, so that planning, recording, profiling and printing have one
// path. The loss is the sum of the graph's reconstruction and KL terms; their weights are in the ops' own rules.
import type { Graph, Node } from "./graph.js";
import { opNamed } from "./ops/index.js";
import type { Tensor } from "./tensor.js";

/** `graph` followed by the nodes that compute the gradient of its loss with respect to every parameter. */
export function differentiate(graph: Graph): Graph {
  const needed = dependentOnParameters(graph);
  /** The gradient of each tensor that has one so far. */
  const gradients = new Map<string, Tensor>();
  const nodes: Node[] = [...graph.nodes];
  for (const node of [...graph.nodes].reverse()) {
    const wanted = (input: string) => needed.has(node.inputs[input]?.name ?? "");
    if (!Object.keys(node.inputs).some(wanted)) continue;
    const upstream: Record<string, Tensor> = {};
    for (const [key, output] of Object.entries(node.outputs)) {
      const gradient = gradients.get(output.name);
      if (gradient) upstream[key] = gradient;
    }
    const isLossTerm = Object.values(node.outputs).some(({ role }) => role === "output");
    if (!isLossTerm && Object.keys(upstream).length === 0) continue;
    const added = opNamed(node.op).gradient?.(node, upstream, wanted);
    if (!added) throw new Error(`op ${node.op} has no gradient rule, and ${describe(node)} needs one`);
    nodes.push(...added.nodes);
    for (const [key, gradient] of Object.entries(added.of)) {
      const of = node.inputs[key];
      if (!of) throw new Error(`${node.op}: a gradient of ${key}, which is no input`);
      if (gradients.has(of.name)) {
        throw new Error(`${of.name} is used twice; the sum of its gradients is not built (${describe(node)})`);
      }
      gradients.set(of.name, gradient);
    }
  }
  for (const name of parameterNames(graph)) {
    if (!gradients.has(name)) throw new Error(`no gradient reaches the parameter ${name}`);
  }
  return { nodes };
}

function parameterNames(graph: Graph): Set<string> {
  const inputs = graph.nodes.flatMap((node) => Object.values(node.inputs));
  return new Set(inputs.filter(({ role }) => role === "param").map(({ name }) => name));
}

function dependentOnParameters(graph: Graph): Set<string> {
  const names = parameterNames(graph);
  for (const node of graph.nodes) {
    if (Object.values(node.inputs).some(({ name }) => names.has(name))) {
      for (const { name } of Object.values(node.outputs)) names.add(name);
    }
  }
  return names;
}

function describe(node: Node): string {
  const outputs = Object.values(node.outputs).map(({ name }) => name);
  return `${outputs.join(", ")} = ${node.op}`;
}
