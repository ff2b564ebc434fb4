// npm run bench:node -- [options]: the same models trained with webvae and with tfjs on WebGPU, in Node, for machines
// with a GPU and no browser; and the speed of large products. Stores JSON and Markdown with the adapter's name.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { adapterName, isSoftware, openGpu } from "../../node/gpu.js";
import packageFile from "../../package.json" with { type: "json" };
import { countGpu } from "../browser/counters.js";
import { WEBVAE } from "../browser/peers.js";
import type { PeerResult } from "../browser/results.js";
import { resultLine } from "../browser/summary.js";
import { commit, slug } from "../support/report.js";
import { runNodeContest } from "./contest.js";
import { offerGpu } from "./navigator.js";
import { casesOf, nodeBenchCommand, nodeBenchOptions, runnablePeers, sizesOf } from "./options.js";
import { measureProducts } from "./products.js";
import { nodeMarkdown, nodeSummary, productLine, type NodeReport } from "./results.js";

const options = nodeBenchOptions(nodeBenchCommand().parse());
const started = performance.now();
const say = (text: string) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);

const gpu = await openGpu();
const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error("the adapter is gone");
offerGpu(gpu);
const counts = countGpu();
const software = isSoftware(adapter);
const half = adapter.features.has("shader-f16");
const { repeats, seconds, limitSeconds } = options;
const processors = availableParallelism();
console.log(`adapter: ${adapterName(adapter)}${software ? " (software)" : ""}, ${processors} processor cores`);
if (!half && options.precisions.includes("f16")) console.log("no shader-f16, so nothing is measured in f16");

const products = await measureProducts({
  gpu,
  sizes: sizesOf(options, software),
  precisions: options.precisions.filter((precision) => half || precision === "f32"),
  repeats,
  peak: options.peak,
  progress: (result) => console.log(productLine(result)),
});

const results: PeerResult[] = [];
for (const one of options.steps ? casesOf(options, software) : []) {
  const asked = { repeats, seconds, limitSeconds, processors, gpu, counts, progress: say };
  const ended = await runNodeContest(one.name, one, runnablePeers(options.peers, half), asked);
  results.push(...ended);
  for (const result of ended) console.log(resultLine(result));
}

const { devDependencies } = packageFile;
const report: NodeReport = {
  adapter: adapterName(adapter),
  software,
  commit: commit(),
  date: new Date().toISOString(),
  node: process.version,
  versions: { "@tensorflow/tfjs": devDependencies["@tensorflow/tfjs"], webgpu: devDependencies.webgpu },
  processors,
  repeats,
  seconds,
  limitSeconds,
  peak: options.peak ?? null,
  results,
  products,
};
// A partial run does not replace the stored complete one.
const project = fileURLToPath(new URL("../../", import.meta.url));
const folder = options.out ?? join(project, options.whole ? "bench/results" : "out");
await mkdir(folder, { recursive: true });
const name = join(folder, `node-${slug(report.adapter)}`);
await writeFile(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
await writeFile(`${name}.md`, nodeMarkdown(report));
console.log(`written to ${name}.json and .md`);
if (options.json) console.log(JSON.stringify(nodeSummary(report)));
// If a peer fails, that is a result; if webvae fails, that is an error.
if (results.some(({ peer, error }) => peer === WEBVAE.name && error !== null)) process.exitCode = 1;
