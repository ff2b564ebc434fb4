// Picks the schedule of each product by measuring the candidates on the device at hand, and remembers. No schedule is
// best everywhere: on a software adapter a barrier halves the speed, on a GPU workgroup memory wins.
import type { Device } from "./device.js";
import { WebvaeError } from "./errors.js";
import { compile, Executable } from "./executable.js";
import { standalone, type Graph, type Node } from "./graph.js";
import { opNamed, opNames, schedulesOf } from "./ops/index.js";
import { schedules, type Schedule } from "./ops/op.js";
import { plan } from "./plan.js";
import type { SharedDevice } from "./shared_device.js";
import { runsOn } from "./shader.js";
import { createStopwatch, type Stopwatch } from "./stopwatch.js";
import { size, type Tensor } from "./tensor.js";
import { fastestOf } from "./tuning_rounds.js";
import { pageStore, type TuningStore } from "./tuning_store.js";
import { within } from "./within.js";
import { KERNELS, settled, usualSchedule } from "./tuning_table.js";

type Choices = Record<string, Schedule>;

/**
 * Milliseconds that measuring may take for one model, compiling what else is tried included. What is under way when they
 * are over is the most that is added: a single run of a product, or 8 ms of short ones, 80 by the host's clock
 * (tuning_rounds.ts).
 */
const BUDGET_MS = 1000;
/** A store that hasn't answered after so long counts as empty. */
const STORE_MS = 200;
/** Products below this many multiply-adds, or this share of a graph's, take the usual schedule: little to win. */
const WORTH_MEASURING = 2 ** 22;
const WORTH_SHARE = 1 / 32;

/** Choices by device: what one model has found out, or had no time for, holds for the next. */
const remembered = new WeakMap<SharedDevice, Choices>();

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

/** Chooses for one model: for its training, its evaluation and its sampling. */
export interface Tuner {
  /**
   * A choice for every product of `graph`. `fixed` are choices already made, such as those of the run that is
   * continued; what neither it nor the store names is measured, within the budget. `half`: as plan() does.
   */
  choose(graph: Graph, fixed?: Readonly<Choices>, half?: boolean): Promise<Choices>;
  /**
   * A choice for every product of `graph`, which is `model` at another batch size, without measuring: the one in
   * `fixed`, else that of the product of the same name in `model`, if it is possible.
   */
  likewise(graph: Graph, model: Graph, choices: Readonly<Choices>, fixed: Readonly<Choices>): Choices;
}

/**
 * `store`: where choices are kept; false for the table alone. `leftMs`: the budget; tests on busy machines give more.
 */
