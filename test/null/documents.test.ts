// What the documents promise of the source: every option of every public call is there, links lead somewhere, and the
// map names files that exist.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesBelow } from "../support/sources.js";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Properties of each exported interface of src/, with those that it inherits. */
function interfaces(): Map<string, Set<string>> {
  const own = new Map<string, { readonly above: readonly string[]; readonly body: string }>();
  for (const file of filesBelow("src", ".ts")) {
    for (const [, name = "", above = "", body = ""] of read(file).matchAll(
      /^export interface (\w+)(?: extends ([\w, ]+))? \{\n([\s\S]*?)^\}/gm,
    )) {
      own.set(name, { above: above.split(",").map((one) => one.trim()), body });
    }
  }
  const keysOf = (name: string): string[] => {
    const { above, body } = own.get(name) ?? { above: [], body: "" };
    // Two spaces: none of an object within.
    const keys = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, key = ""]) => key);
    return [...above.flatMap(keysOf), ...keys];
  };
  return new Map([...own.keys()].map((name) => [name, new Set(keysOf(name))]));
}

/** Where each interface's keys are listed: a file, and the heading of a section with a table. */
const places: Readonly<Record<string, readonly (readonly [file: string, heading: string])[]>> = {
  VAEOptions: [["calls.md", "VAE.create"]],
  TrainingOptions: [["calls.md", "vae.train"]],
  TrainingReport: [["calls.md", "vae.train"]],
  SchedulePoint: [["calls.md", "vae.train"]],
  EvaluationOptions: [["calls.md", "vae.elbo"]],
  Terms: [["calls.md", "vae.elbo"]],
  Scores: [["calls.md", "vae.elbo"]],
  LogLikelihood: [["calls.md", "vae.logLikelihood"]],
  ImportanceObjective: [["calls.md", "Importance weighting"]],
  CallOptions: [["calls.md", "vae.encode"]],
  SampleOptions: [["calls.md", "vae.sample"]],
  NamedWeights: [["calls.md", "vae.weights"]],
  SaveOptions: [["calls.md", "vae.save"]],
  ReconstructOptions: [["calls.md", "vae.encode"]],
  Encoded: [["calls.md", "vae.encode"]],
  IntoBuffer: [
    ["calls.md", "vae.sample"],
    ["calls.md", "vae.encode"],
  ],
  MemoryReport: [["calls.md", "The rest of it"]],
  SchedulerCounts: [["calls.md", "The rest of it"]],
  AdapterOptions: [["calls.md", "isSupported"]],
  Support: [["calls.md", "isSupported"]],
  ModelDescription: [["calls.md", "describe"]],
  LayerDescription: [["calls.md", "describe"]],
  DrawOptions: [["calls.md", "ImagePainter"]],
  BufferRows: [["calls.md", "Buffers"]],
  TuningStore: [["calls.md", "Tuning"]],
  Dataset: [["data.md", "# Data"]],
  FromArrayOptions: [["data.md", "fromArray"]],
  FromImageDataOptions: [["data.md", "fromImageData"]],
  FromNpyOptions: [["data.md", "fromNpy"]],
  StandardiseOptions: [["data.md", "standardise"]],
  Standardised: [["data.md", "standardise"]],
  GaussiansOptions: [["data.md", "digits"]],
  MnistOptions: [["data.md", "mnist"]],
  ModelSpec: [["models.md", "# Models"]],
  DenseLayer: [["models.md", "Layers"]],
  Conv2dLayer: [["models.md", "Layers"]],
  ConvTranspose2dLayer: [["models.md", "Layers"]],
  Pool2dLayer: [["models.md", "Layers"]],
  Upsample2dLayer: [["models.md", "Layers"]],
  BatchNormLayer: [["models.md", "Layers"]],
  GroupNormLayer: [["models.md", "Layers"]],
  DropoutLayer: [["models.md", "Layers"]],
  ResidualLayer: [["models.md", "Layers"]],
  ReshapeLayer: [["models.md", "Layers"]],
  BernoulliLikelihood: [["models.md", "# Models"]],
  MixturePrior: [["models.md", "# Models"]],
  LabelCondition: [["models.md", "# Models"]],
  GaussianLikelihood: [["models.md", "# Models"]],
  LaplaceLikelihood: [["models.md", "# Models"]],
};
/** Exported interfaces that are no call's options or results by themselves. */
const elsewhere = ["FlattenLayer", "GeneratedOptions", "Pixels", "Standard"];

