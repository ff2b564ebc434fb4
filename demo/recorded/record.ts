// npm run record:demo [-- options]: trains a model on this machine's adapter and writes recorded.json and recorded.png,
// which the page shows if there is no WebGPU.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { manifoldPoints } from "../../cli/normal.js";
import { nodeGpu } from "../../node/index.js";
import { tuningFile } from "../../node/tuning_file.js";
import { digits } from "../../src/datasets.js";
import { models, VAE, type Dataset } from "../../src/index.js";
import { packPoints, thinned, type Loss, type Moment, type Recording, type Sheet } from "./recording.js";
import { drawSheet } from "./sheet.js";

const usage = `Usage: npm run record:demo [-- options]

  --epochs N  passes over the training set (default: 12)
  --count N   digits to train on (default: 16000)
  --out DIR   folder for recorded.json and recorded.png (default: demo/recorded)
  -h, --help  show this text`;

/** Limit for both files together, in bytes. */
const LARGEST = 120_000;
const BATCH = 128;
const RATE = 1e-3;
const SEED = 1;
const POINTS = 400;
const SHEET: Sheet = { side: 28, columns: 26, pairs: 10, manifoldColumns: 12, samples: 16 };

/** The steps to record, spaced so that each differs visibly from the last: most are near the beginning. */
export function momentSteps(stepsPerEpoch: number, epochs: number): number[] {
  const shares = [0, 0.1, 0.3, 0.6, 1, 1.6, 2.5, 4, 6, 9, 13, 20].map((share) => (share / 20) * epochs);
  return [...new Set(shares.map((epoch) => Math.round(epoch * stepsPerEpoch)))];
}

async function record(epochs: number, count: number): Promise<{ recording: Recording; png: Uint8Array }> {
  const train = digits({ split: "train", count, seed: SEED });
  const test = digits({ split: "test", count: 1000, seed: SEED });
  const originals = oneOfEach(test);
  const points = test.values.subarray(0, POINTS * 784);
  const vae = await VAE.create(models["mlp-deep"]([28, 28, 1], 2), {
    seed: SEED,
    gpu: await nodeGpu(),
    tuning: tuningFile(),
  });
  const stepsPerEpoch = Math.ceil(count / BATCH);
  const steps = momentSteps(stepsPerEpoch, epochs);
  const moments: Moment[] = [];
  const images: Float32Array[] = [];
  const losses = { train: [] as Loss[], test: [] as Loss[] };
  const look = async (step: number, seconds: number) => {
    images.push(await vae.sample(SHEET.samples, { seed: SEED }), await vae.reconstruct(originals));
    const { mean } = await vae.encode(points);
    moments.push({
      epoch: round(step / stepsPerEpoch, 3),
      step,
      seconds: round(seconds, 1),
      points: packPoints(mean),
    });
    console.log(`step ${step}, epoch ${(step / stepsPerEpoch).toFixed(2)}: ${seconds.toFixed(1)} s`);
  };
  try {
    await look(0, 0);
    let seconds = 0;
    let looked = 0;
    for await (const report of vae.train(train, { epochs, batchSize: BATCH, learningRate: RATE, test })) {
      seconds = report.seconds - looked;
      const epoch = report.step / stepsPerEpoch;
      losses.train.push([epoch, -report.elbo]);
      if (report.epochEnd?.test) losses.test.push([report.epoch, -report.epochEnd.test.elbo]);
      if (report.step < (steps[moments.length] ?? Infinity)) continue;
      const began = performance.now();
      await look(report.step, seconds);
      looked += (performance.now() - began) / 1000;
    }
    const manifold = await vae.decode(manifoldPoints(SHEET.manifoldColumns));
    const [first, second, third] = [256, 128, 2];
    const recording: Recording = {
      format: 1,
      adapter: vae.adapter.name,
      software: vae.adapter.software,
      busy: loadavg()[1]! > 2 * availableParallelism(),
      date: new Date().toISOString().slice(0, 10),
      seconds: round(seconds, 1),
      model: `mlp-deep, ${[784, first, second, third, second, first, 784].join(" – ")}`,
      parameters: vae.memory().parameters,
      train: count,
      test: test.count,
      epochs,
      batchSize: BATCH,
      learningRate: RATE,
      losses: { train: thinned(losses.train, 120).map(rounded), test: losses.test.map(rounded) },
      moments,
      labels: [...test.labels!.subarray(0, POINTS)].join(""),
      sheet: SHEET,
    };
    return { recording, png: drawSheet(SHEET, [originals, manifold, ...images]) };
  } finally {
    vae.dispose();
  }
}

/** The first test image of each class. */
function oneOfEach({ values, labels }: Dataset): Float32Array {
  const images = Array.from({ length: SHEET.pairs }, (_, digit) => {
    const at = labels!.indexOf(digit) * 784;
    return [...values.subarray(at, at + 784)].map((value) => value / 255);
  });
  return Float32Array.from(images.flat());
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));
const rounded = ([epoch, loss]: Loss): Loss => [round(epoch, 2), round(loss, 1)];

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "12" },
    count: { type: "string", default: "16000" },
    out: { type: "string", default: fileURLToPath(new URL(".", import.meta.url)) },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(usage);
} else {
  const [epochs, count] = [Number(values.epochs), Number(values.count)];
  if (!(Number.isInteger(epochs) && epochs >= 1))
    throw new Error(`--epochs must be a whole number of at least 1, not ${values.epochs}`);
  if (!(Number.isInteger(count) && count >= BATCH))
    throw new Error(`--count must be a whole number of at least ${BATCH}, not ${values.count}`);
  const { recording, png } = await record(epochs, count);
  const json = `${JSON.stringify(recording)}\n`;
  const size = json.length + png.length;
  if (size > LARGEST) throw new Error(`the recording takes ${size} bytes; the limit is ${LARGEST}`);
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, "recorded.json"), json);
  await writeFile(join(values.out, "recorded.png"), png);
  const loss = recording.losses.test.at(-1)?.[1];
  console.log(
    `${recording.moments.length} moments in ${recording.seconds} s on ${recording.adapter}: test -ELBO ${loss} nats`,
  );
  console.log(`recorded.json: ${json.length} bytes, recorded.png: ${png.length} bytes`);
}
