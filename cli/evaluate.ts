// npm run evaluate -- --model FILE --data NAME: evaluates a saved model on test data.
import { Command, Option } from "commander";
import { formatLoss } from "./chart_style.js";
import { dataNames, loadData, type DataName, type Split } from "./data.js";
import { adapterLines, loadModel, reportFault, wholeNumber } from "./options.js";
import { figuresOf } from "./run.js";

interface Arguments {
  model: string;
  data: DataName;
  dataDir?: string;
  split: Split;
  limit?: number;
  samples: number;
  seed: number;
  json: boolean;
}

const program = new Command("evaluate")
  .description("Evaluates a saved model on a data set.")
  .requiredOption("--model <file>", "model.safetensors of a training run")
  .addOption(new Option("--data <name>", "data set").choices(dataNames).default("digits"))
  .option("--data-dir <dir>", "folder of IDX files instead of a download")
  .addOption(new Option("--split <name>", "part of the data set").choices(["train", "test", "all"]).default("test"))
  .option("--limit <n>", "evaluate the first n examples", wholeNumber(1))
  .option("--samples <n>", "draws of z per example", wholeNumber(1), 1)
  .option("--seed <n>", "seed of the draws and of generated data", wholeNumber(0), 1)
  .option("--json", "end stdout with one JSON object", false)
  .allowExcessArguments(false);

async function main(): Promise<void> {
  const { model, data, dataDir, split, limit, samples, seed, json } = program.parse().opts<Arguments>();
  const print = json ? console.error : console.log;
  const dataset = await loadData({ data, dataDir, seed, limit, note: print }, split);
  const vae = await loadModel(model);
  try {
    for (const line of adapterLines(vae.adapter)) print(line);
    const figures = figuresOf(await vae.elbo(dataset, { seed, samples }));
    print(
      `${data} ${split}, ${dataset.count} examples: -ELBO ${formatLoss(-figures.elbo)} = reconstruction ` +
        `${formatLoss(figures.reconstruction)} + KL ${formatLoss(figures.kl)} nats per example`,
    );
    if (json) {
      const { name: adapter, software } = vae.adapter;
      console.log(JSON.stringify({ adapter, software, model, data, examples: dataset.count, [split]: figures }));
    }
  } finally {
    vae.dispose();
  }
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
