// The products of a graph, and which schedules each can have on a device.
import type { Device } from "./device.js";
import { standalone, type Graph, type Node } from "./graph.js";
import { opNamed, opNames, schedulesOf, sizesOf } from "./ops/index.js";
import { schedules, type Schedule } from "./ops/op.js";
import { plan } from "./plan.js";
import { runsOn } from "./shader.js";

export type Choices = Record<string, Schedule>;

/** The schedules whose features this device has; with `node`, only those possible for it. */
export function runnable({ gpu }: Device, node?: Node): readonly Schedule[] {
  const ops = node ? [node.op] : opNames();
  return (node ? schedulesOf(node) : schedules).filter((schedule) =>
    ops.every((op) => {
      const { schedules: forms = {} } = opNamed(op);
      // Winograd's products are computed like those of subgroups, even if the op that has them isn't loaded yet.
      const shader = node ? forms[schedule] : forms[schedule === "winograd" ? "subgroups" : schedule];
      return !shader || runsOn(shader, gpu);
    }),
  );
}

/** Those worth trying on it. */
export function candidates(device: Device, node: Node): readonly Schedule[] {
  // On a software adapter the tiled form is half as fast and takes a second to compile: not worth the first step. What
  // has workgroups of four lanes, made for those adapters, leaves seven of eight lanes of a GPU idle.
  return runnable(device, node).filter(
    (schedule) => schedule === "direct" || (schedule === "tiled") !== device.software,
  );
}

/** Names a product and its sizes: nodes of one class share a schedule. */
export const shapeClass = (node: Node): string => `${node.op} ${sizesOf(node).text}`;

/** The nodes that are products, of which there is more than one form. */
export const productsOf = ({ nodes }: Graph) => nodes.filter(({ op }) => opNamed(op).schedules);

/** What plan() asks of a tuned model. */
export function scheduleOf(choices: Readonly<Choices>): (node: Node) => Schedule {
  return (node) => choices[shapeClass(node)] ?? "direct";
}

/** A plan of one node. */
export function alone(node: Node, schedule: Schedule, half = false): ReturnType<typeof plan> {
  return plan(standalone(node), { schedule: () => schedule, half });
}
