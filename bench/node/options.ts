// The arguments of npm run bench:node, checked before a device is opened.
import { Command } from "commander";
import { comparedModels, type ComparedModel } from "../browser/cases.js";
import type { ComparisonCase } from "../browser/options.js";
import { chosen, positive, whole, wholes } from "../support/arguments.js";
import { nodePeers, webvaeHalf, type NodePeer } from "./peers.js";

export type Precision = "f32" | "f16";

export interface NodeBenchOptions {
  readonly models: readonly (readonly [string, ComparedModel])[];
  readonly batch: readonly number[] | undefined;
  readonly peers: readonly NodePeer[];
  readonly precisions: readonly Precision[];
  readonly repeats: number;
  readonly seconds: number;
  readonly limitSeconds: number;
  readonly steps: boolean;
  /** Sizes of square products; false for none, true for the adapter's default. */
  readonly products: readonly number[] | boolean;
  /** GFLOP/s. */
  readonly peak: number | undefined;
  readonly out: string | undefined;
  /** Whether nothing was left out. */
  readonly whole: boolean;
  readonly json: boolean;
}

const precisions: Readonly<Record<Precision, Precision>> = { f32: "f32", f16: "f16" };

/** On a GPU also at 128, to fill it, since the digits' models are small. */
const gpuBatches: Readonly<Record<string, readonly number[]>> = { mlp: [128], conv: [32, 128], conv64: [16, 128] };

const LONGEST_LIMIT = 600;

export function nodeBenchCommand(): Command {
  return new Command("bench:node")
    .description("Trains the same models with webvae and tfjs on WebGPU in Node, and measures large products.")
    .option("--models <names>", `some of ${Object.keys(comparedModels).join(", ")} (default: all)`, (text) =>
      chosen(text, comparedModels, "model"),
    )
    .option(
      "--batch <sizes>",
      "batch sizes, each with every model (default: those of each model)",
      wholes(1, 4096, "batch size"),
    )
    .option("--peers <names>", `some of ${Object.keys(nodePeers).join(", ")} (default: all)`, (text) =>
      chosen(text, nodePeers, "peer").map(([, peer]) => peer),
    )
    .option("--precision <names>", "f32, f16 or both (default); f16 only if the adapter has shader-f16", (text) =>
      chosen(text, precisions, "precision").map(([, precision]) => precision),
    )
    .option("--repeats <n>", "repetitions; the median is reported", whole(1, 100), 5)
    .option("--seconds <n>", "length of a repetition", positive(60), 1.5)
    .option("--limit <seconds>", "time limit per library and case", positive(LONGEST_LIMIT), 60)
    .option("--no-steps", "products only")
    .option(
      "--products <sizes>",
      "sizes of square products (default: 4096; 512 on a software adapter)",
      wholes(4, 16384, "size"),
    )
    .option("--no-products", "training steps only")
    .option("--peak <GFLOP/s>", "the device's f32 peak, to report the products' share of it", positive())
    .option("--out <folder>", "folder for the results (default: bench/results, or out if not everything is measured)")
    .option("--json", "end stdout with the results as one JSON object", false);
}

interface Parsed extends Pick<NodeBenchOptions, "repeats" | "seconds" | "steps" | "json"> {
  readonly products?: number[] | false;
  readonly models?: NodeBenchOptions["models"];
  readonly batch?: number[];
  readonly peers?: NodePeer[];
  readonly precision?: Precision[];
  readonly limit: number;
  readonly peak?: number;
  readonly out?: string;
}

export function nodeBenchOptions(command: Command): NodeBenchOptions {
  const given = command.opts<Parsed>();
  const { models, batch, peers, precision, limit, steps, repeats, seconds, peak, out, json } = given;
  // An option that takes a value and can be negated has no default value.
  const products = given.products ?? true;
  if (!steps && products === false) command.error("error: --no-steps and --no-products leave nothing to measure");
  const wanted = precision ?? (["f32", "f16"] as const);
  const known = peers ?? Object.values(nodePeers);
  return {
    models: models ?? Object.entries(comparedModels),
    batch,
    peers: known.filter((peer) => wanted.includes(peer.precision)),
    precisions: wanted,
    repeats,
    seconds,
    limitSeconds: limit,
    steps,
    products,
    peak,
    out,
    whole: [models, batch, peers, precision].every((one) => one === undefined) && steps && products === true,
    json,
  };
}

/** For the adapter that was found. */
export function casesOf({ models, batch }: NodeBenchOptions, software: boolean): ComparisonCase[] {
  return models.flatMap(([name, model]) => {
    const usual = software ? [model.batch] : (gpuBatches[name] ?? [model.batch]);
    return (batch ?? usual).map((size) => ({ name, spec: model.spec, batch: size }));
  });
}

export function sizesOf({ products }: NodeBenchOptions, software: boolean): readonly number[] {
  if (typeof products !== "boolean") return products;
  return products ? [software ? 512 : 4096] : [];
}

/** Includes half precision if the adapter has it. */
export function runnablePeers(peers: readonly NodePeer[], half: boolean): readonly NodePeer[] {
  return half ? peers : peers.filter((peer) => peer !== webvaeHalf);
}
