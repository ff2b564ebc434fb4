// Data flows one way through src: a file imports only from earlier ones, and none is too long to read in one go.
import { describe, expect, it } from "vitest";
import { filesBelow, importsOf, textOf } from "../support/sources.js";

/** In the order that data passes through them; a folder stands for all its files. */
const order = [
  "errors",
  "shader_source",
  "abort",
  "life",
  "loaded",
  "reimport",
  "once",
  "within",
  "random",
  "half",
  "safetensors_header",
  "safetensors",
  "words",
  "checks",
  "options",
  "schedules",
  "tensor",
  "graph",
  "ops/",
  "layers/",
  "choices",
  "smallest_batch",
  "stored_tensors",
  "extras",
  "likelihoods/",
  "priors/",
  "conditions/",
  "objectives/",
  "log_likelihood",
  "fitting",
  "spec",
  "presets",
  "fuse",
  "gradient",
  "part",
  "parameters",
  "vae",
  "layer_texts",
  "weights",
  "slots",
  "plan",
  "shader",
  "shared_device",
  "device",
  "readback",
  "executable",
  "data/",
  "half_weights",
  "diagnosis",
  "debug",
  "products",
  "stopwatch",
  "tuning_rounds",
  "tuning_measure",
  "toolbox",
  "layers_file",
  "advice",
  "prepare",
  "progress",
  "tuning_table",
  "tuning_store",
  "tuner",
  "weights_lock",
  "scheduler",
  "scores",
  "model_buffers",
  "safe_points",
  "training_options",
  "training_steps",
  "evaluation",
  "examples",
  "sampling_plans",
  "sampler",
  "vae_options",
  "opened",
  "training_report",
  "likelihood_run",
  "training_run",
  "runs",
  "model_part",
  "named_weights",
  "saved_tensors",
  "checkpoint",
  "model_files",
  "training",
  "autoencoder",
  "index",
  "describe",
  "datasets",
  "canvas",
  "global",
].map((name) => `src/${name}`);

const layerOf = (file: string) =>
  order.findIndex((name) => (name.endsWith("/") ? file.startsWith(name) : file === `${name}.ts`));

/** Beside each other and the three that say what an op works on. */
const allowedToOps = ["src/tensor.ts", "src/graph.ts", "src/shader_source.ts"];

/** What is wrong with one import. */
function fault(file: string, imported: string): string | undefined {
  if (file === "src/canvas.ts" && imported.startsWith("shaders/canvas/")) return undefined;
  if (imported.endsWith(".wgsl")) return file.startsWith("src/ops/") ? undefined : "only ops know shaders";
  if (!imported.startsWith("src/")) return "src imports nothing from outside: it has to run in a page";
  if (layerOf(imported) < 0) return "it has no place in the order";
  if (file.startsWith("src/ops/")) {
    const allowed = imported.startsWith("src/ops/") || allowedToOps.includes(imported);
    return allowed ? undefined : "ops import only tensor, graph, shader_source and each other";
  }
  if (layerOf(imported) > layerOf(file)) return "data would flow back";
  // In a folder they may go either way.
  if (imported === file) return "data would flow in a circle";
  return undefined;
}

function faults(file: string, imports: readonly string[]): string[] {
  const found = imports.map((imported) => [imported, fault(file, imported)] as const);
  return found.flatMap(([imported, wrong]) => (wrong ? [`${file} imports ${imported}: ${wrong}`] : []));
}

const files = filesBelow("src", ".ts");

it("every file has a place in the order, and every place a file", () => {
  expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
  expect(order.filter((_, layer) => !files.some((file) => layerOf(file) === layer))).toEqual([]);
});

it("a file imports only from earlier files", () => {
  expect(files.flatMap((file) => faults(file, importsOf(file)))).toEqual([]);
});

