// z = mu + exp(s/2) e, with the KL term and the gradient of both (shaders/reparameterize.wgsl).
import reparameterizeShader from "../../shaders/reparameterize.wgsl";
import type { Node } from "../graph.js";
import type { ShaderSource } from "../shader_source.js";
import { tensor, type Tensor } from "../tensor.js";
import {
  arriving,
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

/** The knob by which every draw of z is multiplied: 1 but in training with another, and for a temperature. */
export const NOISE = "noise";

/**
 * Draws z [B, Z] from heads [B, 2, Z] (mean, then log variance). Writes each latent's KL divergence from the standard
 * normal, in nats, to `kl` [B, Z], and the number of clamped log variances in each vec4 to `clamped` [B, Z/4]. Without
 * noise z is the mean.
 */
export function reparameterize(heads: Tensor, noise = true): Node {
  return {
    op: "reparameterize",
    inputs: { heads },
    outputs: drawn(heads, 1),
    attributes: { noise },
    knobs: { noise: NOISE },
  };
}

/** z [B K, Z], kl [B, Z] and clamped [B, Z/4] of heads [B, 2, Z]. */
export function drawn({ shape: [batch = 1, , latents = 1] }: Tensor, copies: number) {
  const z = tensor("z", "activation", [batch * copies, latents]);
  const kl = tensor("kl", "ring", [batch, latents]);
  const counts = [batch, (z.storage[1] ?? 4) / 4];
  const clamped: Tensor = { name: "clamped", role: "ring", shape: counts, storage: counts };
  return { z, kl, clamped };
}

/** z [rows, latents] from the prior N(0, 1), times the step's noise. */
export function samplePrior(rows: number, latents: number): Node {
  const z = tensor("z", "activation", [rows, latents]);
  return { op: "sample_prior", inputs: {}, outputs: { z }, attributes: {}, knobs: { noise: NOISE } };
}

/** With respect to the heads, of z and of what is minimised besides: the KL terms, or the draws' ratio. */
export function latentGradient(node: Node, upstream: Adjoints): Gradients {
  const { heads, z } = { ...node.inputs, ...node.outputs } as Record<"heads" | "z", Tensor>;
  const dz = arriving(node, upstream, "z");
  const { knob, over } = weightOf(node, upstream, upstream.ratio ? "ratio" : "kl");
  const dheads = tensor(`d${heads.name}`, "activation", heads.shape);
  const made: Node = {
    op: upstream.ratio ? `draws_grad_ratio${over ? "_over" : ""}` : over ? "draws_grad_over" : `${node.op}_grad`,
    inputs: { heads, z, dz, ...(over ? { over } : {}) },
    outputs: { dheads },
    attributes: node.attributes,
    knobs: { weight: knob },
  };
  return { nodes: [made], of: { heads: dheads } };
}

const WORKGROUP_SIZE = 64;

/** A kernel of `shader`, whose parts are lib/latent.wgsl's, with a row of invocations for each of its result. */
export function latentKernel(shader: ShaderSource, { op, inputs, outputs, attributes }: Node): Kernel {
  const z = outputs.z ?? inputs.z;
  const [rows = 1, latentCount = 1] = z?.shape ?? [];
  const latents = (z?.storage[1] ?? 4) / 4;
  const { over } = inputs;
  return {
    shader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      NOISE: attributes.noise === false ? 0 : 1,
      KEEP_KL: outputs.kl ? 1 : 0,
      KEEP_CLAMPED: outputs.clamped ? 1 : 0,
      ...copiesConstant(attributes),
      ...siteConstant(attributes),
    },
    shape: {
      rows,
      latents,
      latent_count: latentCount,
      noise: 0,
      weight: 0,
      ...(over ? stridesOf(over) : { over_row: 0, over_part: 0 }),
    },
    workgroups: ceilDiv((outputs.dheads?.shape[0] ?? rows) * latents, WORKGROUP_SIZE),
  };
}

const kernel = (node: Node) => latentKernel(reparameterizeShader, node);

export const reparameterizeOps: readonly Op[] = [
  { name: "reparameterize", optional: ["kl", "clamped"], kernel, gradient: latentGradient },
  { name: "reparameterize_grad", kernel },
  { name: "sample_prior", kernel },
];
