// npm run bench:peers -- [options]: the same models trained with webvae, tfjs and jax-js in headless Chrome. Checks that
// they compute the same, times them in turn, and stores JSON, Markdown and a chart.
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { commit, slug } from "../support/report.js";
import { comparisonChart } from "./chart.js";
import { runContest } from "./contest.js";
import { comparisonMarkdown } from "./markdown.js";
import { comparisonCommand, comparisonOptions } from "./options.js";
import { pageFiles } from "./pages.js";
import { WEBVAE } from "./peers.js";
import type { Comparison, PeerResult } from "./results.js";
import { resultLine, summary } from "./summary.js";

const options = comparisonOptions(comparisonCommand().parse());
const { cases, repeats, limitSeconds, headful, adapter: wanted } = options;
const started = performance.now();
const say = (text: string) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);

const webvae = await pageFiles(WEBVAE);
const peers = await Promise.all(options.peers.map(async (peer) => [peer, await pageFiles(peer)] as const));
const processors = availableParallelism();
const browser = { headful, adapter: wanted };
const results: PeerResult[] = [];
let adapter: string | null = null;
let version = "";
for (const one of cases) {
  const asked = { repeats, limitSeconds, processors, browser, progress: say };
  const contest = await runContest(one.name, one, webvae, peers, asked);
  adapter ??= contest.adapter;
  version ||= contest.browser;
  results.push(...contest.results);
  for (const result of contest.results) console.log(resultLine(result));
}

const comparison: Comparison = {
  adapter: adapter ?? "no adapter",
  commit: commit(),
  date: new Date().toISOString(),
  versions: versions(),
  browser: version || "no browser",
  processors,
  repeats,
  limitSeconds,
  results,
};
// A partial comparison does not replace the stored complete one.
const project = fileURLToPath(new URL("../../", import.meta.url));
const folder = options.out ?? join(project, options.whole ? "bench/results" : "out");
await mkdir(folder, { recursive: true });
const name = join(folder, `peers-${slug(comparison.adapter)}`);
await writeFile(`${name}.json`, `${JSON.stringify(comparison, null, 2)}\n`);
await writeFile(`${name}.md`, comparisonMarkdown(comparison, `${basename(name)}.svg`));
await writeFile(`${name}.svg`, `${comparisonChart(comparison)}\n`);
console.log(`written to ${name}.json, .md and .svg`);
// If a peer fails, that is a result; if webvae fails, that is an error.
if (results.some(({ peer, error }) => peer === WEBVAE.name && error !== null)) process.exitCode = 1;
if (options.json) console.log(JSON.stringify(summary(comparison)));

function versions(): Record<string, string> {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { devDependencies } = JSON.parse(text) as { devDependencies: Record<string, string> };
  const wanted = ["@tensorflow/tfjs", "@jax-js/jax"];
  return Object.fromEntries(wanted.map((name) => [name, devDependencies[name] ?? "unknown"]));
}
