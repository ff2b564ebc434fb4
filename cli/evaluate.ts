// npm run evaluate -- --model FILE --data NAME: evaluates a saved model on test data.
import { Command, Option } from "commander";
import { formatLoss, formatNumber } from "./chart_style.js";
import { dataNames, loadData, type DataName, type Split } from "./data.js";
import type { Dataset, VAE } from "../src/index.js";
import { adapterLines, loadModel, reportFault, wholeNumber } from "./options.js";
import { figuresOf } from "./epochs.js";

interface Arguments {
  model: string;
  data: DataName;
  dataDir?: string;
  split: Split;
  limit?: number;
  samples: number;
  logLikelihood?: number;
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
  .option("--log-likelihood <n>", "also estimate log p(x), by n draws of z per example", wholeNumber(1))
  .option("--seed <n>", "seed of the draws and of generated data", wholeNumber(0), 1)
  .option("--json", "end stdout with one JSON object", false)
  .allowExcessArguments(false)
  .addHelpText(
    "after",
    `
Examples:
  npm run evaluate -- --model out/model.safetensors --data mnist --samples 10
  npm run evaluate -- --model out/model.safetensors --limit 500 --log-likelihood 5000`,
  );

async function main(): Promise<void> {
  const { model, data, dataDir, split, limit, samples, logLikelihood, seed, json } = program.parse().opts<Arguments>();
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
    const bound = logLikelihood && (await estimated(vae, dataset, { seed, samples: logLikelihood }, print));
    if (json) {
      const { name: adapter, software } = vae.adapter;
      const estimate = bound ? { logLikelihood: bound } : {};
      console.log(
        JSON.stringify({ adapter, software, model, data, examples: dataset.count, [split]: figures, ...estimate }),
      );
    }
  } finally {
    vae.dispose();
  }
}

/** log p(x) by importance weighting, as printed and written: in nats per example. */
async function estimated(
  vae: VAE,
  dataset: Dataset,
  options: { readonly seed: number; readonly samples: number },
  print: (text: string) => void,
) {
  const { samples } = options;
  const draws = `${samples.toLocaleString("en")} ${samples === 1 ? "draw" : "draws"}`;
  // It may take minutes, and the library reports no progress.
  print(`estimating log p(x) of ${dataset.count.toLocaleString("en")} examples by ${draws} of z each`);
  const { logLikelihood: mean, standardError, effectiveSamples } = await vae.logLikelihood(dataset, options);
  const medianEffectiveSamples = effectiveSamples.toSorted()[effectiveSamples.length >> 1]!;
  print(
    `log p(x) ${formatLoss(mean)}, standard error ${formatLoss(standardError)} nats per example; ` +
      `median effective sample size ${formatNumber(Number(medianEffectiveSamples.toPrecision(3)))} of ${draws}`,
  );
  return { mean, standardError, samples, medianEffectiveSamples };
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
