// The commands as a user runs them: what they write, and whether the next command can use it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, describe, expect, test } from "vitest";
import { modelSpec } from "../../cli/options.js";
import { sprites } from "../../src/data/sprites.js";
import { asFloat32, readSafetensors } from "../../src/safetensors.js";
import { command } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "webvae-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const png = (file: string) => PNG.sync.read(readFileSync(file));

describe("train", () => {
  test("writes every file, and lists them in its JSON", async () => {
    const out = join(folder, "digits");
    const args = ["--limit", "256", "--epochs", "2", "--batch", "64", "--latent", "2", "--seed", "7", "--out", out];
    const { code, stdout, stderr } = await command("train", [...args, "--json"]);
    expect(stderr).toMatch(/adapter: \S+/);
    expect(code).toBe(0);
    const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual([
      "adapter",
      "software",
      "model",
      "epochs",
      "steps",
      "seconds",
      "stepsPerSecond",
      "test",
      "files",
    ]);
    expect(result).toMatchObject({ model: "mlp", epochs: 2, steps: 8 });
    const names = [
      "model.safetensors",
      "checkpoint.safetensors",
      "metrics.jsonl",
      "samples.png",
      "reconstructions.png",
      "manifold.png",
    ];
    const expected = [...names, "latent.png", "loss.svg"].map((name) => join(out, name));
    expect([...(result.files as string[])].sort()).toEqual([...expected].sort());
    for (const file of expected) expect(existsSync(file), file).toBe(true);

    const metrics = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
    const lines = metrics.map((line) => JSON.parse(line) as Record<string, Record<string, number>>);
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2]);
    for (const { train, test, seconds, stepsPerSecond } of lines) {
      for (const terms of [train!, test!]) {
        expect(terms.elbo).toBeLessThan(0);
        expect(terms.elbo! + terms.reconstruction! + terms.kl!).toBeCloseTo(0, 6);
      }
      const each = test!.kl_per_latent as unknown as number[];
      expect(each).toHaveLength(2);
      expect(each[0]! + each[1]!).toBeCloseTo(test!.kl!, 4);
      expect(seconds).toBeGreaterThan(0);
      expect(stepsPerSecond).toBeGreaterThan(0);
    }
    expect(result.test).toEqual(lines[1]!.test);

    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(join(out, "model.safetensors"))));
    expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
      "encoder.0.weight": [784, 400],
      "encoder.0.bias": [400],
      "mean.weight": [400, 2],
      "mean.bias": [2],
      "log_variance.weight": [400, 2],
      "log_variance.bias": [2],
      "decoder.0.weight": [2, 400],
      "decoder.0.bias": [400],
      "decoder.1.weight": [400, 784],
      "decoder.1.bias": [784],
    });
    expect(JSON.parse(metadata.get("model_spec")!)).toMatchObject({ input: [28, 28, 1], latent: 2 });
    expect(png(join(out, "samples.png")).width).toBeGreaterThan(400);
    expect(png(join(out, "manifold.png")).width).toBe(png(join(out, "manifold.png")).height);

    const model = join(out, "model.safetensors");
    const evaluated = await command("evaluate", ["--model", model, "--data", "digits", "--seed", "7", "--json"]);
    const again = JSON.parse(evaluated.stdout.trim().split("\n").at(-1)!) as { test: object };
    expect(again.test).toEqual(result.test);
    const picture = join(folder, "nine.png");
    const sampled = await command("sample", ["--model", model, "--count", "9", "--out", picture]);
    expect(sampled.code).toBe(0);
    const { width, height } = png(picture);
    expect(width).toBe(height);
    const refused = await command("sample", ["--model", model, "--condition", "1", "--out", picture]);
    expect(refused.stderr).toMatch(/error \(INVALID_OPTION\): --condition 1: .* is not a conditional model/);
    expect(refused.code).toBe(1);
  });

  test("points in the plane, a spec from a file, and another likelihood", async () => {
    const spec = join(folder, "spec.json");
    const layers = [{ type: "dense", units: 8, activation: "silu" }];
    const likelihood = { type: "gaussian", variance: "learned" };
    const decoder = [...layers, { type: "dense", units: 2 }];
    writeFileSync(spec, JSON.stringify({ input: [2], encoder: layers, latent: 2, decoder, likelihood }));
    const out = join(folder, "points");
    const args = ["--data", "gaussians", "--model", spec, "--split", "all", "--limit", "11000", "--epochs", "1"];
    const other = ["--likelihood", "laplace,scale=learned"];
    const { code, stderr, stdout } = await command("train", [...args, ...other, "--out", out]);
    // More than the training set has.
    expect(stdout).toMatch(/11000 training and 2000 test examples[^]*training includes the test examples/);
    expect(stderr).toContain("epoch 1/1");
    expect(stdout).toContain("samples.png");
    expect(code).toBe(0);
    for (const file of ["samples.png", "reconstructions.png", "latent.png", "manifold.png", "loss.svg"]) {
      expect(existsSync(join(out, file)), file).toBe(true);
    }
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(join(out, "model.safetensors"))));
    expect(JSON.parse(metadata.get("model_spec")!)).toMatchObject({
      likelihood: { type: "laplace", scale: "learned" },
    });
    expect([...tensors.keys()]).toContain("log_scale");
  });

  test("colour images, convolutions from a file, then sample and evaluate with the model", async () => {
    const spec = join(folder, "sprites.json");
    const silu = { activation: "silu" };
    const encoder = [
      { type: "conv2d", filters: 8, kernel: 4, stride: 4, padding: "valid" },
      { type: "group_norm", groups: 2, ...silu },
      { type: "residual", layers: [{ type: "conv2d", filters: 8, kernel: 3 }, { type: "batch_norm" }], ...silu },
      { type: "max_pool2d", window: 2 },
      { type: "dropout", rate: 0.1 },
    ];
    const decoder = [
      { type: "dense", units: 512, ...silu },
      { type: "reshape", shape: [8, 8, 8] },
      { type: "upsample2d", factor: 2, mode: "bilinear" },
      { type: "conv_transpose2d", filters: 3, kernel: [4, 4], stride: 4 },
    ];
    const input = [64, 64, 3];
    writeFileSync(spec, JSON.stringify({ input, encoder, latent: 3, decoder, likelihood: "bernoulli" }));
    const out = join(folder, "sprites");
    const model = join(out, "model.safetensors");
    const args = ["--data", "sprites", "--model", spec, "--limit", "64", "--batch", "16"];
    const { code, stdout, stderr } = await command("train", [...args, "--epochs", "1", "--out", out, "--json"]);
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as { test: { elbo: number } };

    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(model)));
    const kept = { input, encoder, latent: 3, decoder, likelihood: "bernoulli" };
    expect(JSON.parse(metadata.get("model_spec")!)).toEqual(kept);
    expect(tensors.get("encoder.2.0.weight")?.shape).toEqual([3, 3, 8, 8]);
    expect(tensors.get("encoder.2.1.running_variance")?.shape).toEqual([8]);
    // One pixel per pixel: ten of 64 with gaps of 2 between and around them.
    const picture = png(join(out, "reconstructions.png"));
    expect([png(join(out, "samples.png")).width, picture.width]).toEqual([662, 662]);
    const { values } = sprites({ split: "test", count: 1, seed: 1 });
    const original = Array.from({ length: 64 * 64 }, (_, i) => {
      const at = 4 * ((2 + Math.floor(i / 64)) * 662 + 2 + (i % 64));
      return [...picture.data.subarray(at, at + 3)];
    });
    expect(original.flat()).toEqual([...values]);

    const evaluated = await command("evaluate", ["--model", model, "--data", "sprites", "--json"]);
    const again = JSON.parse(evaluated.stdout.trim().split("\n").at(-1)!) as { test: object };
    expect(again.test).toEqual(result.test);
    const four = join(folder, "four.png");
    const sampled = await command("sample", ["--model", model, "--count", "4", "--out", four]);
    expect(sampled.code, sampled.stderr).toBe(0);
    expect([png(four).width, png(four).height]).toEqual([134, 134]);
  });

  test("--init glorot starts like Keras", async () => {
    const out = join(folder, "glorot");
    // At a rate of 0 the weights keep their initial values.
    const args = ["--data", "gaussians", "--limit", "100", "--batch", "100", "--epochs", "1", "--lr", "0"];
    const { code, stderr } = await command("train", [...args, "--init", "glorot", "--epsilon", "1e-7", "--out", out]);
    expect(code, stderr).toBe(0);
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(join(out, "model.safetensors"))));
    const largest = (name: string) => Math.max(...asFloat32(tensors.get(name)!).map(Math.abs));
    expect(largest("encoder.0.bias")).toBe(0);
    // Uniform within sqrt(6 / (in + out)); PyTorch's bound would be sqrt(1 / 20) = 0.224.
    expect(largest("encoder.1.weight")).toBeGreaterThan(0.4);
    expect(largest("encoder.1.weight")).toBeLessThan(1.0001 * Math.sqrt(6 / 30));
  });

  test("the presets have their own latent dimensions, and sprites conv64", async () => {
    const latentOf = async (model: string, shape: number[], latent?: number) =>
      (await modelSpec(model, shape, latent)).spec.latent;
    expect(await latentOf("mlp", [28, 28, 1])).toBe(20);
    expect(await latentOf("points", [2])).toBe(2);
    expect(await latentOf("conv", [28, 28, 1])).toBe(2);
    expect(await latentOf("conv64", [64, 64, 3])).toBe(128);
    expect(await latentOf("conv64", [64, 64, 3], 10)).toBe(10);
    // The library rejects it only after the model has been printed.
    const { stdout } = await command("train", ["--data", "sprites", "--epsilon", "0", "--out", join(folder, "64")]);
    expect(stdout).toContain("6000 training and 1000 test examples of 64x64x3");
    expect(stdout).toContain("model: conv64, latent 128");
  });
});

