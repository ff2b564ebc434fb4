// Measures the candidates for some products of a graph on the device at hand.
import type { Device } from "./device.js";
import { WebvaeError } from "./errors.js";
import { compile, Executable } from "./executable.js";
import type { Graph, Node } from "./graph.js";
import { workOf } from "./ops/index.js";
import type { Schedule } from "./ops/op.js";
import { plan } from "./plan.js";
import { alone, candidates, scheduleOf, shapeClass, type Choices } from "./products.js";
import { createStopwatch, type Stopwatch } from "./stopwatch.js";
import { fastestOf } from "./tuning_rounds.js";
import { within } from "./within.js";

export interface Measuring {
  readonly graph: Graph;
  /** The products to be measured, the most important first. */
  readonly open: readonly Node[];
  /** Changed to what is found. */
  readonly choices: Choices;
  readonly half: boolean;
  readonly leftMs: number;
}

/** Those of `open` for which there was time, and the milliseconds that it took. */
export async function measure(device: Device, { graph, open, choices, half, leftMs }: Measuring) {
  const { software } = device;
  // What will most likely run is compiled first, all at once. Where compiling disturbs measuring the rest waits.
  const usual = compile(device, plan(graph, { schedule: scheduleOf(choices), half }));
  const others = (software ? open.slice(0, 1) : open).map((node) => compileCandidates(device, node, half));
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
      const best = await fastest(device, node, scheduleOf(choices)(node), stopwatch, began + leftMs, half);
      if (!best) continue;
      choices[shapeClass(node)] = best;
      measured.push(node);
    }
  } finally {
    stopwatch.dispose();
  }
  return { measured, spentMs: performance.now() - began };
}

/** One that does not compile shows when it is measured. */
function compileCandidates(device: Device, node: Node, half: boolean): Promise<unknown> {
  return Promise.allSettled(candidates(device, node).map((schedule) => compile(device, alone(node, schedule, half))));
}

/** The fastest schedule, or nothing where there is too little time until `end` to tell. */
async function fastest(device: Device, node: Node, usual: Schedule, stopwatch: Stopwatch, end: number, half: boolean) {
  const { software } = device;
  const left = end - performance.now();
  // Two runs each of two schedules; a processor makes about a multiply-add a nanosecond.
  if (software && left < (4 * workOf(node)) / 1e6) return undefined;
  if (!(await within(left, () => compileCandidates(device, node, half)))) return undefined;
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
