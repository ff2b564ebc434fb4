// npm run bench -- [options]: measures every op and whole training steps on this machine's adapter. Prints tables and
// stores them as JSON with the adapter, the date and the commit.
import { Command } from "commander";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { openGpu } from "../node/gpu.js";
import { Device } from "../src/device.js";
import type { ModelName } from "../src/index.js";
import { opNamed } from "../src/ops/index.js";
import type { Schedule } from "../src/ops/op.js";
import { createStopwatch, type Stopwatch } from "../src/stopwatch.js";
import { alone, runnable } from "../src/products.js";
import { cases as adam } from "./ops/adam.bench.js";
import { cases as add } from "./ops/add.bench.js";
import { cases as batchNorm } from "./ops/batch_norm.bench.js";
import { cases as bernoulli } from "./ops/bernoulli.bench.js";
import { cases as bernoulliGrad } from "./ops/bernoulli_grad.bench.js";
import { cases as concat } from "./ops/concat.bench.js";
import { cases as conv2d } from "./ops/conv2d.bench.js";
import { cases as draws } from "./ops/draws.bench.js";
import { cases as dropout } from "./ops/dropout.bench.js";
import { cases as gather } from "./ops/gather.bench.js";
import { cases as gaussian } from "./ops/gaussian.bench.js";
import { cases as gradientNorm } from "./ops/gradient_norm.bench.js";
import { cases as groupNorm } from "./ops/group_norm.bench.js";
import { cases as importance } from "./ops/importance.bench.js";
import { cases as labels } from "./ops/labels.bench.js";
import { cases as laplace } from "./ops/laplace.bench.js";
import { cases as linear } from "./ops/linear.bench.js";
import { cases as mixture } from "./ops/mixture.bench.js";
import { cases as pool } from "./ops/pool.bench.js";
import { cases as reparameterize } from "./ops/reparameterize.bench.js";
import { cases as reshape } from "./ops/reshape.bench.js";
import { cases as sum } from "./ops/sum.bench.js";
import { cases as upsample } from "./ops/upsample.bench.js";
import { cases as winograd } from "./ops/winograd.bench.js";
import { measureStep, type StepResult } from "./step.bench.js";
import type { OpCase } from "./support/op_bench.js";
import { measure } from "./support/measure.js";
import { commit, slug } from "./support/report.js";

const program = new Command("bench")
  .description("Measures every op and whole training steps.")
  .option("--only <text>", "only benchmarks whose name contains this text: an op, or step")
  .option("--repeats <n>", "number of measurements; the median is shown", Number, 5)
  .option("--seconds <n>", "length of each step benchmark", Number, 6)
  .option("--out <file>", "JSON file (default: bench/results/<adapter>.json)")
  .option("--json", "end stdout with the JSON too", false);

interface OpResult {
  readonly op: string;
  readonly case: string;
  readonly schedule: Schedule | "";
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly gflops?: number;
  readonly gbPerSecond?: number;
}

async function benchOp(
  device: Device,
  stopwatch: Stopwatch,
  { name, node, flop, bytes }: OpCase,
  repeats: number,
): Promise<OpResult[]> {
  const schedules = opNamed(node.op).schedules ? runnable(device, node) : (["direct"] as const);
  const results: OpResult[] = [];
  for (const schedule of schedules) {
    const times: number[] = [];
    for (let i = 0; i < repeats; i++) times.push(await measure(device, alone(node, schedule), stopwatch));
    times.sort((a, b) => a - b);
    const medianMs = times[times.length >> 1] ?? NaN;
    results.push({
      op: node.op,
      case: name,
      schedule: opNamed(node.op).schedules ? schedule : "",
      medianMs,
      fastestMs: times[0] ?? NaN,
      ...(flop ? { gflops: flop / medianMs / 1e6 } : {}),
      ...(bytes ? { gbPerSecond: bytes / medianMs / 1e6 } : {}),
    });
  }
  return results;
}

const options = program.parse().opts<{
  only?: string;
  repeats: number;
  seconds: number;
  out?: string;
  json: boolean;
}>();
const gpu = await openGpu();
const device = await Device.open({ gpu });
const adapter = device.adapterName;
console.log(`adapter: ${adapter}${device.software ? " (software)" : ""}, ${cpus().length} processor cores`);
const stopwatch = await createStopwatch(device);
const wanted = (name: string) => !options.only || name.includes(options.only);

const ops: OpResult[] = [];
const all = [
  linear,
  conv2d,
  adam,
  gradientNorm,
  gather,
  labels,
  concat,
  bernoulli,
  bernoulliGrad,
  gaussian,
  laplace,
  draws,
  mixture,
  importance,
  reparameterize,
  sum,
  pool,
  upsample,
  winograd,
  add,
  dropout,
  reshape,
  batchNorm,
  groupNorm,
].flat();
for (const one of all.filter(({ node }) => wanted(node.op))) {
  for (const result of await benchOp(device, stopwatch, one, options.repeats)) {
    ops.push(result);
    const speed = result.gflops ? `${result.gflops.toFixed(2)} GFLOP/s` : `${result.gbPerSecond?.toFixed(2)} GB/s`;
    const label = `${result.op.padEnd(20)} ${result.case.padEnd(26)} ${result.schedule.padEnd(10)}`;
    console.log(`${label} ${result.medianMs.toFixed(2).padStart(9)} ms ${speed.padStart(16)}`);
  }
}
device.dispose();

const steps: StepResult[] = [];
const stepCases: readonly (readonly [ModelName, number])[] = [
  ["mlp", 128],
  ["mlp-deep", 128],
  ["minimal", 128],
  ["points", 128],
  ["conv", 32],
  ["conv", 128],
  ["conv", 256],
  ["conv64", 16],
];
if (wanted("step")) {
  for (const [name, batch] of stepCases) {
    const result = await measureStep(gpu, name, batch, options.seconds);
    steps.push(result);
    console.log(
      `step ${name} batch ${batch}: ${result.medianMs.toFixed(2)} ms (${result.fastestMs.toFixed(2)} to ` +
        `${result.slowestMs.toFixed(2)}), ${result.gflops.toFixed(2)} GFLOP/s, ${result.dispatches} dispatches, ` +
        `${result.stepsPerSubmit.toFixed(1)} steps/submit, host ${result.hostMsPerStep.toFixed(3)} ms/step, ` +
        `first step ${result.firstStepMs.toFixed(0)} ms, ${result.objectsAfterFirstStep} objects created after it`,
    );
  }
}

if (ops.length + steps.length === 0) {
  console.error(
    `no benchmark is called "${options.only}"; there are ${[...new Set(all.map(({ node }) => node.op))].join(", ")}, step`,
  );
  process.exit(1);
}

const report = { adapter, date: new Date().toISOString(), commit: commit(), node: process.version, ops, steps };
const results = new URL("results/", import.meta.url);
const out = options.out ?? fileURLToPath(new URL(`${slug(adapter)}.json`, results));
// A partial run does not replace the stored complete one.
if (!options.only || options.out) {
  if (!options.out) await mkdir(results, { recursive: true });
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`written to ${out}`);
}
if (options.json) console.log(JSON.stringify(report));
