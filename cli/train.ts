// npm run train -- [options]: trains a VAE and writes the model, figures and pictures to a folder.
import { Command, Option } from "commander";
import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { nodeGpu } from "../node/index.js";
import { tuningFile } from "../node/tuning_file.js";
import { models, type Initialisation, type ModelName } from "../src/index.js";
import { runInBrowser } from "./browser_run.js";
import type { EpochLosses, LossHistory } from "./charts.js";
import { formatLoss } from "./chart_style.js";
import { dataNames, loadData, type DataName } from "./data.js";
import { appendLine, FileError, prepareFolder, writeModel, writeWhole } from "./files.js";
import { adapterLines, modelSpec, positiveNumber, reportFault, typed, wholeNumber } from "./options.js";
import { pictureNames, pictureNotes, runPictures } from "./pictures.js";
import { choiceLines, savedObjective, withClasses } from "./choices.js";
import { createProgress, formatDuration } from "./progress.js";
import { openResumed } from "./resume.js";
import type { RunReport } from "./epochs.js";
import { run, type RunConfig, type RunHooks } from "./run.js";
import { CHECKPOINT, hashOf, pointOf, thinned, withRecord, type RunRecord, type RunSettings } from "./training_file.js";

interface Arguments {
  data: DataName;
  dataDir?: string;
  split: "train" | "all";
  model?: string;
  latent?: number;
  likelihood?: unknown;
  prior?: unknown;
  condition?: unknown;
  objective?: unknown;
  epochs: number;
  batch: number;
  lr: number;
  beta: number;
  epsilon?: number;
  init: Initialisation;
  seed: number;
  limit?: number;
  out: string;
  saveEvery: number;
  resume?: string;
  json: boolean;
  browser: boolean;
}

/** The presets for data sets that mlp does not suit. */
const dataModels: Partial<Record<DataName, ModelName>> = { gaussians: "points", sprites: "conv64" };

const program = new Command("train")
  .description("Trains a variational autoencoder on the GPU, or on a software adapter if there is none.")
  .addOption(new Option("--data <name>", "data set").choices(dataNames).default("digits"))
  .option("--data-dir <dir>", "folder of IDX files (train-images-idx3-ubyte[.gz], ...) instead of a download")
  .addOption(
    new Option("--split <name>", "examples to train on; all: the test set too")
      .choices(["train", "all"])
      .default("train"),
  )
  .option("--model <name>", `${Object.keys(models).join(", ")}, or a JSON file with a ModelSpec (default: by data)`)
  .option("--latent <n>", "latent dimensions; 2 also gives pictures of the latent space", wholeNumber(1))
  .option(
    "--likelihood <name>",
    "p(x|z), with its keys: bernoulli, or gaussian,variance=learned (default: the model's)",
    typed,
  )
  .option("--prior <name>", "p(z), with its keys: mixture,components=10 (default: the model's, normal)", typed)
  .option(
    "--condition <name>",
    "what encoder and decoder are given too: label, or label,classes=10 (default: the model's, nothing)",
    typed,
  )
  .option("--objective <name>", "what is minimised, with its keys: iwae,samples=5 (default: elbo)", typed)
  .option("--epochs <n>", "epochs", wholeNumber(1), 10)
  .option("--batch <n>", "examples per step", wholeNumber(1), 128)
  .option("--lr <x>", "learning rate of Adam", positiveNumber, 1e-3)
  .option("--beta <x>", "weight of the KL term", positiveNumber, 1)
  .option("--epsilon <x>", "epsilon of Adam (default: 1e-8)", positiveNumber)
  .addOption(
    new Option("--init <name>", "initial weights: as in PyTorch or Keras")
      .choices(["torch", "glorot"])
      .default("torch"),
  )
  .option("--seed <n>", "seed of weights, order, noise and generated data", wholeNumber(0), 1)
  .option("--limit <n>", "train on the first n examples", wholeNumber(1))
  .option("--out <dir>", "folder for the results", "out")
  .option("--save-every <minutes>", "minutes between checkpoints; 0: after each report", positiveNumber, 5)
  .option("--resume <path>", `continue a run, given its ${CHECKPOINT} or its folder`)
  .option("--json", "end stdout with one JSON object", false)
  .option("--browser", "run in headless Chrome", false)
  .allowExcessArguments(false)
  .addHelpText(
    "after",
    `
Examples:
  npm run train -- --data mnist --model conv --latent 2 --epochs 5
  npm run train -- --condition label --prior mixture,components=10
  npm run train -- --objective iwae,samples=5 --likelihood gaussian,variance=0.1
  npm run train -- --resume out --epochs 20`,
  );

