// The ops by name: those that every model needs, and those of further.ts once they are loaded.
import type { Node } from "../graph.js";
import { adamOps } from "./adam.js";
import { bernoulliOps } from "./bernoulli.js";
import type * as Further from "./further.js";
import { gatherOps } from "./gather.js";
import { gradientNormOps } from "./gradient_norm.js";
import { linearOps } from "./linear.js";
import type { Op, Schedule, Sizes } from "./op.js";
import { reparameterizeOps } from "./reparameterize.js";
import { sumOps } from "./sum.js";

const ops = new Map<string, Op>(
  [...gatherOps, ...linearOps, ...reparameterizeOps, ...bernoulliOps, ...sumOps, ...gradientNormOps, ...adamOps].map(
    (op) => [op.name, op],
  ),
);

/** The ops that only some models need; undefined until they are loaded, before which no node uses them. */
export let further: typeof Further | undefined;

export function addFurtherOps(loaded: typeof Further): void {
  further = loaded;
  for (const op of loaded.furtherOps) ops.set(op.name, op);
}

export function opNamed(name: string): Op {
  const op = ops.get(name);
  if (!op) throw new Error(`no op is named ${name}`);
  return op;
}

/** The schedules that a node can have on a device that has all features; none where its op has one form. */
export function schedulesOf(node: Node): readonly Schedule[] {
  const { schedules = {} } = opNamed(node.op);
  return (Object.keys(schedules) as Schedule[]).filter((one) => one !== "winograd" || sizesOf(node).winograd);
}

/** Multiply-adds of a product; 0 of other nodes. */
export const workOf = (node: Node): number => opNamed(node.op).work?.(node) ?? 0;

/** A product's sizes; none of other nodes. */
export const sizesOf = (node: Node): Sizes => opNamed(node.op).sizes?.(node) ?? { text: "", columns: [] };

/** The names of the ops that are loaded. */
export const opNames = (): string[] => [...ops.keys()];
