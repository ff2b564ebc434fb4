// npm run sample -- --model FILE: draws samples from a saved model.
import { Command } from "commander";
import { resolve } from "node:path";
import { WebvaeError } from "../src/index.js";
import { writeWhole } from "./files.js";
import { adapterLines, loadModel, reportFault, wholeNumber } from "./options.js";
import { imageShape, samplesPicture } from "./pictures.js";
import { svgToPng } from "./rasterise.js";
import { pointsScatter } from "./scatter.js";

const program = new Command("sample")
  .description("Draws samples from a saved model and writes them as a picture.")
  .requiredOption("--model <file>", "model.safetensors of a training run")
  .option("--count <n>", "samples", wholeNumber(1), 100)
  .option("--columns <n>", "pictures per row", wholeNumber(1))
  .option("--seed <n>", "seed of the draws", wholeNumber(0), 0)
  .option("--out <file>", "PNG file", "samples.png")
  .allowExcessArguments(false);

async function main(): Promise<void> {
  const options = program.parse().opts<{ model: string; count: number; columns?: number; seed: number; out: string }>();
  const { count, seed } = options;
  const vae = await loadModel(options.model);
  try {
    for (const line of adapterLines(vae.adapter)) console.log(line);
    const { input } = vae.spec;
    const shape = imageShape(input);
    // A picture shows each pixel's mean; for points, the mean would hide their spread.
    const samples = await vae.sample(count, { seed, noise: !shape });
    let picture: Uint8Array;
    if (shape) picture = samplesPicture(samples, shape, options.columns ?? Math.ceil(Math.sqrt(count)));
    else if (input.length === 1 && input[0] === 2) {
      picture = await svgToPng(pointsScatter({ title: "Samples", sets: [{ name: "Samples", points: samples }] }));
    } else throw new WebvaeError("INVALID_DATA", `examples of shape [${input.join(", ")}] cannot be drawn`);
    await writeWhole(resolve(options.out), picture);
    console.log(`${count} samples written to ${resolve(options.out)}`);
  } finally {
    vae.dispose();
  }
}

try {
  await main();
} catch (error) {
  process.exitCode = reportFault(error);
}
