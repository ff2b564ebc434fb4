// A conditional model with another prior and objective, through all commands.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openResumed } from "../../cli/resume.js";
import { recordOf, specOf } from "../../cli/training_file.js";
import { command } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "webvae-conditional-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const out = join(folder, "digits");
const model = join(out, "model.safetensors");
const choices = ["--condition", "label", "--prior", "mixture,components=3", "--objective", "iwae,samples=2"];
const args = ["--model", "minimal", "--latent", "2", "--limit", "200", "--batch", "64", "--epochs", "2", ...choices];
const png = (file: string) => PNG.sync.read(readFileSync(file));

interface Epoch {
  readonly epoch: number;
  readonly train: { elbo: number; kl: number; terms: Record<string, number> };
}
const metrics = () =>
  readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Epoch);

let first: Awaited<ReturnType<typeof command>>;
beforeAll(async () => {
  first = await command("train", [...args, "--out", out]);
});

test("train prints the choices, the bound, and what the pictures show", () => {
  const { code, stdout, stderr } = first;
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("prior: mixture, components 3\ncondition: label, classes 10\nobjective: iwae, samples 2\n");
  expect(stderr).toMatch(
    /epoch 2\/2: training loss [\d.]+ = reconstruction [\d.]+ \+ KL [\d.]+, bound [\d.]+; test loss/,
  );
  expect(stdout).toContain("samples.png: a row for each class, 0 to 9; each column decodes the same draw of z");
  expect(stdout).toContain("no manifold.png: it would show one class only");
  expect(existsSync(join(out, "manifold.png"))).toBe(false);
  // Ten of 28 x 28, three times as large, with gaps of 2.
  const { width, height } = png(join(out, "samples.png"));
  expect([width, height]).toEqual([862, 862]);
});

test("metrics.jsonl has the terms by name", () => {
  for (const { train } of metrics()) {
    const { bound, ...parts } = train.terms;
    expect(Object.keys(parts)).toEqual(["kl.posterior", "kl.prior"]);
    // Both are means over the same examples, although the last batch is smaller.
    expect(parts["kl.posterior"]! + parts["kl.prior"]!).toBeCloseTo(train.kl, 3);
    expect(bound).toBeLessThan(-train.elbo);
  }
});

test("--resume keeps the choices, and refuses others", async () => {
  const file = join(out, "checkpoint.safetensors");
  const bytes = readFileSync(file);
  expect(recordOf(file, bytes).settings.objective).toEqual({ type: "iwae", samples: 2 });
  expect(specOf(file, bytes)).toMatchObject({
    prior: { type: "mixture", components: 3 },
    condition: { type: "label", classes: 10 },
  });
  const given = { epochs: 2, lr: 1e-3, beta: 1, out, prior: "normal", objective: "elbo", condition: "label" };
  const resumed = (...names: string[]) => openResumed(out, given, (name) => names.includes(name));
  await expect(resumed("prior")).rejects.toThrow("--prior normal contradicts the run in");
  await expect(resumed("objective")).rejects.toThrow("--objective elbo contradicts the run in");
  expect((await resumed("condition")).options.objective).toEqual({ type: "iwae", samples: 2 });

  const { code, stdout, stderr } = await command("train", ["--resume", out, ...choices, "--epochs", "3"]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/objective: iwae, samples 2[^]*continuing after 8 steps, 2 of 3 epochs/);
  expect(metrics().map(({ epoch, train }) => [epoch, "bound" in train.terms])).toEqual([
    [1, true],
    [2, true],
    [3, true],
  ]);
});

test("sample draws one class, or a row for each", async () => {
  const picture = join(folder, "samples.png");
  const sampled = async (...more: string[]) => {
    const { code, stdout, stderr } = await command("sample", ["--model", model, "--out", picture, ...more]);
    expect(code, stderr).toBe(0);
    const { width, height, data } = png(picture);
    return { text: stdout.trim().split("\n").at(-1)!, width, height, data };
  };
  const all = await sampled("--count", "3");
  expect(all.text).toMatch(/^3 samples of each class, 0 to 9, a row for each class, written to/);
  expect([all.width, all.height]).toEqual([2 + 3 * 86, 2 + 10 * 86]);
  const same = await sampled("--condition", "all", "--count", "3");
  expect(same.data.equals(all.data)).toBe(true);
  const one = await sampled("--condition", "4", "--count", "3", "--columns", "3");
  expect(one.text).toMatch(/^3 samples of class 4 written to/);
  // Without another seed, it is the grid's row of that class.
  const row = 4 * one.width * 86;
  expect(all.data.subarray(4 * row, 5 * row).equals(one.data.subarray(0, row))).toBe(true);

  const refused = await command("sample", ["--model", model, "--condition", "10", "--out", picture]);
  expect(refused.stderr).toContain("condition must be a class from 0 to 9");
  expect(refused.code).toBe(1);
});

test("evaluate estimates log p(x) with the data's labels", async () => {
  const data = ["--model", model, "--limit", "20", "--log-likelihood", "60"];
  const { code, stdout, stderr } = await command("evaluate", [...data, "--json"]);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/log p\(x\) −[\d.]+, standard error [\d.]+ nats per example; median effective sample size/);
  const found = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
    test: { elbo: number };
    logLikelihood: { mean: number; standardError: number; samples: number; medianEffectiveSamples: number };
  };
  const { mean, standardError, samples, medianEffectiveSamples } = found.logLikelihood;
  expect(mean).toBeGreaterThan(found.test.elbo);
  expect(standardError).toBeGreaterThan(0);
  expect(samples).toBe(60);
  expect(medianEffectiveSamples).toBeGreaterThanOrEqual(1);
  expect(medianEffectiveSamples).toBeLessThanOrEqual(60);
});