export function createTuner(
  device: Device,
  store: TuningStore | false | undefined = pageStore(),
  leftMs = BUDGET_MS,
): Tuner {
  const { software } = device;
  const name = `${device.adapterName}; ${runnable(device).join(" ")}; kernels ${KERNELS}`;
  /** What this model found in the store and has measured since. */
  let stored: Choices | undefined;

  async function choose(graph: Graph, fixed: Readonly<Choices> = {}, half = false): Promise<Choices> {
    const keptAs = (node: Node) => (half ? "f16 " : "") + shapeClass(node);
    stored ??= { ...(await within(STORE_MS, () => store && store.load(name))) };
    const known = (store !== false && remembered.get(device.shared)) || {};
    if (store !== false) remembered.set(device.shared, known);
    const choices: Choices = {};
    const open: Node[] = [];
    const products = productsOf(graph);
    const least = WORTH_SHARE * products.reduce((sum, node) => sum + multiplyAdds(node), 0);
    // The largest first: there is most to win.
    products.sort((a, b) => multiplyAdds(b) - multiplyAdds(a));
    for (const node of products) {
      const key = shapeClass(node);
      const work = multiplyAdds(node);
      if (choices[key]) continue;
      const given = [fixed[key], known[keptAs(node)], stored[keptAs(node)]];
      const possible = runnable(device, node);
      const found = given.find((schedule) => schedule && possible.includes(schedule));
      choices[key] = found ?? usualSchedule(software, possible, node, work);
      const worth = work >= Math.max(least, WORTH_MEASURING) && !settled(device.adapterName, node);
      if (!found && store !== false && worth && candidates(device, node).length > 1) open.push(node);
    }
    if (open.length > 0) {
      const measured = leftMs > 0 ? await measureAll(graph, open, choices, half) : [];
      for (const node of open) known[keptAs(node)] = scheduleOf(choices)(node);
      for (const node of measured) stored[keptAs(node)] = scheduleOf(choices)(node);
      const kept = { ...stored };
      // Nobody waits for it, and if it fails the next run measures again.
      if (measured.length > 0) void within(STORE_MS, () => store && store.save(name, kept));
    }
    return choices;
  }

  function likewise(graph: Graph, model: Graph, choices: Readonly<Choices>, fixed: Readonly<Choices>): Choices {
    const name = ({ op, outputs }: Node) => `${op} ${Object.values(outputs)[0]?.name}`;
    const known = new Map(productsOf(model).map((node) => [name(node), choices[shapeClass(node)]]));
    const all: Choices = {};
    for (const node of productsOf(graph)) {
      const possible = runnable(device, node);
      const found = [fixed[shapeClass(node)], known.get(name(node))].find((one) => one && possible.includes(one));
      all[shapeClass(node)] ??= found ?? usualSchedule(software, possible, node, multiplyAdds(node));
    }
    return all;
  }

  /** Those of `open` for which there was time; changes `choices`. */
  async function measureAll(graph: Graph, open: readonly Node[], choices: Choices, half: boolean): Promise<Node[]> {
    // What will most likely run is compiled first, all at once. Where compiling disturbs measuring the rest waits.
    const usual = compile(device, plan(graph, { schedule: scheduleOf(choices), half }));
    const others = (software ? open.slice(0, 1) : open).map((node) => compileCandidates(node, half));
    await Promise.allSettled(software ? [usual, ...others] : [usual]);
    device.assertAlive();
    // Without the texts of what will run nothing can be measured, now or in the caller.
    await usual.catch((error: unknown) => {
      if (error instanceof WebvaeError && error.code === "DOWNLOAD_FAILED") throw error;
    });
    const began = performance.now();
    const stopwatch = await createStopwatch(device);
    const measured: Node[] = [];
    try {
      for (const node of open) {
        const best = await fastest(node, scheduleOf(choices)(node), stopwatch, began + leftMs, half);
        if (!best) continue;
        choices[shapeClass(node)] = best;
        measured.push(node);
      }
    } finally {
      stopwatch.dispose();
      leftMs -= performance.now() - began;
    }
    return measured;
  }

  /** One that does not compile shows when it is measured. */
  function compileCandidates(node: Node, half: boolean): Promise<unknown> {
    return Promise.allSettled(candidates(device, node).map((schedule) => compile(device, alone(node, schedule, half))));
  }

  /** The fastest schedule, or nothing where there is too little time until `end` to tell. */
  async function fastest(node: Node, usual: Schedule, stopwatch: Stopwatch, end: number, half: boolean) {
    const left = end - performance.now();
    // Two runs each of two schedules; a processor makes about a multiply-add a nanosecond.
    if (software && left < (4 * multiplyAdds(node)) / 1e6) return undefined;
    if (!(await within(left, () => compileCandidates(node, half)))) return undefined;
    const tried = [usual, ...candidates(device, node).filter((schedule) => schedule !== usual)];
    const executables: Executable[] = [];
    // All at once have their buffers, for they are measured in turn.
    const runs = tried.map((schedule, place) => async (times: number) => {
      if (performance.now() > end) return NaN;
      try {
        const executable = (executables[place] ??= await Executable.create(device, alone(node, schedule, half)));
        return await stopwatch.time((pass) => executable.encode(pass, 0), times);
      } catch (error) {
        if (device.life.ended) throw error;
        // What the device can't run takes forever.
        return Infinity;
      }
    });
    try {
      return tried[await fastestOf(runs, stopwatch.spanMs, software, (end - performance.now()) / 4)];
    } finally {
      executables.forEach((one) => one.dispose());
    }
  }

  return { choose, likewise };
}

/** A plan of one node. */
export function alone(node: Node, schedule: Schedule, half = false): ReturnType<typeof plan> {
  return plan(standalone(node), { schedule: () => schedule, half });
}
