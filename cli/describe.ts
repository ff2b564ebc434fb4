// npm run describe -- --model NAME|FILE: a model's layers with their shapes, parameters and operations. Needs no GPU.
import { Command } from "commander";
import { describe } from "../src/describe.js";
import { models, type ModelName, type ModelSpec } from "../src/index.js";
import { readWhole } from "./files.js";
import { modelSpec, reportFault, shapeOf, wholeNumber } from "./options.js";
import { specOf } from "./training_file.js";

/** The default input shape of a preset. */
const usual: Partial<Record<ModelName, readonly number[]>> = { points: [2], conv64: [64, 64, 3] };

const program = new Command("describe")
  .description("Lists a model's shapes, parameters and floating-point operations by layer.")
  .option("--model <name>", `${Object.keys(models).join(", ")}, a JSON file with a ModelSpec or a saved model`, "mlp")
  .option("--input <shape>", "shape of an example, such as 28x28x1 or 28,28,1 (default: by model)", shapeOf)
  .option("--latent <n>", "latent dimensions", wholeNumber(1))
  .option("--json", "print JSON instead of a table", false)
  .allowExcessArguments(false);

interface Arguments {
  model: string;
  input?: number[];
  latent?: number;
  json: boolean;
}

async function specFor({ model, input, latent }: Arguments): Promise<ModelSpec> {
  if (model.endsWith(".safetensors")) {
    const saved = specOf(model, await readWhole(model));
    return { ...saved, ...(input ? { input } : {}), ...(latent === undefined ? {} : { latent }) };
  }
  const { spec } = await modelSpec(model, input ?? usual[model as ModelName] ?? [28, 28, 1], latent);
  return Object.hasOwn(models, model) || !input ? spec : { ...spec, input };
}

async function main(): Promise<void> {
  const options = program.parse().opts<Arguments>();
  const { text, ...described } = describe(await specFor(options));
  if (options.json) return console.log(JSON.stringify(described));
  console.log(text);
  const step = described.stepFlops.toLocaleString("en");
  console.log(`\nFLOPs are for one example's forward pass; in a training step, one example takes ${step}.`);
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
