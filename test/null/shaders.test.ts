// Every shader and every graph on a device that validates everything and computes nothing.
import { activations } from "../../src/tensor.js";
import { describe, expect, it } from "vitest";
import { compileWgsl, joinImports } from "../../build/wgsl.mjs";
import { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import type { Graph } from "../../src/graph.js";
import { dataTensor } from "../../src/ops/gather.js";
import { opNames } from "../../src/ops/index.js";
import { schedules } from "../../src/ops/op.js";
import { plan } from "../../src/plan.js";
import type { ShaderSource } from "../../src/shader_source.js";
import {
  avgPool2d,
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  flatten,
  groupNorm,
  maxPool2d,
  reshape,
  residual,
  upsample2d,
} from "../../src/layers/json.js";
import { resolveSpec, type ModelSpec } from "../../src/spec.js";
import { defineModel, flats } from "../../src/parameters.js";
import * as vae from "../../src/vae.js";
import { nullDevice, withErrorScopes } from "../support/gpu.js";
import { tensorLayout } from "../../src/shader.js";
import { forced } from "../support/forced.js";
import { planFaults } from "../support/plan_faults.js";
import { defaultStep } from "../support/run_node.js";
import { filesBelow, root, textOf } from "../support/sources.js";

const device = await Device.open({ device: await nullDevice() });
const gpu = device.gpu;
const files = filesBelow("shaders", ".wgsl").filter((file) => !file.startsWith("shaders/lib/"));
/** Drawing shaders have a vertex and a fragment entry point, and no op. */
const draws = (file: string) => file.startsWith("shaders/canvas/");
const compiled = new Map(files.map((file) => [file, compileWgsl(`${root}${file}`).shader]));

/** Dawn's messages about a text; none if it is valid. */
async function messages(code: string): Promise<string[]> {
  const info = await gpu.createShaderModule({ code }).getCompilationInfo();
  return info.messages.map(({ type, lineNum, message }) => `${type} in line ${lineNum}: ${message}`);
}

describe.each(files)("%s", (file) => {
  const shader = compiled.get(file)!;
  const module = gpu.createShaderModule({ code: shader.code });

  it("compiles, as written and minified", async () => {
    expect(await withErrorScopes(gpu, () => messages(joinImports(`${root}${file}`).code))).toEqual([]);
    expect(await withErrorScopes(gpu, () => messages(shader.code))).toEqual([]);
  });

  it.each(Object.keys(shader.entryPoints))(
    "entry point %s fits the layout that was read from it",
    async (entryPoint) => {
      await withErrorScopes(gpu, () => device.pipeline(shader, entryPoint, {}));
      // The layout has everything the entry point uses; with one binding removed, it fails.
      for (const left of shader.entryPoints[entryPoint]!.bindings.filter(
        (name) => shader.bindings[name]!.group === 0,
      )) {
        const bindings = shader.entryPoints[entryPoint]!.bindings.filter((name) => name !== left);
        const lacking = { ...shader, entryPoints: { [entryPoint]: { ...shader.entryPoints[entryPoint]!, bindings } } };
        // Not device.pipeline, which waits to find out whether a lost device is the cause.
        const bindGroupLayouts = [tensorLayout(gpu, lacking, entryPoint), device.stepLayout];
        const layout = gpu.createPipelineLayout({ bindGroupLayouts });
        await expect(
          gpu.createComputePipelineAsync({ layout, compute: { module, entryPoint } }),
          left,
        ).rejects.toThrow();
      }
    },
  );
});

it("an error in a shader is noticed", async () => {
  const wrong = withErrorScopes(gpu, () => messages("fn f() -> u32 { return 1.5; }"));
  await expect(wrong).rejects.toThrow("cannot convert value of type 'abstract-float' to type 'u32'");
});

/** Ops computed by another op's product: a convolution's input gradient is a transposed convolution, and vice versa. */
const others: Readonly<Record<string, string>> = {
  conv2d_grad_input: "conv2d_transpose",
  conv2d_transpose_grad_input: "conv2d",
  conv2d_transpose_grad_weight: "conv2d_grad_weight",
};

it("every op has an entry point with its own or another op's name, and every entry point has an op", () => {
  const entryPoints = [...compiled].flatMap(([file, shader]) => (draws(file) ? [] : Object.keys(shader.entryPoints)));
  const own = opNames().filter((name) => !others[name]);
  expect([...new Set(entryPoints)].sort()).toEqual([...own].sort());
  expect(own).toEqual(expect.arrayContaining(Object.values(others)));
});

/** Every layer, and every activation of dense and convolutional ones in turn. */
function specs(): Record<string, ModelSpec> {
  const all = activations.map((activation, i) => dense(3 + i, { activation }));
  const part = { input: [3, 2, 1], latent: 3, encoder: all, decoder: [...all.slice(1), dense(6)] };
  return {
    "Bernoulli, every activation": { ...part, likelihood: "bernoulli" },
    "Gaussian with learned sigma": {
      ...part,
      decoder: [dense(6, { activation: "gelu" })],
      likelihood: { type: "gaussian", variance: "learned" },
    },
    "Gaussian with fixed variance": { ...part, encoder: [], likelihood: { type: "gaussian", variance: 1 } },
    "images, every activation of a convolution": {
      input: [6, 4, 3],
      encoder: activations.map((activation, i) => conv2d(3 + i, [2, 3], { stride: 1 + Number(i === 4), activation })),
      latent: 2,
      decoder: [
        dense(30),
        reshape(3, 2, 5),
        ...activations.map((activation, i) =>
          convTranspose2d(3 + i, [3, 2], { stride: 1 + Number(i === 4), activation }),
        ),
        convTranspose2d(3, 1),
      ],
      likelihood: "bernoulli",
    },
    "images, every other layer": {
      input: [6, 4, 3],
      encoder: [
        groupNorm(3, { activation: "gelu" }),
        dropout(0.1),
        maxPool2d(2, { stride: 1, padding: [0, 1, 0, 1] }),
        residual([batchNorm({ activation: "silu" }), avgPool2d(3, { stride: 1, padding: 1 })], { activation: "gelu" }),
        residual([residual([residual([conv2d(3, 3)])])]),
        flatten(),
        dense(7, { activation: "silu" }),
        batchNorm({ activation: "relu" }),
      ],
      latent: 2,
      decoder: [
        dense(18),
        batchNorm(),
        reshape(3, 2, 3),
        upsample2d(2),
        groupNorm(1),
        reshape(3, 2, 12),
        upsample2d([1, 3], { mode: "bilinear" }),
        maxPool2d([1, 2], { stride: [1, 1], padding: "same" }),
        reshape(18, 12),
        dropout(0.3),
        dense(72, { activation: "silu" }),
        reshape(6, 4, 3),
      ],
      likelihood: { type: "gaussian", variance: "learned" },
    },
  };
}

describe.each(Object.entries(specs()))("%s", (_name, spec) => {
  const model = defineModel(resolveSpec(spec));
  const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, decoupled: true, clipNorm: 1 };
  const graphs: Record<string, Graph> = {};
  for (const kind of ["bytes", "floats"] as const) {
    const data = dataTensor(kind, 50, model.resolved.inputSize);
    const gather = { batch: 600, shuffle: true, binarise: kind === "bytes" };
    graphs[`training on ${kind}`] = vae.trainingGraph(model, data, gather, { ...adam, decoupled: kind === "bytes" });
    graphs[`evaluation on ${kind}`] = vae.evaluationGraph(model, data, { batch: 7 });
  }
  graphs.encoding = vae.encodingGraph(model, 7);
  graphs.reconstruction = vae.reconstructionGraph(model, 1, false);
  graphs["reconstruction with noise"] = vae.reconstructionGraph(model, 1, true);
  graphs.decoding = vae.decodingGraph(model, 7);
  graphs.sampling = vae.samplingGraph(model, 7, false);
  graphs["sampling with noise"] = vae.samplingGraph(model, 7, true);

  describe.each(Object.entries(graphs))("%s", (_graph, graph) => {
    it.each(schedules)("schedule %s: two steps without an error", (schedule) =>
      withErrorScopes(gpu, async () => {
        const before = device.allocated;
        const planned = plan(graph, { flats: flats(model), slots: 2, schedule: forced(device, schedule) });
        expect(planFaults(planned)).toEqual([]);
        const executable = await Executable.create(device, planned);
        executable.writeSteps([
          { ...defaultStep, slot: 0 },
          { ...defaultStep, slot: 1 },
        ]);
        const encoder = gpu.createCommandEncoder();
        const pass = encoder.beginComputePass();
        executable.encode(pass, 0);
        executable.encode(pass, 1);
        pass.end();
        gpu.queue.submit([encoder.finish()]);
        executable.dispose();
        expect(device.allocated).toEqual(before);
      }),
    );
  });
});

