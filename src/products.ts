// The products of a graph: which schedules each can have on a device, and how much work it is.
import type { Device } from "./device.js";
import { standalone, type Graph, type Node } from "./graph.js";
import { opNamed, opNames, schedulesOf } from "./ops/index.js";
import { schedules, type Schedule } from "./ops/op.js";
import { plan } from "./plan.js";
import { runsOn } from "./shader.js";
import { size, type Tensor } from "./tensor.js";

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
export function shapeClass({ op, inputs, outputs, attributes }: Node): string {
  const sizes = (tensor: Tensor | undefined) => tensor?.shape.join("x") ?? "";
  const x = inputs.x ?? outputs.dx;
  if (x) {
    const y = outputs.y ?? inputs.dy;
    return `${op} ${x.storage[0]}x${size(x.storage.slice(1))}x${size(y?.storage.slice(1) ?? [])}`;
  }
  const W = inputs.W ?? outputs.dW;
  const images = [inputs.large ?? outputs.result, inputs.small ?? outputs.result].map(sizes);
  return `${op} ${images.join(" ")} ${W?.storage.slice(-4, -2).join("x")} ${attributes.stride_y}x${attributes.stride_x}`;
}

/** The nodes that are products, of which there is more than one form. */
export const productsOf = ({ nodes }: Graph) => nodes.filter(({ op }) => opNamed(op).schedules);

/** Multiply-adds of a product, without padding: each pair of rows or pixels that meet, and each of their channels. */
export function multiplyAdds({ op, inputs, outputs }: Node): number {
  const W = (inputs.W ?? outputs.dW)!;
  const both = op.endsWith("_grad") ? 2 : 1;
  const rows = inputs.x ?? inputs.dy;
  const met = rows ? rows.shape.slice(0, 1) : (inputs.small ?? outputs.result)?.shape.slice(0, 3);
  return both * size(met ?? []) * size(W.name.endsWith(".parts") ? W.shape.slice(1) : W.shape);
}

/** What plan() asks of a tuned model. */
export function scheduleOf(choices: Readonly<Choices>): (node: Node) => Schedule {
  return (node) => choices[shapeClass(node)] ?? "direct";
}

/** A plan of one node. */
export function alone(node: Node, schedule: Schedule, half = false): ReturnType<typeof plan> {
  return plan(standalone(node), { schedule: () => schedule, half });
}
