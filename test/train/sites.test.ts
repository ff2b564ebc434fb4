// Nodes of a graph that draw from the same stream: each has a site with its own random numbers.
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import { bernoulliSample } from "../../src/ops/bernoulli.js";
import { dataTensor, gather } from "../../src/ops/gather.js";
import { draws } from "../../src/ops/draws.js";
import { gaussianSample } from "../../src/ops/gaussian.js";
import { laplaceSample } from "../../src/ops/laplace.js";
import { mixtureSample } from "../../src/ops/mixture.js";
import { opNamed } from "../../src/ops/index.js";
import { atSite } from "../../src/ops/op.js";
import { reparameterize, samplePrior } from "../../src/ops/reparameterize.js";
import { tensor } from "../../src/tensor.js";
import { joinImports } from "../../build/wgsl.mjs";
import { filesBelow } from "../support/sources.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });
const [B, D] = [9, 40];

const drawing: { node: Node; drawn: string; values: (random: RandomValues) => Record<string, Float64Array> }[] = [
  {
    node: reparameterize(tensor("heads", "activation", [B, 2, D])),
    drawn: "z",
    values: (random) => ({ heads: random.normal(B * 2 * D) }),
  },
  {
    node: draws(tensor("heads", "activation", [B, 2, D]), 2, false),
    drawn: "z",
    values: (random) => ({ heads: random.normal(B * 2 * D) }),
  },
  {
    node: mixtureSample(tensor("components", "param", [3, 2, D]), B, "noise"),
    drawn: "drawn",
    values: (random) => ({ heads: random.normal(3 * 2 * D) }),
  },
  { node: samplePrior(B, D), drawn: "z", values: () => ({}) },
  {
    node: bernoulliSample(tensor("logits", "activation", [B, D])),
    drawn: "y",
    values: (random) => ({ logits: random.normal(B * D) }),
  },
  ...[gaussianSample, laplaceSample].map((sample) => ({
    node: sample(tensor("mean", "activation", [B, D]), tensor("log_scale", "state", [1])),
    drawn: "y",
    values: (random: RandomValues) => ({ mean: random.normal(B * D), log_scale: Float64Array.of(0) }),
  })),
  {
    node: gather(dataTensor("bytes", B, D), { batch: B, binarise: true }),
    drawn: "x",
    values: (random) => ({ bytes: random.normal(B * D).map((value) => Math.abs(Math.round(60 * value)) % 256) }),
  },
];

it("includes every shader that draws at a site", () => {
  const shaders = drawing.map(({ node }) => opNamed(node.op).kernel(node, "direct").shader.name);
  const files = filesBelow("shaders", ".wgsl").filter((file) => !file.startsWith("shaders/lib/"));
  // Dropout's numbers are told apart by its layer's number.
  const those = files.filter((file) =>
    joinImports(file)
      .code.replace(/fn at_site\(/, "")
      .includes("at_site("),
  );
  expect([...new Set(shaders)].sort().map((name) => `shaders/${name}.wgsl`)).toEqual(those);
});

it.each([-1, 0.5, 2 ** 24, NaN])("%s is not a valid site: its numbers would be another stream's", (site) => {
  expect(() => atSite(samplePrior(B, D), site)).toThrow(`sample_prior: no site ${site}`);
});

describe("at its own site", () => {
  const named = (node: Node, site: number, build: OpCase["build"]): OpCase => ({
    name: `${node.op}, site ${site}`,
    build,
  });
  testOps(
    device,
    drawing.flatMap(({ node, values }) =>
      [1, 7, 2 ** 24 - 1].map((site) =>
        named(node, site, (random) => ({ node: atSite(node, site), values: values(random), step: { rows: B } })),
      ),
    ),
  );

  it.each(drawing)("$node.op has other numbers, and at site 0 the original ones", async ({ node, drawn, values }) => {
    const draw = async (one: Node) => {
      const step = { ...defaultStep, rows: B };
      const { outputs } = await runNode(device, { node: one, values: values(new RandomValues(node.op)), step });
      return [...outputs[drawn]!];
    };
    const plain = await draw(node);
    expect(await draw(atSite(node, 0))).toEqual(plain);
    const others = await Promise.all([1, 2, 256].map((site) => draw(atSite(node, site))));
    expect(new Set([plain, ...others].map(String)).size).toBe(4);
  });
});
