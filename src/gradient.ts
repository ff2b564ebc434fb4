// The gradient of a graph is more nodes of ordinary ops, so that planning, recording, profiling and printing have one
// path. What is minimised is the sum of the graph's terms, each by its knob: the gradient of a loss is that weight.
import { free, type Graph, type Node } from "./graph.js";
import { further, opNamed } from "./ops/index.js";
import { isWeight, type Adjoint } from "./ops/op.js";
import type { Tensor } from "./tensor.js";

/**
 * `graph` followed by the nodes that compute the gradient of the terms that have a knob, with respect to every parameter.
 */
export function differentiate(graph: Graph): Graph {
  const needed = dependentOnParameters(graph);
  /** The gradient of each tensor that has one so far. */
  const gradients = new Map<string, Adjoint>();
  for (const { value, knob } of graph.terms ?? []) if (knob) gradients.set(value.name, { knob });
  const nodes: Node[] = [...graph.nodes];
  /** How many nodes of the graph read each tensor; what only a gradient reads counts as one. */
  const readers = new Map<string, number>();
  for (const { inputs, outputs } of graph.nodes) {
    if (outputs.pre) readers.set(outputs.pre.name, 1);
    for (const { name } of Object.values(inputs)) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  /** The gradients that several nodes give one parameter, by its name. */
  const partials = new Map<string, Tensor[]>();
  /** Names that the added nodes' outputs have. */
  const made = new Set<string>();
  for (const node of [...graph.nodes].reverse()) {
    const wanted = (input: string) => needed.has(node.inputs[input]?.name ?? "");
    if (!Object.keys(node.inputs).some(wanted)) continue;
    const upstream: Record<string, Adjoint> = {};
    for (const [key, output] of Object.entries(node.outputs)) {
      const gradient = gradients.get(output.name);
      if (gradient) upstream[key] = gradient;
    }
    if (Object.keys(upstream).length === 0) continue;
    const ruled = opNamed(node.op).gradient?.(node, upstream, wanted, (tensor) => readers.get(tensor.name) === 1);
    if (!ruled) throw new Error(`op ${node.op} has no gradient rule, and ${describe(node)} needs one`);
    const added = further?.renamed(ruled, made) ?? ruled;
    nodes.push(...added.nodes);
    for (const name of added.nodes.flatMap(({ outputs }) => Object.values(outputs)).map(({ name }) => name))
      made.add(name);
    for (const [key, gradient] of Object.entries(added.of)) {
      const of = node.inputs[key];
      if (!of) throw new Error(`${node.op}: a gradient of ${key}, which is no input`);
      const other = gradients.get(of.name);
      if (isWeight(gradient) || (other && isWeight(other))) {
        if (other) throw new Error(`the loss ${of.name} has two weights`);
        gradients.set(of.name, gradient);
        continue;
      }
      if (other && of.role === "param") {
        partials.set(of.name, [...(partials.get(of.name) ?? [other]), gradient]);
        continue;
      }
      // A tensor that is used twice has the sum of both gradients. One gradient may be a term of several sums: residual
      // layers pass theirs on as it is.
      const name = free(`${gradient.name}.sum`, made);
      const sum = other && further!.add(name, other, gradient);
      if (sum) {
        nodes.push(sum);
        made.add(name);
      }
      gradients.set(of.name, sum?.outputs.y ?? gradient);
    }
  }
  for (const name of parameterNames(graph)) {
    const gradient = gradients.get(name);
    if (!gradient) throw new Error(`no gradient reaches the parameter ${name}`);
    // The optimizer reads it by its place.
    if (isWeight(gradient) || gradient.role !== "gradient") {
      throw new Error(`the gradient of the parameter ${name} lies elsewhere`);
    }
  }
  return { ...graph, nodes: partials.size > 0 ? further!.addedUp(nodes, partials, made) : nodes };
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