/** Whether `text` declares a local, parameter or function with a binding's name, which would confuse reflection. */
function shadowed(text: string, { bindings }: Pick<ShaderSource, "bindings">): string[] {
  const code = text.replace(/\/\/.*$/gm, "").replace(/\bstruct\s+\w+\s*\{[^}]*\}/g, "");
  return Object.keys(bindings).filter((name) =>
    new RegExp(`\\b(let|var|const|fn|override)\\s+${name}\\b|[(,]\\s*(@\\w+\\(\\w+\\)\\s*)?${name}\\s*:`).test(code),
  );
}

describe("the text", () => {
  const everything = filesBelow("shaders", ".wgsl");

  it.each(everything)("%s begins with its name and has its parts in order", (file) => {
    const lines = textOf(file).split("\n");
    const name = file.slice("shaders/".length);
    expect(lines[0]!.startsWith(`// ${name}: `), lines[0]).toBe(true);
    const first = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line));
    const last = (pattern: RegExp) => lines.findLastIndex((line) => pattern.test(line));
    const after = (earlier: number, later: number) => earlier < 0 || later < 0 || earlier < later;
    const declaration = /^(struct|@group|override|const|var|fn|@compute|@vertex|@fragment)\b/;
    expect(after(last(/^#import/), first(declaration)), "imports come before declarations").toBe(true);
    expect(after(last(/^@group/), first(/^(fn|@compute|@vertex|@fragment)/)), "bindings come before functions").toBe(
      true,
    );
    lines.forEach((line, i) => {
      if (/^@(compute|vertex|fragment)/.test(line)) {
        expect(lines[i - 1], `${file}: an entry point without a line that says what it does`).toMatch(/^\/\/ /);
      }
      if (/^@group.*<storage/.test(line)) expect(line, "a tensor without its shape").toMatch(/\/\/ \[.+\]/);
      expect(line, "a line too long to read").toSatisfy((text: string) => text.length <= 120);
    });
  });

  it("no entry point is named main", () => {
    for (const shader of compiled.values()) expect(Object.keys(shader.entryPoints)).not.toContain("main");
  });

  it.each(files)("%s: nothing shadows a binding's name", (file) => {
    expect(shadowed(joinImports(`${root}${file}`).code, compiled.get(file)!)).toEqual([]);
  });

  it.each([
    "fn f() { let x = 1; }",
    "fn f(a: u32, x: f32) {}",
    "fn f(@builtin(workgroup_id) x: vec3u) {}",
    "fn x() {}",
  ])("finds a planted one: %s", (text) => {
    const bindings = { x: compiled.get("shaders/linear.wgsl")!.bindings.x! };
    expect(
      shadowed(`struct S { x: f32 }\n@group(0) @binding(1) var<storage, read> x: array<f32>;\n${text}`, { bindings }),
    ).toEqual(["x"]);
  });
});