/** From the heading that has this text to the next one. */
function section(file: string, heading: string): string {
  const parts = read(`docs/${file}`).split(/^(?=#)/m);
  const found = parts.filter((part) => part.split("\n")[0]!.includes(heading));
  expect([heading, found.length]).toEqual([heading, 1]);
  return found[0]!;
}

const all = interfaces();

describe("every key of a public interface is in its section", () => {
  const cases = Object.entries(places).flatMap(([name, where]) =>
    where.map(([file, heading]) => [name, file, heading]),
  );
  test.each(cases as [string, string, string][])("%s: %s, %s", (name, file, heading) => {
    const text = section(file, heading);
    const keys = [...(all.get(name) ?? [])];
    expect(keys.length).toBeGreaterThan(0);
    // As code, alone or within a longer piece of it.
    const code = text.match(/```[\s\S]*?```|`[^`]+`/g)?.join(" ") ?? "";
    expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(code))).toEqual([]);
  });
});

test("every interface that an entry exports is documented so, or is listed as one that is not", () => {
  const entries = ["src/index.ts", "src/datasets.ts", "src/describe.ts", "src/canvas.ts"].map(read).join("\n");
  const named = [...entries.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = ""]) => list.split(","));
  const declared = [...entries.matchAll(/^export interface (\w+)/gm)].map(([, name = ""]) => name);
  const exported = [...named.map((name) => name.trim()), ...declared].filter((name) => all.has(name));
  const known = [...Object.keys(places), ...elsewhere];
  expect(exported.filter((name) => !known.includes(name))).toEqual([]);
  expect(known.filter((name) => !exported.includes(name))).toEqual([]);
});

test("every error's code is in the list", () => {
  const codes = [...read("src/errors.ts").matchAll(/^\s*\| "([A-Z_]+)"/gm)].map(([, code = ""]) => code);
  expect(codes.length).toBeGreaterThan(10);
  const text = section("calls.md", "Errors");
  expect(codes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});

const documents = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "src/README.md", "bench/README.md"],
  ...["examples/README.md", "explorer/README.md"],
  ...["docs", "docs/decisions"].flatMap((folder) =>
    readdirSync(join(root, folder)).flatMap((name) => (name.endsWith(".md") ? [`${folder}/${name}`] : [])),
  ),
];

/** As a site makes it of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .trim()
    .replace(/\s/g, "-");

test.each(documents)("%s: its links lead to files and headings that exist", (file) => {
  const links = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = ""]) => to);
  const broken = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = "", heading] = link.split("#");
    const target = path ? join(dirname(file), path) : file;
    if (!existsSync(join(root, target))) return true;
    if (heading === undefined) return false;
    return ![...read(target).matchAll(/^#+ (.*)$/gm)].some(([, text = ""]) => anchor(text) === heading);
  });
  expect(broken).toEqual([]);
});

test("src/README.md names files that exist, and is short enough to be a map", () => {
  const text = read("src/README.md");
  const names = [...text.matchAll(/\*\*([\w/]+\.ts)\*\*/g)].map(([, name = ""]) => `src/${name}`);
  const paths = [...text.matchAll(/`((?:src|shaders|test|build|node|bench)\/[\w./]+\.\w+)`/g)].map(
    ([, path = ""]) => path,
  );
  expect(names.length).toBeGreaterThan(40);
  expect([...names, ...paths].filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(text.split("\n").length).toBeLessThanOrEqual(150);
});

test("CONTRIBUTING.md names files that exist", () => {
  const text = read("CONTRIBUTING.md").replace(/```[\s\S]*?```/g, "");
  const paths = [...text.matchAll(/\b((?:src|shaders|test|build|node|bench|cli|demo|examples)\/[\w./]+\.\w+)/g)];
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.map(([, path = ""]) => path).filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
