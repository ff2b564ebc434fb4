// -log p(z) of a mixture of Gaussians, its gradients and its draws (shaders/mixture.wgsl).
import mixtureShader from "../../shaders/mixture.wgsl";
import type { Node } from "../graph.js";
import { like, tensor, type Tensor } from "../tensor.js";
import {
  ceilDiv,
  copiesConstant,
  siteConstant,
  stridesOf,
  weightOf,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
} from "./op.js";

/**
 * prior [B K, 1], -log p(z) in nats of z [B K, Z], K rows an example, for the components' heads [C, 2, Z]: mean, then log
 * variance. All components weigh alike.
 */
export function mixture(z: Tensor, heads: Tensor, copies: number): Node {
  const [rows = 1] = z.shape;
  return {
    op: "mixture",
    inputs: { z, heads },
    outputs: { prior: { name: "prior", role: "ring", shape: [rows, 1], storage: [rows, 1] } },
    attributes: copies > 1 ? { copies } : {},
  };
}

/** z [rows, Z], draws of it; the noise around the chosen component's mean is multiplied by the knob. */
export function mixtureSample(heads: Tensor, rows: number, noise: string): Node {
  return {
    op: "mixture_sample",
    inputs: { heads },
    outputs: { drawn: tensor("z", "activation", [rows, heads.shape[2]!]) },
    attributes: {},
    knobs: { noise },
  };
}

/** With respect to z, by the node that fuse.ts may make one with the loss, and to the heads. */
function gradient(node: Node, upstream: Adjoints): Gradients {
  const { z, heads } = node.inputs as Record<"z" | "heads", Tensor>;
  const { knob, over } = weightOf(node, upstream, "prior");
  const dz = tensor(`d${z.name}`, "activation", z.shape);
  const sizes = [z.shape[0]!, heads.shape[0]!];
  const shares: Tensor = { name: `${heads.name}.shares`, role: "activation", shape: sizes, storage: sizes };
  const dheads = like(heads, `d${heads.name}`, heads.role === "param" ? "gradient" : "activation");
  const { attributes } = node;
  const nodes: Node[] = [
    {
      op: "mixture_grad",
      inputs: { z, heads, ...(over ? { over } : {}) },
      outputs: { dz, shares },
      attributes,
      knobs: { weight: knob },
    },
    { op: "mixture_grad_heads", inputs: { z, heads, shares }, outputs: { dheads }, attributes },
  ];
  return { nodes, of: { z: dz, heads: dheads } };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const { heads, over } = inputs;
  const [components = 1, , latent_count = 1] = heads!.shape;
  const [rows = 1] = (inputs.z ?? outputs.drawn)!.shape;
  const latents = heads!.storage[2]! / 4;
  const invocations = { mixture_grad_heads: components * latents, mixture_sample: rows * latents }[op] ?? rows;
  return {
    shader: mixtureShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      KEEP_GRADIENT: outputs.dz ? 1 : 0,
      ...copiesConstant(attributes),
      ...siteConstant(attributes),
    },
    shape: {
      rows,
      latents,
      latent_count,
      components,
      noise: 0,
      weight: 0,
      over_row: over ? stridesOf(over).over_row : 0,
    },
    workgroups: ceilDiv(invocations, WORKGROUP_SIZE),
  };
}

export const mixtureOps: readonly Op[] = [
  { name: "mixture", optional: ["dz", "shares"], kernel, gradient },
  { name: "mixture_grad", kernel },
  { name: "mixture_grad_heads", kernel },
  { name: "mixture_sample", kernel },
];
