// A user's strict TypeScript project with the packed package, without skipLibCheck: TypeScript 5.9, 6 and 7, with
// @webgpu/types, and with only TypeScript's own WebGPU types, if any.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENTRIES } from "../../build/entries.mjs";
import { installInto } from "./packed.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "webvae-types-"));
beforeAll(async () => {
  await installInto(folder);
  mkdirSync(join(folder, "node_modules/@webgpu"));
  symlinkSync(join(root, "node_modules/@webgpu/types"), join(folder, "node_modules/@webgpu/types"), "junction");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Code that needs no WebGPU types. */
const plain = `
  import { VAE, WebvaeError, dense, models, type Dataset, type ErrorCode, type ModelSpec, type TrainingReport } from "webvae";
  import * as datasets from "webvae/datasets";
  import { nodeGpu } from "webvae/node";
  ${ENTRIES.map(({ specifier }, i) => `import * as entry${i} from "${specifier}"; void entry${i};`).join("\n")}

  const spec: ModelSpec = { input: [2], encoder: [dense(8, { activation: "relu" })], latent: 2,
    decoder: [dense(2)], likelihood: { type: "gaussian", variance: "learned" } };
  export async function train(signal: AbortSignal): Promise<TrainingReport | undefined> {
    using vae = await VAE.create(spec, { seed: 1, powerPreference: "low-power" });
    const data = datasets.fromArray(new Float32Array(20), { shape: [2] });
    let last: TrainingReport | undefined;
    for await (const report of vae.train(data, { epochs: 2, learningRate: ({ step }) => 1 / (1 + step), signal })) {
      last = report;
    }
    const bytes: Uint8Array<ArrayBuffer> = await vae.save({ trainingState: true });
    const again = await VAE.load(bytes);
    again.dispose();
    return last;
  }
  export const code = (error: unknown): ErrorCode | undefined => (error instanceof WebvaeError ? error.code : undefined);
  export const preset: ModelSpec = models["mlp-deep"]([28, 28, 1], 20);
  export const images: Promise<Dataset> = datasets.mnist({ split: "train", onProgress: (received, total) => void (received / total) });
  export const inNode = async () => VAE.create(spec, { gpu: await nodeGpu({ adapter: "gpu" }) });

  // @ts-expect-error: no such option
  void nodeGpu({ adaptor: "gpu" });
  // @ts-expect-error: the constructor is private
  new VAE();
  // @ts-expect-error: no such option
  datasets.digits({ split: "train", count: 1, seed: 0, size: 2 });
  // @ts-expect-error: an engine's member
  export const inner = (vae: VAE) => vae.buffers;
  // @ts-expect-error: an engine's module
  import type { Plan } from "webvae/dist/types/plan.js";
  // @ts-expect-error: no such activation
  dense(1, { activation: "swishy" });
`;

/** Code that uses WebGPU types. */
const webgpu = `
  import { VAE, models } from "webvae";
  export const onDevice = (device: GPUDevice) => VAE.create(models.mlp([4], 2), { device });
  export const onGpu = () => VAE.create(models.mlp([4], 2), { gpu: navigator.gpu });
  // @ts-expect-error: no device
  export const onNothing = () => VAE.create(models.mlp([4], 2), { device: 1 });
`;

const versions = { "5.9": "typescript", "6": "typescript-6", "7": "typescript-7" };

/** The compiler's errors in that version, one per line. */
function compile(version: keyof typeof versions, options: { types: string[]; texts: string[]; module?: string }) {
  const { types, texts, module = "ESNext" } = options;
  const files = texts.map((text, i) => {
    writeFileSync(join(folder, `user${i}.ts`), text);
    return `user${i}.ts`;
  });
  const compilerOptions = {
    lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    target: "ES2022",
    module,
    moduleResolution: module === "ESNext" ? "Bundler" : module,
    types,
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const tsc = join(root, "node_modules", versions[version], "bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
  });
  return { errors: stdout.split("\n").filter((line) => line.includes("error TS")), status };
}

const right = { errors: [], status: 0 };
const external = ["@webgpu/types"];

test("TypeScript 5.9, with @webgpu/types", () => {
  expect(compile("5.9", { types: external, texts: [plain, webgpu] })).toEqual(right);
});

test("TypeScript 5.9, with Node's module resolution", () => {
  expect(compile("5.9", { types: external, texts: [plain, webgpu], module: "NodeNext" })).toEqual(right);
});

test("TypeScript 5.9, which has no WebGPU types of its own", () => {
  expect(compile("5.9", { types: [], texts: [plain] })).toEqual(right);
  // A control.
  const { errors } = compile("5.9", { types: [], texts: [webgpu] });
  expect(errors.join()).toMatch(/Property 'gpu' does not exist on type 'Navigator'/);
});

describe.each(["6", "7"] as const)("TypeScript %s", (version) => {
  test("with its own WebGPU types", () => {
    expect(compile(version, { types: [], texts: [plain, webgpu] })).toEqual(right);
  });

  test("with @webgpu/types, which conflict with those: no errors in the package or the project", () => {
    const { errors } = compile(version, { types: external, texts: [plain, webgpu] });
    expect(errors.length).toBeGreaterThan(0);
    const foreign = /@webgpu\/types\/dist\/index\.d\.ts\(|\/lib\.\w+(\.\w+)*\.d\.ts\(/;
    expect(errors.filter((line) => !foreign.test(line))).toEqual([]);
  });
});