it("there are no import cycles", () => {
  const imports = new Map(files.map((file) => [file, importsOf(file)]));
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, [...path, file].join(" -> ")).not.toContain(file);
    if (done.has(file)) return;
    for (const imported of imports.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

/** Lines that a file may have. */
const LONGEST = 300;
/** Those that have more: a table, and what is still to be split. */
const longer = ["src/data/digit_strokes.ts"];

const linesOf = (text: string) => text.trimEnd().split("\n").length;

describe(`a file has at most ${LONGEST} lines`, () => {
  const long = [...files, ...filesBelow("shaders", ".wgsl")].filter((file) => linesOf(textOf(file)) > LONGEST);
  it("in src and shaders, but for those named here", () =>
    expect(long.filter((file) => !longer.includes(file))).toEqual([]));
  it("and no file is named that has become shorter", () =>
    expect(longer.filter((file) => !long.includes(file))).toEqual([]));
  it("or would be found", () =>
    expect([LONGEST, LONGEST + 1].map((count) => linesOf("a line\n".repeat(count)) > LONGEST)).toEqual([false, true]));
});

/** The parts of src that are separate files in the bundle, loaded on demand, each with its entry first. */
const filesFile = [
  "checkpoint",
  "model_part",
  "named_weights",
  "saved_tensors",
  "safetensors",
  "safetensors_header",
].map((name) => `src/${name}.ts`);
const further = "src/ops/further.ts";
const layersFile = [
  "src/toolbox.ts",
  "src/debug.ts",
  "src/diagnosis.ts",
  "src/fitting.ts",
  "src/schedules.ts",
  ...["stopwatch", "tuning_rounds", "tuning_measure"].map((name) => `src/${name}.ts`),
  "src/layer_texts.ts",
  ...["further", "conv2d", "pool2d", "norms", "image", "keys", "words"].map((name) => `src/layers/${name}.ts`),
  ...["further", "gaussian", "laplace", "scale"].map((name) => `src/likelihoods/${name}.ts`),
  ...["further", "mixture"].map((name) => `src/priors/${name}.ts`),
  ...["further", "label", "beside"].map((name) => `src/conditions/${name}.ts`),
  ...["index", "importance"].map((name) => `src/objectives/${name}.ts`),
  ...["choices", "smallest_batch", "stored_tensors", "half_weights", "log_likelihood"].map((name) => `src/${name}.ts`),
  further,
];
layersFile.push(...importsOf(further).filter((file) => file !== "src/ops/op.ts"));

/** Errors in a file's imports of code; imports of types do not exist in the bundle. */
function codeFaults(file: string, text = textOf(file)): string[] {
  // Whole statements: `import { type A, b } from "x"` has code.
  const code = importsOf(file, text.replace(/^(import|export) type [^;]*;|\btypeof import\([^)]*\)/gm, ""));
  const dynamic = [...text.matchAll(/(?:await|=>) import\("\.\/(\w+)\.js"\)/g)].map((match) => `src/${match[1]}.ts`);
  // Entries that need it at once import its file.
  if (file === "src/describe.ts") return [];
  return [filesFile, layersFile].flatMap((onDemand) =>
    code.flatMap((imported) =>
      !onDemand.includes(imported) ||
      onDemand.includes(file) ||
      (imported === onDemand[0] && dynamic.includes(imported))
        ? []
        : [`${file} imports ${imported}, which is loaded on demand, at once`],
    ),
  );
}

it("code loaded on demand is nowhere in the core", () => {
  expect(files.flatMap((file) => codeFaults(file))).toEqual([]);
  expect(layersFile).toContain("src/ops/conv2d.ts");
  // Something must load it.
  for (const name of ["checkpoint", "toolbox"])
    expect(files.some((file) => textOf(file).includes(`() => import("./${name}.js")`))).toBe(true);
});

it.each([
  ["src/checkpoint.ts", 'import {\n  install,\n  type Schedule,\n} from "./toolbox.js";'],
  ["src/weights.ts", 'export { toTensors } from "./saved_tensors.js";'],
  ["src/vae.ts", 'import { conv2d } from "./ops/conv2d.js";'],
  ["src/prepare.ts", 'import { install } from "./toolbox.js";'],
  ["src/layers_file.ts", 'const layers = await import("./fitting.js");'],
  ["src/autoencoder.ts", 'import { readCheckpoint, type Checkpoint } from "./checkpoint.js";'],
  ["src/model_files.ts", 'import { readSafetensors } from "./safetensors.js";'],
  ["src/model_files.ts", 'const safetensors = await import("./safetensors.js");'],
])("finds planted code from the other file: %s, %s", (file, text) => expect(codeFaults(file, text)).toHaveLength(1));

it.each([
  ["src/checkpoint.ts", 'import type { Model } from "./parameters.js";\nimport { size } from "./tensor.js";'],
  [
    "src/model_files.ts",
    'import type {\n  Checkpoint,\n} from "./checkpoint.js";\ntype A = typeof import("./checkpoint.js");',
  ],
  ["src/model_files.ts", 'const files = await import("./checkpoint.js");'],
  ["src/layers_file.ts", 'const importLayers = reimporting(() => import("./toolbox.js"));'],
  ["src/layers/conv2d.ts", 'import { conv2d } from "../ops/conv2d.js";'],
  ["src/model_files.ts", 'const importFiles = reimporting(() => import("./checkpoint.js"));'],
])("types, and code when it is needed, are allowed: %s, %s", (file, text) =>
  expect(codeFaults(file, text)).toEqual([]),
);

const publicEntries = ["src/index.ts", "src/datasets.ts", "src/describe.ts"];

it("the command line, the demo and the step benchmarks use only the public API", () => {
  const inside = [...filesBelow("cli", ".ts"), ...filesBelow("demo", ".ts")].flatMap((file) =>
    importsOf(file)
      .filter((imported) => imported.startsWith("src/") && !publicEntries.includes(imported))
      .map((imported) => `${file} imports ${imported}`),
  );
  expect(inside).toEqual([]);
});

it.each([
  ["src/tensor.ts", 'import { plan } from "./plan.js";'],
  ["src/plan.ts", 'import type { Device } from "./device.js";'],
  ["src/plan.ts", 'export { Device } from "./device.js";'],
  ["src/plan.ts", 'const { Device } = await import("./device.js");'],
  ["src/ops/sum.ts", 'import { WebvaeError } from "../errors.js";'],
  ["src/spec.ts", 'import { readFileSync } from "node:fs";'],
  ["src/spec.ts", 'import x from "../test/support/sources.js";'],
  ["src/plan.ts", 'import { plan } from "./plan.js";'],
  ["src/plan.ts", 'import shader from "../shaders/sum.wgsl";'],
])("finds a planted error: %s, %s", (file, text) => expect(faults(file, importsOf(file, text))).toHaveLength(1));
