// The comparison as Markdown: a table a case, in a form that a README can take over.
import type { Comparison, PeerResult } from "./results.js";

export function comparisonMarkdown(comparison: Comparison, chart: string): string {
  const { adapter, commit, date, browser, versions, processors, repeats, limitSeconds, results } = comparison;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const cases = [...new Set(results.map(({ model, batch }) => `${model}, batch ${batch}`))];
  const tables = cases.map((name) => {
    const rows = results.filter(({ model, batch }) => `${model}, batch ${batch}` === name);
    return `## ${name}\n\n${table(rows)}`;
  });
  const details = [...new Set(results.filter(({ detail }) => detail).map(({ peer, detail }) => `${peer}: ${detail}`))];
  return `# webvae and its peers on ${adapter}

${date.slice(0, 10)}, commit ${commit}, ${libraries.join(", ")}, ${browser}, ${processors} processor cores.
Made by \`npm run bench:peers\`.

![Milliseconds a step](${chart})

${tables.join("\n\n")}

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

const headings = [
  ["", "---"],
  ["ms a step", "--:"],
  ["fastest to slowest", "--:"],
  ["x webvae", "--:"],
  ["first step, s", "--:"],
  ["kernels", "--:"],
  ["submits", "--:"],
  ["heap, MB", "--:"],
  ["GPU, MB", "--:"],
  ["bundle, KB", "--:"],
  ["losses", "--:"],
] as const;

function table(rows: readonly PeerResult[]): string {
  const lines = [
    `| ${headings.map(([name]) => name).join(" | ")} |`,
    `|${headings.map(([, rule]) => rule).join("|")}|`,
    ...rows.map((row) => `| ${cells(row).join(" | ")} |`),
  ];
  const faults = rows.flatMap(({ peer, error }) => (error === null ? [] : [`${peer}: ${escaped(error)}`]));
  return [lines.join("\n"), ...faults].join("\n\n");
}

function cells(row: PeerResult): string[] {
  const kilobytes = (bytes: number) => (bytes / 1000).toFixed(0);
  const host = row.heapBytes === null ? null : row.heapBytes + (row.hostBytes ?? 0);
  const bundle = show(row.scriptBytes, kilobytes) + (row.wasmBytes ? ` + ${kilobytes(row.wasmBytes)}` : "");
  return [
    row.peer === "webvae" ? "**webvae**" : row.peer,
    row.error === null ? show(row.medianMs, significant) : "error",
    row.fastestMs === null ? "" : `${significant(row.fastestMs)} to ${significant(row.slowestMs ?? NaN)}`,
    show(row.speedup, (value) => value.toFixed(value < 9.95 ? 2 : 1)),
    show(row.firstStepMs, (value) => (value / 1000).toFixed(1)),
    show(row.kernels, (value) => value.toFixed(0)),
    show(row.submits, (value) => String(Number(value.toPrecision(2)))),
    show(host, (value) => (value / 1e6).toFixed(1)),
    show(row.gpuBytes, (value) => (value / 1e6).toFixed(1)),
    bundle,
    row.lossDifference === null || row.peer === "webvae"
      ? ""
      : `${row.lossDifference.toExponential(0)}, ${row.comparedSteps} steps`,
  ];
}

const show = (value: number | null, format: (value: number) => string) => (value === null ? "" : format(value));

/** Three digits, or all before the point. */
export function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

const escaped = (text: string) => text.replaceAll("\n", " ").replaceAll("|", "\\|").replaceAll("<", "&lt;");
