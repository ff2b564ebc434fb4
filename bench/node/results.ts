// The stored results of bench:node, and their Markdown.
import { caseTables, markdownTable, significant } from "../browser/markdown.js";
import type { PeerResult } from "../browser/results.js";
import { summaryRows } from "../browser/summary.js";
import type { ProductResult } from "./products.js";

export interface NodeReport {
  readonly adapter: string;
  readonly software: boolean;
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly processors: number;
  readonly repeats: number;
  readonly seconds: number;
  readonly limitSeconds: number;
  /** The peak in GFLOP/s that the products' shares refer to. */
  readonly peak: number | null;
  readonly results: readonly PeerResult[];
  readonly products: readonly ProductResult[];
}

/** For scripts; the stored file has more. */
export function nodeSummary({ adapter, commit, results, products }: NodeReport) {
  return { adapter, commit, results: summaryRows(results), products };
}

export function productLine({ op, size, precision, schedule, ...rest }: ProductResult): string {
  const label = `${op.padEnd(19)} ${size} cubed, ${precision}, ${schedule.padEnd(9)}`;
  if (rest.medianMs === null) return `${label} ${rest.error}`;
  const share = rest.share === null ? "" : `, ${percent(rest.share)} of the peak`;
  return `${label} ${significant(rest.medianMs).padStart(7)} ms, ${significant(rest.gflops ?? NaN)} GFLOP/s${share}`;
}

export function nodeMarkdown(report: NodeReport): string {
  const { adapter, commit, date, node, versions, processors, repeats, seconds, limitSeconds, results } = report;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const steps = caseTables(results, ["peer", "median", "range", "speedup", "first", "kernels", "submits", "losses"]);
  const parts = [
    `# webvae and tfjs in Node on ${adapter}

${date.slice(0, 10)}, commit ${commit}, ${libraries.join(", ")}, Node ${node}, ${processors} processor cores.
Made by \`npm run bench:node\`.`,
    steps,
    products(report),
    `## How this was measured

- All libraries train the same model from the same weights, on the same batch, with the same noise, using Adam at 1e-3, in
  one process and on Dawn's adapter. Losses of the first steps must agree to 1e-3 of webvae's in f32 (1e-2 for f16), else
  the row is an error.
- Step time: median of up to ${repeats} interleaved repetitions of ${seconds} s. A library has ${limitSeconds} s per case. The first step is
  timed from when the library is loaded, including device, weights, pipelines, tuning and data.
- In tfjs's favour: noise, weights and data are on the device before a step begins, log variances are not clamped, its
  products are fused, and it is awaited only every 50 steps. webvae is measured through its public API, including losses.
- Products are measured separately, by GPU timestamps if available; dx, dW and db in one dispatch count as two products.
`,
  ];
  return parts.filter(Boolean).join("\n\n");
}

function products({ products, peak }: NodeReport): string {
  if (products.length === 0) return "";
  const told = peak === null ? "" : `\n\nThe peak is ${significant(peak)} GFLOP/s, as given by \`--peak\`.`;
  const headings = ["product", "precision", "schedule", "ms", "GFLOP/s", ...(peak === null ? [] : ["of the peak"])];
  const rows = products.map((one) => [
    `${one.op}, ${one.size} cubed`,
    one.precision,
    one.schedule,
    one.medianMs === null ? "error" : significant(one.medianMs),
    one.gflops === null ? "" : significant(one.gflops),
    ...(peak === null ? [] : [one.share === null ? "" : percent(one.share)]),
  ]);
  const faults = products.flatMap(({ op, precision, schedule, error }) =>
    error === null ? [] : [`${op}, ${precision}, ${schedule}: ${error.replaceAll("\n", " ")}`],
  );
  return [`## Products${told}`, markdownTable(headings, rows), ...faults].join("\n\n");
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
