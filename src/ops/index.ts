// Every op, a line each.
import type { Node } from "../graph.js";
import { adamOps } from "./adam.js";
import { addOps } from "./add.js";
import { batchNormOps } from "./batch_norm.js";
import { bernoulliOps } from "./bernoulli.js";
import { conv2dOps } from "./conv2d.js";
import { dropoutOps } from "./dropout.js";
import { gatherOps } from "./gather.js";
import { gaussianOps } from "./gaussian.js";
import { gradientNormOps } from "./gradient_norm.js";
import { groupNormOps } from "./group_norm.js";
import { linearOps } from "./linear.js";
import type { Op, Schedule } from "./op.js";
import { poolOps } from "./pool.js";
import { reparameterizeOps } from "./reparameterize.js";
import { reshapeOps } from "./reshape.js";
import { sumOps } from "./sum.js";
import { upsampleOps } from "./upsample.js";
import { winogradOps, winogradSizes } from "./winograd.js";

const ops = new Map<string, Op>(
  [
    ...gatherOps,
    ...linearOps,
    ...poolOps,
    ...upsampleOps,
    ...conv2dOps,
    ...winogradOps,
    ...batchNormOps,
    ...groupNormOps,
    ...addOps,
    ...dropoutOps,
    ...reshapeOps,
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
  if (!op) throw new Error(`no op is named ${name}`);
  return op;
}

/** The schedules that a node can have on a device that has all features; none where its op has one form. */
export function schedulesOf(node: Node): readonly Schedule[] {
  const { schedules = {} } = opNamed(node.op);
  return (Object.keys(schedules) as Schedule[]).filter((one) => one !== "winograd" || winogradSizes(node));
}

export const opNames: readonly string[] = [...ops.keys()];
