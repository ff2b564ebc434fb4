// Picks the schedule of each product: the usual one, one that was kept, or the fastest of those that it has measured. No
// schedule is best everywhere: on a software adapter a barrier halves the speed, on a GPU workgroup memory wins.
import { advised } from "./advice.js";
import type { Device } from "./device.js";
import type { Graph, Node } from "./graph.js";
import { workOf } from "./ops/index.js";
import { candidates, productsOf, runnable, scheduleOf, shapeClass, type Choices } from "./products.js";
import type { SharedDevice } from "./shared_device.js";
import { pageStore, type TuningStore } from "./tuning_store.js";
import { within } from "./within.js";
import { KERNELS, settled, usualSchedule } from "./tuning_table.js";

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
    const least = WORTH_SHARE * products.reduce((sum, node) => sum + workOf(node), 0);
    // The largest first: there is most to win.
    products.sort((a, b) => workOf(b) - workOf(a));
    for (const node of products) {
      const key = shapeClass(node);
      const work = workOf(node);
      if (choices[key]) continue;
      const given = [fixed[key], known[keptAs(node)], stored[keptAs(node)]];
      const possible = runnable(device, node);
      const found = given.find((schedule) => schedule && possible.includes(schedule));
      choices[key] = found ?? usualSchedule(software, possible, node);
      const worth = work >= Math.max(least, WORTH_MEASURING) && !settled(device.adapterName, node);
      if (!found && store !== false && worth && candidates(device, node).length > 1) open.push(node);
    }
    if (open.length > 0) {
      // Without the code that measures, which most pages on software adapters never need, the usual schedules run.
      const found =
        leftMs > 0 && (await advised((file) => file.measure(device, { graph, open, choices, half, leftMs })));
      const { measured = [], spentMs = 0 } = found || {};
      leftMs -= spentMs;
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
      all[shapeClass(node)] ??= found ?? usualSchedule(software, possible, node);
    }
    return all;
  }

  return { choose, likewise };
}
