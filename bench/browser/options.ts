// The arguments of npm run bench:peers, checked before anything is started.
import { Command, InvalidArgumentError } from "commander";
import { chosen, whole, wholes } from "../support/arguments.js";
import { comparedModels, type ComparedModel } from "./cases.js";
import { knownPeers, type KnownPeer } from "./peers.js";

export interface ComparisonCase extends ComparedModel {
  readonly name: string;
}

export interface ComparisonOptions {
  readonly cases: readonly ComparisonCase[];
  readonly peers: readonly KnownPeer[];
  readonly repeats: number;
  readonly limitSeconds: number;
  readonly headful: boolean;
  readonly adapter: "swiftshader" | "default" | undefined;
  readonly out: string | undefined;
  /** Every model at its default batch size, with every peer. */
  readonly whole: boolean;
  readonly json: boolean;
}

function adapterOf(text: string): "swiftshader" | "default" {
  if (text === "swiftshader" || text === "default") return text;
  throw new InvalidArgumentError(`There is no adapter "${text}"; the choices are swiftshader and default.`);
}

/** A call to the page takes at most twice this, and puppeteer waits 180 seconds. */
const LONGEST_LIMIT = 85;

export function comparisonCommand(): Command {
  const peers = Object.fromEntries(knownPeers.map((peer) => [peer.name, peer]));
  return new Command("bench:peers")
    .description("Trains the same models with webvae, tfjs and jax-js in headless Chrome, and compares their speed.")
    .option("--models <names>", `some of ${Object.keys(comparedModels).join(", ")} (default: all)`, (text) =>
      chosen(text, comparedModels, "model"),
    )
    .option(
      "--batch <sizes>",
      "batch sizes, each with every model (default: one for each model)",
      wholes(1, 4096, "batch size"),
    )
    .option("--peers <names>", `some of ${Object.keys(peers).join(", ")} (default: all)`, (text) =>
      chosen(text, peers, "peer").map(([, peer]) => peer),
    )
    .option("--repeats <n>", "repetitions; the median is reported", whole(1, 100), 5)
    .option("--limit <seconds>", "time limit per library and case", whole(5, LONGEST_LIMIT), 60)
    .option("--headful", "use a visible browser, which some GPUs need", false)
    .option("--adapter <name>", "swiftshader, or default: the GPU if there is one", adapterOf)
    .option("--out <folder>", "folder for the results (default: bench/results, or out if not everything is compared)")
    .option("--json", "end stdout with the results as one JSON object", false);
}

export function comparisonOptions(command: Command): ComparisonOptions {
  const {
    models = Object.entries(comparedModels),
    peers = knownPeers,
    batch,
    limit,
    adapter,
    out,
    ...rest
  } = command.opts<{
    models?: [string, ComparedModel][];
    batch?: number[];
    peers?: readonly KnownPeer[];
    repeats: number;
    limit: number;
    headful: boolean;
    adapter?: "swiftshader" | "default";
    out?: string;
    json: boolean;
  }>();
  const cases = models.flatMap(([name, model]) =>
    (batch ?? [model.batch]).map((size) => ({ name, spec: model.spec, batch: size })),
  );
  const every = models.length === Object.keys(comparedModels).length && peers.length === knownPeers.length;
  return { ...rest, cases, peers, limitSeconds: limit, adapter, out, whole: every && batch === undefined };
}
