// `npm run test:quick`: the tests without a GPU that take seconds all together, for every few edits. What follows goes
// to vitest: `npm run test:quick -- -t beta`.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { runVitest } from "./support/vitest_process.mjs";

/** Files of test/null that are left out: each takes seconds by itself, or loads something large first. */
const SLOW = [
  ...[
    "answers",
    "bad_safetensors",
    "demo_array_files",
    "demo_load",
    "digits",
    "features",
    "gaussians",
    "idx",
    "image_twins",
  ],
  ...["limits", "pictures", "readers", "sprites", "spec", "tuner", "tuning_file", "twins"],
  // Walks, of which test/soak has longer ones.
  ...["fault_walks", "heap_walk", "option_walk"],
  // Builds, browsers, TensorFlow.js, Python, programs.
  ...[
    "bench_node",
    "bench_pytorch",
    "bundle",
    "layer_shapes",
    "node",
    "norms",
    "pack",
    "peers",
    "peers_results",
    "recorded",
  ],
  ...["shaders", "start", "wgsl_bundle"],
];

const folder = join(import.meta.dirname, "null");
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".test.ts") ? [file.slice(0, -8)] : []));
const gone = SLOW.filter((name) => !names.includes(name));
if (gone.length > 0) throw new Error(`test/quick.mjs names files that are gone: ${gone.join(", ")}`);
const files = names.filter((name) => !SLOW.includes(name)).map((name) => `test/null/${name}.test.ts`);

if (process.argv.includes("--help")) {
  console.log(`Usage: npm run test:quick -- [options of vitest, as -t TEXT for the tests with TEXT in their names]

Runs ${files.length} test files that need no GPU. Left out for their time: ${SLOW.join(", ")}.`);
  process.exit();
}

const start = join(import.meta.dirname, "../node/start.mjs");
// They leave nothing behind that another would find, so that one process may run several: half of the time.
const vitest = [
  "--exec",
  "vitest",
  "run",
  "--project",
  "together",
  "--no-isolate",
  "--silent=passed-only",
  ...process.argv.slice(2),
];
const began = performance.now();
process.on("exit", () =>
  console.error(`${files.length} files in ${((performance.now() - began) / 1000).toFixed(1)} s`),
);
runVitest(process.execPath, [start, ...vitest, ...files]);
