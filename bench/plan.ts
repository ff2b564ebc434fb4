// npm run plan -- MODEL: the dispatches that the library makes of a model, and the places of its tensors. Needs no GPU.
import { Argument, Command, Option } from "commander";
import { reportFault, shapeOf } from "../cli/options.js";
import { openGpu } from "../node/gpu.js";
import { Device } from "../src/device.js";
import { describe } from "../src/describe.js";
import { VAE, type ModelSpec, type Precision } from "../src/index.js";
import { printPlan, type Plan } from "../src/plan.js";
import { whole } from "./support/arguments.js";
import { givenModel, MODEL_HELP, someData, type ModelArguments } from "./support/model.js";
import { planOf } from "./support/planned.js";

const uses = ["train", "evaluate", "encode", "decode", "sample", "reconstruct"] as const;
type Use = (typeof uses)[number];

interface Arguments extends ModelArguments {
  use: Use;
  batch: number;
  adapter: "software" | "gpu";
  precision: Precision;
  json: boolean;
}

const program = new Command("plan")
  .description("Prints what a model runs, a line a dispatch, with the places of all that it reads and writes.")
  .addArgument(new Argument("[model]", MODEL_HELP).default("mlp"))
  .addOption(new Option("--use <name>", "the call whose plan is printed").choices(uses).default("train"))
  .option("--batch <n>", "examples a step, or a call", whole(1, 65536), 128)
  .option("--input <shape>", "shape of an example, as 28x28x1 (default: by model)", shapeOf)
  .option("--latent <n>", "latent dimensions (default: by model)", whole(1, 65536))
  .addOption(
    new Option("--adapter <kind>", "whose usual schedules; measured ones may differ (npm run profile)")
      .choices(["software", "gpu"])
      .default("software"),
  )
  .addOption(new Option("--precision <name>", "of training").choices(["f32", "f16"]).default("f32"))
  .option("--json", "print the plan as JSON", false)
  .allowExcessArguments(false);

const features = ["timestamp-query", "subgroups", "shader-f16"] as const;

/** A device that validates and computes nothing, and is said to be of this kind. */
async function nullDevice(software: boolean): Promise<GPUDevice> {
  const adapter = await (await openGpu({ backend: "null" })).requestAdapter();
  if (!adapter) throw new Error("Dawn's null backend has no adapter");
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const gpu = await adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  Object.defineProperty((await Device.open({ device: gpu })).shared, "software", { value: software });
  return gpu;
}

function call(vae: VAE, use: Use, batch: number, precision: Precision): Promise<unknown> {
  const data = someData(vae.spec, batch);
  if (use === "train") return vae.train(data, { batchSize: batch, precision }).next();
  if (use === "evaluate") return vae.elbo(data);
  if (use === "encode") return vae.encode(data);
  if (use === "decode") return vae.decode(new Float32Array(batch * vae.spec.latent));
  if (use === "sample") return vae.sample(batch);
  return vae.reconstruct(data);
}

async function planned(device: GPUDevice, spec: ModelSpec, use: (vae: VAE) => Promise<unknown>): Promise<Plan> {
  try {
    using vae = await VAE.create(spec, { device, tuning: false });
    return await planOf(() => use(vae));
  } finally {
    device.destroy();
  }
}

/** "2.61 MB". */
function amount(n: number, unit: string): string {
  const [size, prefix] = n >= 1e9 ? [1e9, "G"] : n >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  return `${(n / size).toFixed(2)} ${prefix}${unit}`;
}

/** The line under the plan: how much of everything. */
function summary(spec: ModelSpec, use: Use, batch: number, { dispatches, buffers, activationBytes }: Plan): string {
  const bytes = (kind: string) =>
    Object.values(buffers).reduce((sum, buffer) => sum + (buffer.kind === kind ? buffer.bytes : 0), 0);
  const shared = `activations ${amount(bytes("slot"), "B")} (${amount(activationBytes, "B")} if none shared memory)`;
  const { flops, stepFlops } = describe(spec);
  const work = { train: stepFlops, evaluate: flops }[use as string];
  const all = [`${dispatches.length} dispatches`, `weights ${amount(bytes("param"), "B")}`, shared];
  if (work) all.push(`${amount(work * batch, "FLOP")} in products and convolutions`);
  return all.join("; ");
}

async function main(): Promise<void> {
  program.parse();
  const [model = "mlp"] = program.processedArgs as string[];
  const { use, batch, adapter, precision, json, ...given } = program.opts<Arguments>();
  const spec = await givenModel(model, given);
  const device = await nullDevice(adapter === "software");
  const plan = await planned(device, spec, (vae) => call(vae, use, batch, precision));
  if (json) return console.log(JSON.stringify(plan));
  const kind = adapter === "gpu" ? "a GPU" : "a software adapter";
  console.log(`${model}, ${use}, batch ${batch}, latent ${spec.latent}, ${precision}; usual schedules of ${kind}\n`);
  console.log(printPlan(plan));
  console.log(`\n${summary(spec, use, batch, plan)}`);
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
