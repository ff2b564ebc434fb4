// y = act(p + q): residual connections (shaders/add.wgsl).
import addShader from "../../shaders/add.wgsl";
import { free, type Node } from "../graph.js";
import { activationCode, size, slopeNeedsInput, tensor, type Activation, type Tensor } from "../tensor.js";
import {
  arriving,
  ceilDiv,
  isWeight,
  type Adjoint,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
} from "./op.js";

/** y = act(p + q), all of the same shape, flat or images. `name` is y's. */
export function add(name: string, p: Tensor, q: Tensor, activation: Activation = "none"): Node {
  if (String(p.shape) !== String(q.shape)) {
    throw new Error(`add: ${p.name} is [${p.shape}], ${q.name} [${q.shape}]`);
  }
  const pre = slopeNeedsInput(activation) ? tensor(`${name}.pre`, "activation", p.shape) : undefined;
  const made = activation === "none" ? {} : { activation, ...(pre ? { pre } : {}) };
  const y = tensor(name, "activation", p.shape, made);
  return { op: "add", inputs: { p, q }, outputs: { y, ...(pre ? { pre } : {}) }, attributes: { activation } };
}

/** total = dW + dW2: two gradients of one parameter. */
export function addGradients(dW: Tensor, dW2: Tensor, total: Tensor): Node {
  return { op: "add_gradients", inputs: { dW, dW2 }, outputs: { total }, attributes: {} };
}

/** The same nodes, plus the sum of each parameter's partial gradients in place of its gradient. */
export function addedUp(
  nodes: readonly Node[],
  partials: ReadonlyMap<string, readonly Tensor[]>,
  made: ReadonlySet<string>,
): readonly Node[] {
  const others = new Map<string, Tensor>();
  const sums: Node[] = [];
  for (const given of partials.values()) {
    const gradient = given[0]!;
    const parts = given.map((part, index): Tensor => {
      const name = index === 0 ? free(`${part.name}.1`, made) : part.name;
      return { ...part, name, role: "activation" };
    });
    given.forEach(({ name }, index) => others.set(name, parts[index]!));
    parts.slice(1).reduce((sum, part, index) => {
      const last = index === parts.length - 2;
      const total = last ? gradient : { ...part, name: free(`${gradient.name}.sum${index + 1}`, made) };
      sums.push(addGradients(sum, part, total));
      return total;
    }, parts[0]!);
  }
  const each = (tensors: Node["inputs"]) =>
    Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, others.get(tensor.name) ?? tensor]));
  const changed = nodes.map((node) => ({ ...node, inputs: each(node.inputs), outputs: each(node.outputs) }));
  return [...changed, ...sums];
}

/** The same with other names for tensors that another use of the same input has named already. */
export function renamed({ nodes, of }: Gradients, taken: ReadonlySet<string>): Gradients {
  const names = new Map<string, string>();
  for (const { name } of nodes.flatMap(({ outputs }) => Object.values(outputs))) {
    const other = free(name, taken);
    if (other !== name) names.set(name, other);
  }
  if (names.size === 0) return { nodes, of };
  const other = <T extends Adjoint>(one: T): T =>
    isWeight(one) ? one : { ...one, name: names.get(one.name) ?? one.name };
  const each = <T extends Adjoint>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).map(([key, one]) => [key, other(one)]));
  return {
    nodes: nodes.map((node) => ({ ...node, inputs: each(node.inputs), outputs: each(node.outputs) })),
    of: each(of),
  };
}

/** If no activation made the input, the gradient is dy itself and nothing is left to compute. */
function gradient(node: Node, upstream: Adjoints, wanted: (input: string) => boolean): Gradients {
  const dy = arriving(node, upstream, "y");
  const nodes: Node[] = [];
  const of: Record<string, Tensor> = {};
  for (const [key, input] of Object.entries(node.inputs)) {
    if (!wanted(key)) continue;
    const { activation = "none", pre: saved = input } = input;
    // x + x, from a residual connection around no layers, has the same gradient twice.
    const same = Object.keys(of).find((other) => node.inputs[other]!.name === input.name);
    if (same) {
      of[key] = of[same]!;
      continue;
    }
    of[key] = activation === "none" ? dy : tensor(`d${input.name}`, "activation", input.shape);
    if (of[key] !== dy) {
      nodes.push({ op: "add_grad", inputs: { dy, saved }, outputs: { dp: of[key] }, attributes: { activation } });
    }
  }
  return { nodes, of };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, outputs, attributes }: Node): Kernel {
  const { shape = [], storage = [] } = outputs.y ?? outputs.dp ?? outputs.total ?? {};
  const length = size(storage) / 4;
  return {
    shader: addShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ACTIVATION: activationCode((attributes.activation ?? "none") as Activation),
      ...(op === "add" ? { KEEP_PRE: outputs.pre ? 1 : 0 } : {}),
    },
    shape: { length, channels: (storage.at(-1) ?? 4) / 4, channel_count: shape.at(-1) ?? 1 },
    workgroups: ceilDiv(length, WORKGROUP_SIZE),
  };
}

export const addOps: readonly Op[] = [
  { name: "add", kernel, gradient },
  { name: "add_grad", kernel },
  { name: "add_gradients", kernel },
];