async function main(): Promise<number> {
  const options = program.parse().opts<Arguments>();
  const going = options.resume === undefined ? undefined : await openResumed(options.resume, options, isGiven);
  if (going) Object.assign(options, going.options);
  // With --json stdout is for programs.
  const print = options.json ? console.error : console.log;
  const out = resolve(options.out);
  const path = (file: string) => join(out, file);
  await prepareFolder(out);
  const { data, dataDir, seed, split } = options;
  const source = { data, dataDir, seed, note: print };
  const train = await loadData({ ...source, limit: options.limit }, split);
  const test = await loadData(source, "test");
  const preset = options.model ?? dataModels[data] ?? "mlp";
  const { likelihood, prior } = options;
  const condition = going ? undefined : withClasses(options.condition, [train, test]);
  const { name, spec } =
    going ?? (await modelSpec(preset, train.shape, options.latent, { likelihood, prior, condition }));
  const objective = savedObjective(options.objective);
  const dataHash = hashOf(train, spec.condition !== undefined);
  going?.checkData(dataHash);
  const settings: RunSettings = {
    data,
    split,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    dataHash,
    model: name,
    seed,
    init: options.init,
    batch: options.batch,
    ...(options.epsilon === undefined ? {} : { epsilon: options.epsilon }),
    ...(objective === undefined ? {} : { objective }),
  };
  const config: RunConfig = {
    spec,
    epochs: options.epochs,
    saveEvery: options.saveEvery * 60_000,
    batchSize: options.batch,
    learningRate: options.lr,
    beta: options.beta,
    ...(objective === undefined ? {} : { objective }),
    ...(options.epsilon === undefined ? {} : { epsilon: options.epsilon }),
    initialisation: options.init,
    seed,
  };
  print(`data: ${data}, ${train.count} training and ${test.count} test examples of ${train.shape.join("x")}`);
  if (split === "all") print("training includes the test examples, so the test figures say nothing about new data");
  const epochsText = `${options.epochs} ${options.epochs === 1 ? "epoch" : "epochs"}`;
  print(`model: ${name}, latent ${spec.latent}; ${epochsText} of batches of ${options.batch}`);
  for (const line of [...choiceLines(spec, objective), ...(going?.notes ?? [])]) print(line);

  const history: { epochs: EpochLosses[]; steps: NonNullable<LossHistory["steps"]>[number][] } = {
    epochs: [...(going?.epochs ?? [])],
    steps: [...(going?.curve ?? [])],
  };
  const tell = (text: string) => {
    if (progress) progress.note(text);
    else console.error(text);
  };
  const stop = new AbortController();
  let asked = 0;
  let code = 0;
  const interrupt = (signal: NodeJS.Signals) => {
    const now = performance.now();
    // One Ctrl-C may arrive twice: from the terminal, and from the process that started this one.
    if (asked > 0 && now - asked > 1000) process.exit(code);
    if (asked > 0) return;
    asked = now;
    code = 128 + constants.signals[signal];
    tell("stopping; writing the model and its training state first (Ctrl-C again: quit at once)");
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  // Writing to a closed terminal fails, which must not end the run.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  let adapter = { name: "", software: false };
  let progress: ReturnType<typeof createProgress> | undefined;
  let stepsPerEpoch = going?.record.stepsPerEpoch ?? 0;
  const onReport = async (report: RunReport) => {
    const { epoch, epochs, steps, epochEnd } = report;
    stepsPerEpoch = steps / epochs;
    progress ??= createProgress({ epochs, stepsPerEpoch });
    const step = report.step - (epoch - 1) * stepsPerEpoch;
    const { elbo, reconstruction, kl, terms } = report;
    history.steps.push({ elbo, reconstruction, kl, epoch: report.step / stepsPerEpoch });
    const now = { elbo, reconstruction, kl, ...(terms ? { terms } : {}) };
    progress.update({ ...now, epoch, step, stepsPerSecond: report.stepsPerSecond });
    if (!epochEnd) return;
    const { train: trained, test: tested, seconds } = epochEnd;
    history.epochs.push({ epoch, train: trained, test: tested });
    progress.epochEnd({ epoch, train: trained, test: tested, seconds });
    const stepsPerSecond = stepsPerEpoch / seconds;
    const line = JSON.stringify({ epoch, train: trained, test: tested, seconds, stepsPerSecond });
    // The first line replaces an earlier run's lines.
    if (epoch === 1) await writeWhole(path("metrics.jsonl"), `${line}\n`);
    else await appendLine(path("metrics.jsonl"), line);
  };
  const started = performance.now();
  let failed = false;
  const onCheckpoint: RunHooks["onCheckpoint"] = async (bytes, { partial, ...trained }, last) => {
    history.steps = [...thinned(history.steps)];
    const record: RunRecord = {
      settings,
      epochs: options.epochs,
      lr: options.lr,
      beta: options.beta,
      trained,
      seconds: (going?.record.seconds ?? 0) + (performance.now() - started) / 1000,
      stepsPerEpoch,
      partial,
      curve: history.steps.map(pointOf),
    };
    try {
      await (last ? writeModel : writeWhole)(path(CHECKPOINT), withRecord(bytes, record));
      failed = false;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // The run continues: the model will still be written, and the next checkpoint may succeed.
      if (!failed || last) tell(`${error.message}${last ? "" : "; the previous one is kept, and the run continues"}`);
      failed = true;
    }
  };
  const hooks: RunHooks = {
    signal: stop.signal,
    onStart: async (found, trained) => {
      adapter = found;
      for (const line of adapterLines(found)) print(line);
      if (!going) return;
      print(`continuing after ${trained.steps} steps, ${trained.epochs} of ${options.epochs} epochs`);
      // Drops the lines of epochs that will be trained again, and a line truncated by a kill.
      const lines = going.lines.map((line) => `${line}\n`);
      await writeWhole(path("metrics.jsonl"), lines.join(""));
    },
    onReport,
    onCheckpoint,
    onModel: (bytes) => writeModel(path("model.safetensors"), bytes),
  };
  try {
    const result = options.browser
      ? await runInBrowser(config, train, test, hooks, going?.resumed)
      : await run(config, train, test, hooks, { gpu: await nodeGpu(), tuning: tuningFile() }, going?.resumed);
    progress?.stop();
    const pictures = await runPictures(result, test, history, `${name} on ${data}`, spec);
    for (const [file, content] of Object.entries(pictures)) await writeWhole(path(file), content);
    // Pictures of an earlier run would look like results of this one.
    for (const file of pictureNames) if (!(file in pictures)) await rm(path(file), { force: true });
    if (history.epochs.length === 0) await rm(path("metrics.jsonl"), { force: true });
    const files = [
      "model.safetensors",
      ...(failed ? [] : [CHECKPOINT]),
      ...(history.epochs.length > 0 ? ["metrics.jsonl"] : []),
      ...Object.keys(pictures),
    ];
    const { test: figures, steps, stepsPerSecond, epochs } = result;
    const seconds = result.seconds + (going?.record.seconds ?? 0);
    print(
      `${result.stopped ? "stopped" : "done"} after ${steps} steps in ${formatDuration(seconds)} ` +
        `(${stepsPerSecond.toFixed(1)} steps/s)`,
    );
    print(
      `test: -ELBO ${formatLoss(-figures.elbo)} = reconstruction ${formatLoss(figures.reconstruction)} ` +
        `+ KL ${formatLoss(figures.kl)} nats per example`,
    );
    print(`written to ${out}: ${files.join(", ")}`);
    for (const note of pictureNotes(spec, train.shape)) print(note);
    if (options.json) {
      const { name: adapterName, software } = adapter;
      console.log(
        JSON.stringify({
          adapter: adapterName,
          software,
          model: name,
          epochs,
          steps,
          seconds,
          stepsPerSecond,
          test: figures,
          files: files.map(path),
        }),
      );
    }
    if (result.stopped) return code;
    return failed ? 1 : 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error("stopped before the first step; nothing was written");
    return code;
  } finally {
    progress?.stop();
  }
}

const isGiven = (option: string) => program.getOptionValueSource(option) === "cli";

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
