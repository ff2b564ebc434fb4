// Every op, a line each.
import { adamOps } from "./adam.js";
import { bernoulliOps } from "./bernoulli.js";
import { gatherOps } from "./gather.js";
import { gaussianOps } from "./gaussian.js";
import { gradientNormOps } from "./gradient_norm.js";
import { linearOps } from "./linear.js";
import type { Op } from "./op.js";
import { reparameterizeOps } from "./reparameterize.js";
import { sumOps } from "./sum.js";

const ops = new Map<string, Op>(
  [
    ...gatherOps,
    ...linearOps,
    ...reparameterizeOps,
    ...bernoulliOps,
    ...gaussianOps,
    ...sumOps,
    ...gradientNormOps,
    ...adamOps,
  ].map((op) => [op.name, op]),
);

export function opNamed(name: string): Op {
  const op = ops.get(name);
  if (!op) throw new Error(`there is no op named ${name}`);
  return op;
}

export const opNames: readonly string[] = [...ops.keys()];
