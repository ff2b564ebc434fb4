// The parts of bench/pytorch that need no torch: its models, which must be the library's, padding, arguments and
// errors.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { comparedModels } from "../../bench/browser/cases.js";
import { modelSteps, type LayerJson } from "../../bench/browser/layers.js";
import { casesOf, nodeBenchCommand, nodeBenchOptions } from "../../bench/node/options.js";

const folder = resolve(import.meta.dirname, "../../bench/pytorch");
const temporary = mkdtempSync(join(tmpdir(), "webvae-pytorch-"));
afterAll(() => rmSync(temporary, { recursive: true }));
const PYTHON = "python3";
const installed = spawnSync(PYTHON, ["--version"]).status === 0;

/** What an expression of Python gives after `statements`, as JSON, with bench/pytorch's modules at hand. */
function evaluate(expression: string, statements = ""): unknown {
  const text = `import json, sys; sys.path.insert(0, ${JSON.stringify(folder)}); import models, options, step
${statements}
print(json.dumps(${expression}, default=str))`;
  return JSON.parse(execFileSync(PYTHON, ["-B", "-c", text], { encoding: "utf8" }));
}

const run = (given: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(PYTHON, ["-B", join(folder, "step.py"), ...given], { encoding: "utf8", env: { ...process.env, ...env } });

/** A layer in the form that both languages share, without default values. */
function plain({ type, units, shape, filters, kernel, stride, activation }: LayerJson): object {
  const given = { type, units, shape, filters, kernel, stride: stride === 1 ? undefined : stride };
  const named = { ...given, activation: activation === "none" ? undefined : activation };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined && value !== null));
}

describe.skipIf(!installed)("bench/pytorch", () => {
  it("trains the same models as the other benchmarks", () => {
    const specs = evaluate("models.SPECS") as Record<string, (typeof comparedModels)[string]["spec"]>;
    expect(Object.keys(specs)).toEqual(Object.keys(comparedModels));
    for (const [name, { spec }] of Object.entries(comparedModels)) {
      expect(specs[name]).toMatchObject({ input: spec.input, latent: spec.latent });
      expect(specs[name]!.encoder.map(plain)).toEqual(spec.encoder.map(plain));
      expect(specs[name]!.decoder.map(plain)).toEqual(spec.decoder.map(plain));
    }
  });

  it("uses bench:node's batch sizes on a GPU", () => {
    const options = nodeBenchOptions(nodeBenchCommand().parse([], { from: "user" }));
    const cases = casesOf(options, false).map(({ name, batch }) => [name, batch]);
    expect(evaluate("options.arguments([]).cases")).toEqual(cases);
  });

  it("pads like TensorFlow", () => {
    for (const { spec } of Object.values(comparedModels)) {
      const { encoder, decoder } = modelSteps(spec);
      for (const step of [...encoder, ...decoder]) {
        if (step.kind === "dense" || step.kind === "reshape") continue;
        const [large, small] = step.kind === "conv2d" ? [step.from, step.to] : [step.to, step.from];
        const [top, bottom, left, right] = step.padding;
        const side = (axis: 0 | 1) =>
          `models.same_padding(${large[axis]}, ${small[axis]}, ${step.kernel[axis]}, ${step.stride[axis]})`;
        expect(evaluate(`[${side(0)}, ${side(1)}]`)).toEqual([
          [top, bottom],
          [left, right],
        ]);
      }
    }
  });

  it("can measure a part, which does not replace complete results", () => {
    const asked = (...given: string[]) => evaluate(`vars(options.arguments(${JSON.stringify(given)}))`);
    expect(asked()).toMatchObject({ whole: true, repeats: 5, device: "cuda" });
    expect((asked() as { variants: string[][] }).variants).toEqual([
      ...["eager", "graph", "compiled"].map((way) => [way, "f32"]),
      ...["eager", "graph", "compiled"].map((way) => [way, "tf32"]),
    ]);
    expect(asked("--models", "conv,mlp", "--batch", "8, 16")).toMatchObject({
      whole: false,
      cases: [
        ["conv", 8],
        ["conv", 16],
        ["mlp", 8],
        ["mlp", 16],
      ],
    });
    expect(asked("--device", "cpu")).toMatchObject({
      whole: false,
      variants: [
        ["eager", "f32"],
        ["compiled", "f32"],
      ],
    });
    expect(asked("--fused")).toMatchObject({ whole: false });
  });

  it.each<[string[], RegExp]>([
    [["--models", "gan"], /no model "gan"; the choices are mlp, conv, conv64/],
    [["--batch", "0"], /whole number from 1 to 4096/],
    [["--batch", "8,"], /whole number/],
    [["--ways", "jit"], /no way "jit"; the choices are eager, graph, compiled/],
    [["--seconds", "-1"], /above 0/],
    [["--device", "cpu", "--precision", "tf32"], /neither CUDA graphs nor TF32/],
  ])("rejects %j", (given, message) => {
    const { status, stderr } = run(given);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("says in one line that torch is missing", () => {
    writeFileSync(join(temporary, "torch.py"), 'raise ImportError("none here")\n');
    const { status, stderr } = run(["--device", "cpu"], { PYTHONPATH: temporary });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^PyTorch is not installed for .*: none here\n$/);
  });

  it("stores rows with bench:node's keys, and how many times faster webvae is", () => {
    const file = join(temporary, "node.json");
    const stored = { model: "mlp", batch: 128, peer: "webvae", medianMs: 2 };
    writeFileSync(file, JSON.stringify({ results: [stored, { ...stored, peer: "webvae-f16", medianMs: 1 }] }));
    const statements = `
measured, failed = [step.Variant(None, None, "mlp", 128, "eager", "tf32") for _ in range(2)]
measured.times = [6, 4, 9]
failed.times, failed.error = [1], "broken"
webvae = step.webvae_times(step.Path(${JSON.stringify(file)}))`;
    const [row, failed] = evaluate("[measured.row(webvae), failed.row({})]", statements) as Record<string, unknown>[];
    const keys = ["model", "batch", "peer", "medianMs", "spreadMs", "firstStepMs", "kernels", "submits", "speedup"];
    expect(Object.keys(row!)).toEqual(expect.arrayContaining([...keys, "error"]));
    expect(row).toMatchObject({ peer: "pytorch-eager-tf32", medianMs: 6, spreadMs: 5, speedup: 3, repetitions: 3 });
    expect(failed).toMatchObject({ medianMs: null, spreadMs: null, fastestMs: null, speedup: null, error: "broken" });
  });
});
