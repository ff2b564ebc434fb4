// npm run sample -- --model FILE: draws samples from a saved model.
import { Command, InvalidArgumentError } from "commander";
import { resolve } from "node:path";
import { WebvaeError, type VAE } from "../src/index.js";
import { classesOf, samplesByClass } from "./classes.js";
import { writeWhole } from "./files.js";
import { adapterLines, loadModel, reportFault, wholeNumber } from "./options.js";
import { imageShape, samplesPicture } from "./pictures.js";
import { svgToPng } from "./rasterise.js";
import { pointsScatter, type PointSet } from "./scatter.js";

const classOf = (text: string): number | "all" => {
  if (text === "all") return text;
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a class, such as 3, or all.");
  return Number(text);
};

const program = new Command("sample")
  .description("Draws samples from a saved model and writes them as a picture.")
  .requiredOption("--model <file>", "model.safetensors of a training run")
  .option(
    "--count <n>",
    "samples (default: 100); of all classes: samples of each (default: 10, of points 200)",
    wholeNumber(1),
  )
  .option("--condition <class>", "class of a conditional model, or all: a row for each (default: all)", classOf)
  .option("--columns <n>", "pictures per row (of all classes: --count)", wholeNumber(1))
  .option("--seed <n>", "seed of the draws", wholeNumber(0), 0)
  .option("--out <file>", "PNG file", "samples.png")
  .allowExcessArguments(false)
  .addHelpText(
    "after",
    `
Examples:
  npm run sample -- --model out/model.safetensors --count 64 --columns 8
  npm run sample -- --model out/model.safetensors --condition 3 --out threes.png
  npm run sample -- --model out/model.safetensors --condition all --count 12`,
  );

interface Arguments {
  model: string;
  count?: number;
  columns?: number;
  condition?: number | "all";
  seed: number;
  out: string;
}

async function main(): Promise<void> {
  const options = program.parse().opts<Arguments>();
  const vae = await loadModel(options.model);
  try {
    for (const line of adapterLines(vae.adapter)) console.log(line);
    const { picture, text } = await drawn(vae, options);
    await writeWhole(resolve(options.out), picture);
    console.log(`${text} written to ${resolve(options.out)}`);
  } finally {
    vae.dispose();
  }
}

/** The picture, and what it shows. */
async function drawn(vae: VAE, options: Arguments): Promise<{ picture: Uint8Array; text: string }> {
  const { seed, columns, model } = options;
  const { input } = vae.spec;
  const shape = imageShape(input);
  if (!shape && !(input.length === 1 && input[0] === 2)) {
    throw new WebvaeError("INVALID_DATA", `examples of shape [${input.join(", ")}] cannot be drawn`);
  }
  const classes = classesOf(vae.spec);
  if (classes === undefined && options.condition !== undefined) {
    throw new WebvaeError("INVALID_OPTION", `--condition ${options.condition}: ${model} is not a conditional model`);
  }
  // A picture shows each pixel's mean; for points, the mean would hide their spread.
  const noise = !shape;
  const condition = options.condition ?? "all";
  if (classes !== undefined && condition === "all") {
    const count = options.count ?? (shape ? 10 : 200);
    if (columns !== undefined) {
      throw new WebvaeError(
        "INVALID_OPTION",
        "--columns is not for the samples of all classes, which have a row for each class; --count is the length of a row",
      );
    }
    const samples = await samplesByClass(vae, count, { seed, noise });
    const text = `${count} samples of each class, 0 to ${classes - 1},`;
    if (shape) return { picture: samplesPicture(samples, shape, count), text: `${text} a row for each class,` };
    const sets = Array.from({ length: classes }, (_, i) => ({
      name: String(i),
      points: samples.subarray(2 * count * i, 2 * count * (i + 1)),
    }));
    return {
      picture: await svgToPng(pointsScatter({ title: "Samples by class", sets: sets as [PointSet], classes: true })),
      text,
    };
  }
  const count = options.count ?? 100;
  const of = classes === undefined ? {} : { condition: Number(condition) };
  const samples = await vae.sample(count, { seed, noise, ...of });
  const text = classes === undefined ? `${count} samples` : `${count} samples of class ${condition}`;
  if (shape) return { picture: samplesPicture(samples, shape, columns ?? Math.ceil(Math.sqrt(count))), text };
  const sets = [{ name: "Samples", points: samples }] as const;
  return { picture: await svgToPng(pointsScatter({ title: "Samples", sets })), text };
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
