// The comparison as Markdown: one table per case, in a form that can be copied into a README.
import type { Comparison, PeerResult } from "./results.js";

export function comparisonMarkdown(comparison: Comparison, chart: string): string {
  const { adapter, commit, date, browser, versions, processors, repeats, limitSeconds, results } = comparison;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const details = [...new Set(results.filter(({ detail }) => detail).map(({ peer, detail }) => `${peer}: ${detail}`))];
  return `# webvae and its peers on ${adapter}

${date.slice(0, 10)}, commit ${commit}, ${libraries.join(", ")}, ${browser}, ${processors} processor cores.
Made by \`npm run bench:peers\`.

![Milliseconds per step](${chart})

${caseTables(results)}

## How this was measured

- All libraries train the same model from the same weights, on the same batch, with the same noise, using Adam at 1e-3,
  each in a separate Chrome. Losses of the first steps must agree to 1e-3 of their value, else the row is an error;
  "losses" is the largest relative difference from webvae's, and the number of steps compared.
- Step time: median of up to ${repeats} interleaved repetitions, with the fastest and slowest. A library has ${limitSeconds} s per
  case; a slow one has fewer repetitions, and fewer losses are compared. "x webvae" is its median divided by webvae's in
  the same run. The first step is timed from before the library's script is fetched.
- In the peers' favour: noise, weights and data are on the device before a step begins (webvae draws its noise and
  gathers its batch in each step), log variances are not clamped, tfjs uses its fused products and nothing is read back
  from it within a repetition, jax-js has the whole step in one \`jit\` and is awaited every step or every ten, whichever
  is faster. webvae is measured through its public API, including every step's losses.
- Kernels and submits are per step, counted as WebGPU calls. Memory: the JavaScript heap after garbage collection, plus
  WebAssembly memory or tensors in arrays if there are any; on the GPU the peak, without the training images. The bundle
  is what the page fetched up to its first step: the library and the code that trains with it, minified and
  gzipped${results.some(({ wasmBytes }) => wasmBytes) ? ", and its WebAssembly" : ""}.
${details.map((line) => `- ${line}\n`).join("")}`;
}

/** Each column's heading and cell, keyed by the column's name. */
const columns = {
  peer: ["", ({ peer }) => (peer === "webvae" ? "**webvae**" : peer)],
  median: ["ms/step", ({ error, medianMs }) => (error === null ? show(medianMs, significant) : "error")],
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

/** One table per case, each under its heading. */
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

/** The first column is left-aligned; the others, which are numbers, are right-aligned. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const rule = `|${headings.map((_, i) => (i === 0 ? "---" : "--:")).join("|")}|`;
  return lines.toSpliced(1, 0, rule).join("\n");
}

const kilobytes = (bytes: number) => (bytes / 1000).toFixed(0);
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

const show = (value: number | null, format: (value: number) => string) => (value === null ? "" : format(value));

/** Three significant digits, or all digits before the point. */
export function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

const escaped = (text: string) => text.replaceAll("\n", " ").replaceAll("|", "\\|").replaceAll("<", "&lt;");
