// npm run bench:peers -- [options]: the same models trained with webvae, tfjs and jax-js in headless Chrome. Checks that
// they compute the same, times them in turns, and stores JSON, Markdown and a chart.
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findChrome } from "../../node/chrome.mjs";
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
  browser: version || (await findChrome()).description,
  processors,
  repeats,
  limitSeconds,
  results,
};
const slug = comparison.adapter
  .toLowerCase()
  .replace(/[^a-z0-9]+/g, "-")
  .replace(/^-|-$/g, "");
const folder = options.out ?? fileURLToPath(new URL("../results/", import.meta.url));
await mkdir(folder, { recursive: true });
const name = `peers-${slug}`;
await writeFile(join(folder, `${name}.json`), `${JSON.stringify(comparison, null, 2)}\n`);
await writeFile(join(folder, `${name}.md`), comparisonMarkdown(comparison, `${name}.svg`));
await writeFile(join(folder, `${name}.svg`), `${comparisonChart(comparison)}\n`);
console.log(`written to ${join(folder, name)}.json, .md and .svg`);
if (options.json) console.log(JSON.stringify(summary(comparison)));

function commit(): string {
  try {
    const git = (...inputs: string[]) =>
      execFileSync("git", inputs, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "src", "shaders") ? "+changes" : "");
  } catch {
    return "unknown";
  }
}