describe("describe", () => {
  test("prints a preset's layers, and the same as JSON", async () => {
    const { code, stdout, stderr } = await command("describe", [
      "--model",
      "conv",
      "--input",
      "32x32x3",
      "--latent",
      "8",
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^layer +type +output +parameters +FLOPs\n/);
    expect(stdout).toMatch(/\ndecoder\.4 +conv_transpose2d +\[32, 32, 3\] +867 +1,769,472\n/);
    const json = await command("describe", ["--model", "conv", "--input", "32,32,3", "--latent", "8", "--json"]);
    const { layers, parameters } = JSON.parse(json.stdout) as { layers: { parameters: number }[]; parameters: number };
    expect(layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(parameters);
  });

  test("reports what is wrong with a spec in a file", async () => {
    const spec = join(folder, "odd.json");
    const decoder = [
      { type: "dense", units: 64 },
      { type: "reshape", shape: [4, 4, 4] },
    ];
    const double = { type: "conv_transpose2d", filters: 1, kernel: 3, stride: 2 };
    const common = { input: [7, 7, 1], encoder: [], latent: 2, likelihood: "bernoulli" };
    writeFileSync(spec, JSON.stringify({ ...common, decoder: [...decoder, double] }));
    const { code, stderr } = await command("describe", ["--model", spec]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/decoder: ends in shape \[8, 8, 1\].*; it fits with decoder\.2: \{"padding":1\}\nencoder: /);
    writeFileSync(spec, JSON.stringify({ ...common, decoder: [...decoder, { ...double, padding: 1 }] }));
    const mended = await command("describe", ["--model", spec]);
    expect(mended.stdout).toContain("[7, 7, 1]");
  });
});
