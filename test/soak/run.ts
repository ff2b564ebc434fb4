// npm run soak [-- names] [--every n]: the long walks, of which the tests run samples. Counts are stored by walk in
// bench/results/soak-ADAPTER.json; errors are printed, and set the exit status to 1.
import { Command } from "commander";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { commit, slug } from "../../bench/support/report.js";
import { adapterName, openGpu } from "../../node/gpu.js";
import { walkCrashes } from "./crashes.js";
import { faultWalks } from "./faults.js";
import { heapKinds, walkHeap, walkLives } from "./heap.js";
import { walkOptions } from "./options.js";
import { readerNames, walkReader } from "./readers.js";
import { walkSaves } from "./saves.js";

/** Counts, and lists of findings. */
type Result = { readonly name: string; readonly runs: number };

interface Size {
  /** Runs one in this many cases of the whole walk. */
  readonly every: number;
  readonly seed: number;
}

const share = (whole: number, every: number) => Math.max(1, Math.round(whole / every));

const walks: Readonly<Record<string, (size: Size) => AsyncGenerator<Result>>> = {
  async *faults(size) {
    for (const walk of faultWalks) yield walk(size);
  },
  async *readers({ every, seed }) {
    for (const name of readerNames) yield walkReader(name, { count: share(10_000, every), seed });
  },
  async *options({ every, seed }) {
    yield walkOptions({ count: share(10_000, every), every, seed });
  },
  async *heap({ every }) {
    // Steps take a fifth of a millisecond, so it takes many to distinguish them from the engine's own work.
    const times = (kind: string) => (kind === "train, steps of one run" ? 50_000 : 10_000);
    for (const kind of heapKinds) yield judged(walkHeap(kind, share(times(kind), every)));
    yield judged(walkLives(share(1000, every)));
  },
  async *saves({ every, seed }) {
    yield walkSaves({ count: share(200, every), seed });
  },
  async *crashes({ every, seed }) {
    yield walkCrashes({ count: share(100, every), seed });
  },
};

/** Bytes of the heap that a call may leave. */
const MOST_BYTES = 20;

async function judged(walk: ReturnType<typeof walkHeap>) {
  const result = await walk;
  const { name, bytes, arrayBytes, buffers } = result;
  const grows = bytes >= MOST_BYTES || arrayBytes >= MOST_BYTES || buffers > 0;
  const round = (value: number) => Math.round(10 * value) / 10;
  const counts = { ...result, bytes: round(bytes), arrayBytes: round(arrayBytes) };
  return { ...counts, grows: grows ? [`${name}: ${bytes} bytes, ${arrayBytes} in arrays, ${buffers} buffers`] : [] };
}

const program = new Command("soak")
  .description(`Walks over faults, files, options, checkpoints, heap and crashes: ${Object.keys(walks).join(", ")}.`)
  .argument("[names...]", "walks; default: all")
  .option("--every <n>", "of each walk one in so many cases", Number, 1)
  .option("--seed <n>", "which of them, and what is drawn", Number, 1)
  .option("--out <file>", "JSON file (default: bench/results/soak-<adapter>.json)");
program.parse();
const { every, seed, out } = program.opts<{ every: number; seed: number; out?: string }>();
const names = program.args.length > 0 ? program.args : Object.keys(walks);
const unknown = names.filter((name) => !Object.hasOwn(walks, name));
if (unknown.length > 0)
  program.error(`no such walk: ${unknown.join(", ")}; there are ${Object.keys(walks).join(", ")}`);

const adapter = adapterName((await (await openGpu()).requestAdapter())!);
const file = out ?? fileURLToPath(new URL(`../../bench/results/soak-${slug(adapter)}.json`, import.meta.url));
let found = 0;
for (const name of names) {
  const began = performance.now();
  const results: object[] = [];
  for await (const result of walks[name]!({ every, seed })) {
    const counts = Object.fromEntries(
      Object.entries(result).map(([key, value]: [string, unknown]) => [
        key,
        Array.isArray(value) ? value.length : value,
      ]),
    );
    results.push(counts);
    console.log(`${name}: ${JSON.stringify(counts)}`);
    for (const [key, list] of Object.entries(result) as [string, unknown][]) {
      if (!Array.isArray(list)) continue;
      found += list.length;
      for (const one of list) console.log(`  ${key}: ${one}`);
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  // Stored after each walk, because the whole takes an hour or more.
  const before = existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as { walks?: object }) : {};
  const walk = {
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    every,
    seed,
    seconds,
    results,
  };
  const text = JSON.stringify({ adapter, walks: { ...before.walks, [name]: walk } }, null, 2);
  await writeFile(file, `${text}\n`);
}
console.log(found === 0 ? `nothing was found; ${file}` : `${found} things were found; ${file}`);
// Open devices would keep the process alive.
process.exit(found === 0 ? 0 : 1);
