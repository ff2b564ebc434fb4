// The comparison as Markdown: a table a case, in a form that a README can take over.
import type { Comparison, PeerResult } from "./results.js";

export function comparisonMarkdown(comparison: Comparison, chart: string): string {
  const { adapter, commit, date, browser, versions, processors, repeats, limitSeconds, results } = comparison;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const details = [...new Set(results.filter(({ detail }) => detail).map(({ peer, detail }) => `${peer}: ${detail}`))];
  return `# webvae and its peers on ${adapter}

${date.slice(0, 10)}, commit ${commit}, ${libraries.join(", ")}, ${browser}, ${processors} processor cores.
Made by \`npm run bench:peers\`.

![Milliseconds a step](${chart})

${caseTables(results)}

## How this was measured

- Everyone trains the same model from the same weights, on the same batch, with the same noise, by Adam at 1e-3, each in
  a Chrome of its own. Losses of the first steps must agree to 1e-3 of their value, else the row is an error; "losses"
  is the largest relative difference from webvae's, and over how many steps it was taken.
- Time of a step: median of up to ${repeats} repetitions, taken in turns, and the fastest and slowest of them. A library has
  ${limitSeconds} s for a case; a slow one has fewer repetitions, and fewer losses are compared. "x webvae" is its median over
  webvae's in the same run. The first step counts from before the library's script is fetched.
- In the peers' favour: noise, weights and data lie on the device before a step begins (webvae draws its noise and
  gathers its batch in each step), log variances are not clamped, tfjs uses its fused products and is never read from
  within a repetition, jax-js has the whole step in one \`jit\` and is waited for every step or every ten, whichever is
  faster. webvae is measured by its public API, losses of every step included.
- Kernels and submits are a step's, counted as WebGPU calls. Memory: JavaScript's heap after collecting garbage, with
  WebAssembly's memory or tensors in arrays where there are any; on the GPU the most that lived at a time, without the
  training images. The bundle is what the page fetched until its first step: the library with the code that trains with
  it, minified and gzipped${results.some(({ wasmBytes }) => wasmBytes) ? ", and its WebAssembly" : ""}.
${details.map((line) => `- ${line}\n`).join("")}`;
}

/** A column's heading and cell, by the name that the tables choose columns by. */
const columns = {
  peer: ["", ({ peer }) => (peer === "webvae" ? "**webvae**" : peer)],
  median: ["ms a step", ({ error, medianMs }) => (error === null ? show(medianMs, significant) : "error")],
  range: [
    "fastest to slowest",
    ({ fastestMs, slowestMs }) =>
      fastestMs === null ? "" : `${significant(fastestMs)} to ${significant(slowestMs ?? NaN)}`,
  ],
  speedup: ["x webvae", ({ speedup }) => show(speedup, (value) => value.toFixed(value < 9.95 ? 2 : 1))],
  first: ["first step, s", ({ firstStepMs }) => show(firstStepMs, (value) => (value / 1000).toFixed(1))],
  kernels: ["kernels", ({ kernels }) => show(kernels, (value) => value.toFixed(0))],
  submits: ["submits", ({ submits }) => show(submits, (value) => String(Number(value.toPrecision(2))))],
  heap: [
    "heap, MB",
    ({ heapBytes, hostBytes }) => show(heapBytes === null ? null : heapBytes + (hostBytes ?? 0), megabytes),
  ],
  gpu: ["GPU, MB", ({ gpuBytes }) => show(gpuBytes, megabytes)],
  bundle: [
    "bundle, KB",
    ({ scriptBytes, wasmBytes }) => show(scriptBytes, kilobytes) + (wasmBytes ? ` + ${kilobytes(wasmBytes)}` : ""),
  ],
  losses: [
    "losses",
    ({ peer, lossDifference, comparedSteps }) =>
      lossDifference === null || peer === "webvae" ? "" : `${lossDifference.toExponential(0)}, ${comparedSteps} steps`,
  ],
} as const satisfies Readonly<Record<string, readonly [string, (row: PeerResult) => string]>>;

export type Column = keyof typeof columns;

const all = Object.keys(columns) as Column[];

/** A table a case, each under its heading. */
export function caseTables(results: readonly PeerResult[], chosen: readonly Column[] = all): string {
  const cases = [...new Set(results.map(({ model, batch }) => `${model}, batch ${batch}`))];
  const tables = cases.map((name) => {
    const rows = results.filter(({ model, batch }) => `${model}, batch ${batch}` === name);
    return `## ${name}\n\n${table(rows, chosen)}`;
  });
  return tables.join("\n\n");
}

function table(rows: readonly PeerResult[], chosen: readonly Column[]): string {
  const faults = rows.flatMap(({ peer, error }) => (error === null ? [] : [`${peer}: ${escaped(error)}`]));
  const grid = markdownTable(
    chosen.map((name) => columns[name][0]),
    rows.map((row) => chosen.map((name) => columns[name][1](row))),
  );
  return [grid, ...faults].join("\n\n");
}

/** The first column to the left, the others, which are numbers, to the right. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const rule = `|${headings.map((_, i) => (i === 0 ? "---" : "--:")).join("|")}|`;
  return lines.toSpliced(1, 0, rule).join("\n");
}

const kilobytes = (bytes: number) => (bytes / 1000).toFixed(0);
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

const show = (value: number | null, format: (value: number) => string) => (value === null ? "" : format(value));

/** Three digits, or all before the point. */
export function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

const escaped = (text: string) => text.replaceAll("\n", " ").replaceAll("|", "\\|").replaceAll("<", "&lt;");
