// npm run profile -- MODEL: how long each dispatch of a training step takes on this machine's adapter. The step is the
// one that `train` runs, with its schedules; its dispatches are timed one by one, by the GPU's clock where it has one.
import { Argument, Command } from "commander";
import { adapterLines, reportFault, shapeOf } from "../cli/options.js";
import { openGpu } from "../node/gpu.js";
import { tuningFile } from "../node/tuning_file.js";
import { Device } from "../src/device.js";
import type { Executable } from "../src/executable.js";
import { VAE } from "../src/index.js";
import type { Dispatch } from "../src/plan.js";
import { createStopwatch, type Stopwatch } from "../src/stopwatch.js";
import { whole } from "./support/arguments.js";
import { givenModel, MODEL_HELP, someData, type ModelArguments } from "./support/model.js";
import { boundBy } from "./support/planned.js";

interface Arguments extends ModelArguments {
  batch: number;
  repeats: number;
  byTime: boolean;
  json: boolean;
}

const program = new Command("profile")
  .description("Times each dispatch of a training step on this machine's adapter.")
  .addArgument(new Argument("[model]", MODEL_HELP).default("mlp"))
  .option("--batch <n>", "examples a step", whole(1, 65536), 128)
  .option("--input <shape>", "shape of an example, as 28x28x1 (default: by model)", shapeOf)
  .option("--latent <n>", "latent dimensions (default: by model)", whole(1, 65536))
  .option("--repeats <n>", "measurements of each; the median is shown", whole(1, 1000), 7)
  .option("--by-time", "the longest first, instead of the order in which they run", false)
  .option("--json", "print JSON instead of a table", false)
  .allowExcessArguments(false);

/** The fewest dispatches of a training step; copies made before the first one have fewer. */
const STEP = 6;
/** A short dispatch is timed several at once, to last this long: many clocks are coarser than one of it. */
const MEASURED_MS = 2;
/** Gradients written over their input shrink with each of them. */
const MOST_AT_ONCE = 16;

interface Timed {
  readonly dispatch: string;
  readonly shader: string;
  readonly workgroups: number;
  readonly ms: number;
  /** Bytes of all that it is bound to, once each. */
  readonly bytes: number;
}

const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;

const bytesOf = ({ bindings }: Dispatch) =>
  Object.values(bindings).reduce((sum, place) => sum + (place ? place.bytes : 0), 0);

/** Whole steps before each round, so that every dispatch finds what a step leaves it. */
async function timed(executable: Executable, stopwatch: Stopwatch, repeats: number) {
  const { dispatches } = executable.plan;
  const step = () => stopwatch.time((pass) => executable.encode(pass, 0));
  const one = async (index: number, times: number) => {
    const ms = await stopwatch.time((pass) => {
      for (let i = 0; i < times; i++) executable.encode(pass, 0, index, index + 1);
    });
    return ms / times;
  };
  await step();
  const counts: number[] = [];
  for (const index of dispatches.keys()) {
    counts.push(Math.max(1, Math.min(MOST_AT_ONCE, Math.ceil(MEASURED_MS / (await one(index, 1))))));
  }
  const times = dispatches.map((): number[] => []);
  const steps: number[] = [];
  for (let round = 0; round < repeats; round++) {
    steps.push(await step());
    for (const index of dispatches.keys()) times[index]!.push(await one(index, counts[index]!));
  }
  const rows = dispatches.map((dispatch, index): Timed => {
    const { label, shader, workgroups } = dispatch;
    return { dispatch: label, shader, workgroups, ms: median(times[index]!), bytes: bytesOf(dispatch) };
  });
  return { rows, stepMs: median(steps) };
}

function table(rows: readonly Timed[]): string {
  const total = rows.reduce((sum, { ms }) => sum + ms, 0);
  const cells = rows.map(({ dispatch, shader, workgroups, ms, bytes }) => [
    dispatch,
    shader,
    String(workgroups),
    ms.toFixed(3),
    `${((100 * ms) / total).toFixed(1)} %`,
    (bytes / 1e6).toFixed(2),
    (bytes / ms / 1e6).toFixed(2),
  ]);
  const lines = [["dispatch", "shader", "workgroups", "ms", "share", "MB", "GB/s"], ...cells];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  // Names to the left, numbers to the right.
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return lines.map(line).join("\n");
}

async function main(): Promise<void> {
  program.parse();
  const [model = "mlp"] = program.processedArgs as string[];
  const { batch, repeats, byTime, json, ...given } = program.opts<Arguments>();
  const spec = await givenModel(model, given);
  using vae = await VAE.create(spec, { gpu: await openGpu(), seed: 1, tuning: tuningFile() });
  // With --json stdout is for programs.
  const print = json ? console.error : console.log;
  for (const line of adapterLines(vae.adapter)) print(line);
  const run = vae.train(someData(spec, 2 * batch), { batchSize: batch, epochs: 1000 });
  const [, executable] = await boundBy(() => run.next(), STEP);
  const device = await Device.open({ device: vae.gpuDevice });
  try {
    const { rows, stepMs } = await timed(executable, await createStopwatch(device), repeats);
    if (byTime) rows.sort((a, b) => b.ms - a.ms);
    if (json) return console.log(JSON.stringify({ model, batch, adapter: vae.adapter.name, stepMs, dispatches: rows }));
    print(`${model}, batch ${batch}, latent ${spec.latent}: medians of ${repeats}\n\n${table(rows)}\n`);
    const sum = rows.reduce((all, { ms }) => all + ms, 0);
    print(
      `a whole step: ${stepMs.toFixed(2)} ms in one pass; its ${rows.length} dispatches one by one: ${sum.toFixed(2)} ms`,
    );
  } finally {
    device.dispose();
    await run.return();
  }
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
