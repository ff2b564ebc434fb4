// Picks the schedule of each product by measuring the candidates on the device at hand, and remembers. No schedule is
// best everywhere: on a software adapter a barrier halves the speed, on a GPU workgroup memory wins.
import type { Device } from "./device.js";
import { Executable } from "./executable.js";
import { standalone, type Graph, type Node } from "./graph.js";
import { opNamed } from "./ops/index.js";
import { schedules, type Schedule } from "./ops/op.js";
import { plan } from "./plan.js";
import { size, type Tensor } from "./tensor.js";

/** What was measured, by device: milliseconds of each schedule tried for each product. */
const remembered = new WeakMap<Device, Map<string, Schedule>>();

/** Milliseconds that tuning one model may take; what isn't measured by then takes the device's usual schedule. */
const BUDGET_MS = 800;
/** Products below this many multiply-adds take the usual schedule: there is too little to win. */
const WORTH_MEASURING = 2 ** 21;
const MEASURED_MS = 4;
/** Another schedule must be this much faster than the likeliest one: machines are noisy, and a wrong choice is dear. */
const CLEARLY = 0.9;

/** The schedules that this device can run. */
export function runnable(device: Device): readonly Schedule[] {
  return schedules.filter((schedule) => schedule !== "subgroups" || device.gpu.features.has("subgroups"));
}

/** Those worth trying on it, the likeliest best first. */
export function candidates(device: Device): readonly Schedule[] {
  // On a software adapter the tiled form is half as fast and takes a second to compile: not worth the first step.
  const order: readonly Schedule[] = device.software ? ["subgroups", "direct"] : ["tiled", "direct", "subgroups"];
  return order.filter((schedule) => runnable(device).includes(schedule));
}

/** Names a product and its sizes: nodes of one class share a schedule. */
export function shapeClass({ op, inputs, outputs, attributes }: Node): string {
  const sizes = (tensor: Tensor | undefined) => tensor?.storage.join("x") ?? "";
  const x = inputs.x ?? outputs.dx;
  if (x) {
    const y = outputs.y ?? inputs.dy;
    return `${op} ${x.storage[0]}x${size(x.storage.slice(1))}x${size(y?.storage.slice(1) ?? [])}`;
  }
  const [W] = [inputs.W ?? outputs.dW];
  const images = [inputs.large ?? outputs.result, inputs.small ?? outputs.result].map(sizes);
  return `${op} ${images.join(" ")} ${W?.storage.slice(-4, -2).join("x")} ${attributes.stride_y}x${attributes.stride_x}`;
}

/** Multiply-adds of a product, without padding: each pair of rows or pixels that meet, and each of their channels. */
export function multiplyAdds({ op, inputs, outputs }: Node): number {
  const W = inputs.W ?? outputs.dW;
  if (!W || !opNamed(op).schedules) return 0;
  const both = op.endsWith("_grad") ? 2 : 1;
  const small = inputs.small ?? outputs.result;
  if (inputs.large ?? inputs.small) {
    return both * size(small?.shape.slice(0, 3) ?? []) * size(W.shape.slice(-4));
  }
  const rows = (inputs.x ?? inputs.dy)?.shape[0] ?? 0;
  const weights = outputs.dW?.name.endsWith(".parts") ? W.shape.slice(inputs.W ? 0 : 1) : W.shape;
  return both * rows * size(weights);
}

/**
 * A choice for every product of `graph`. `fixed` are choices already made, such as those of the run that is continued;
 * what it doesn't name is measured, within the budget.
 */
export async function tune(
  device: Device,
  graph: Graph,
  fixed: Readonly<Record<string, Schedule>> = {},
): Promise<Record<string, Schedule>> {
  const known = remembered.get(device) ?? new Map<string, Schedule>();
  remembered.set(device, known);
  const options = candidates(device);
  const [usual = "direct"] = options;
  const choices: Record<string, Schedule> = {};
  const products = graph.nodes.filter((node) => opNamed(node.op).schedules);
  // The largest first: there is most to win.
  products.sort((a, b) => multiplyAdds(b) - multiplyAdds(a));
  const end = performance.now() + BUDGET_MS;
  for (const node of products) {
    const key = shapeClass(node);
    if (choices[key]) continue;
    const given = fixed[key] ?? known.get(key);
    if (given && runnable(device).includes(given)) choices[key] = given;
    else if (options.length === 1 || multiplyAdds(node) < WORTH_MEASURING || performance.now() > end) {
      choices[key] = usual;
    } else {
      choices[key] = await fastest(device, node, options);
      known.set(key, choices[key]);
    }
  }
  return choices;
}

async function fastest(device: Device, node: Node, options: readonly Schedule[]): Promise<Schedule> {
  const [usual = "direct", ...others] = options;
  let best: Schedule = usual;
  let bestMs = CLEARLY * (await measure(device, node, usual));
  for (const schedule of others) {
    const ms = await measure(device, node, schedule);
    if (ms < bestMs) [best, bestMs] = [schedule, ms];
  }
  return best;
}

/** Milliseconds of one dispatch of `node` with `schedule`, on buffers of its own. */
export async function measure(device: Device, node: Node, schedule: Schedule): Promise<number> {
  const planned = plan(standalone(node), { schedule: () => schedule });
  const executable = await Executable.create(device, planned);
  try {
    const run = async (times: number) => {
      const start = performance.now();
      const encoder = device.gpu.createCommandEncoder({ label: "tune" });
      const pass = encoder.beginComputePass();
      for (let i = 0; i < times; i++) executable.encode(pass, 0);
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
      await Promise.race([device.gpu.queue.onSubmittedWorkDone(), device.lost]);
      return performance.now() - start;
    };
    await run(1);
    // A submit and wait costs some tenths of a millisecond: repeat until the dispatch itself is what is measured.
    const once = await run(1);
    const times = Math.max(1, Math.min(64, Math.ceil(MEASURED_MS / once)));
    const again = await run(times);
    return times === 1 ? Math.min(once, again) : again / times;
  } finally {
    executable.dispose();
  }
}

/** What plan() asks of a tuned model. */
export function scheduleOf(choices: Readonly<Record<string, Schedule>>): (node: Node) => Schedule {
  return (node) => choices[shapeClass(node)] ?? "direct";
}
