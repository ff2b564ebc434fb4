// Twin of shaders/mixture.wgsl.
import type { Node } from "../../src/graph.js";
import { Stream } from "../../src/random.js";
import { noiseRow, streamAt, uniform, wordsAt } from "./random.js";
import { at, copiesOf, knobOf, tensorAt, weightAt, type Twin, type Values } from "./twin.js";

const LIMIT = 10;
const clamp = (s: number) => Math.min(Math.max(s, -LIMIT), LIMIT);

/** log N(z; m, exp(s)) of each component, for a row of z. */
function logDensities(node: Node, values: Values, row: number): number[] {
  const [z, heads] = [at(values, "z"), at(values, "heads")];
  const [components = 0, , latents = 0] = tensorAt(node, "heads").shape;
  return Array.from({ length: components }, (_, component) => {
    let sum = 0;
    for (let j = 0; j < latents; j++) {
      const m = heads[component * 2 * latents + j]!;
      const s = clamp(heads[(component * 2 + 1) * latents + j]!);
      sum -= ((z[row * latents + j]! - m) ** 2 / Math.exp(s) + s + Math.log(2 * Math.PI)) / 2;
    }
    return sum;
  });
}

const logSum = (logs: readonly number[]) => {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - most), 0));
};

const mixture: Twin = (node, values, step) => {
  const rows = tensorAt(node, "z").shape[0]!;
  const prior = new Float64Array(rows);
  for (let row = 0; row < Math.min(rows, step.rows * copiesOf(node)); row++) {
    const logs = logDensities(node, values, row);
    prior[row] = Math.log(logs.length) - logSum(logs);
  }
  return { prior, ...(node.outputs.dz ? mixtureGrad(node, values, step) : {}) };
};

const mixtureGrad: Twin = (node, values, step) => {
  const [z, heads] = [at(values, "z"), at(values, "heads")];
  const [components = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const rows = tensorAt(node, "z").shape[0]!;
  const dz = new Float64Array(z.length);
  const shares = new Float64Array(rows * components);
  for (let row = 0; row < Math.min(rows, step.rows * copiesOf(node)); row++) {
    const logs = logDensities(node, values, row);
    const total = logSum(logs);
    logs.forEach((value, component) => {
      const share = weightAt(node, values, step, row) * Math.exp(value - total);
      shares[row * components + component] = share;
      for (let j = 0; j < latents; j++) {
        const m = heads[component * 2 * latents + j]!;
        const s = clamp(heads[(component * 2 + 1) * latents + j]!);
        dz[row * latents + j]! += (share * (z[row * latents + j]! - m)) / Math.exp(s);
      }
    });
  }
  return { dz, shares };
};

const mixtureGradHeads: Twin = (node, values) => {
  const [z, heads, shares] = [at(values, "z"), at(values, "heads"), at(values, "shares")];
  const [components = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const dheads = new Float64Array(heads.length);
  const rows = z.length / latents;
  for (let component = 0; component < components; component++) {
    for (let j = 0; j < latents; j++) {
      const atMean = component * 2 * latents + j;
      const raw = heads[atMean + latents]!;
      for (let row = 0; row < rows; row++) {
        const share = shares[row * components + component]!;
        const far = (z[row * latents + j]! - heads[atMean]!) / Math.exp(clamp(raw));
        dheads[atMean]! -= share * far;
        if (Math.abs(raw) <= LIMIT) {
          dheads[atMean + latents]! += (share * (1 - far * (z[row * latents + j]! - heads[atMean]!))) / 2;
        }
      }
    }
  }
  return { dheads };
};

const mixtureSample: Twin = (node, values, step) => {
  const heads = at(values, "heads");
  const [components = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const rows = tensorAt(node, "drawn").shape[0]!;
  const drawn = new Float64Array(rows * latents);
  for (let row = 0; row < rows; row++) {
    const [word] = wordsAt(step.first_row + row, step, streamAt(node, Stream.component));
    const component = Math.min(Math.floor(Math.fround(uniform(word) * components)), components - 1);
    const noise = noiseRow(row, latents, step, streamAt(node, step.stream));
    for (let j = 0; j < latents; j++) {
      const s = clamp(heads[(component * 2 + 1) * latents + j]!);
      drawn[row * latents + j] =
        heads[component * 2 * latents + j]! + knobOf(node, step, "noise") * Math.exp(s / 2) * noise[j]!;
    }
  }
  return { drawn };
};

export const mixtureTwins: Readonly<Record<string, Twin>> = {
  mixture,
  mixture_grad: mixtureGrad,
  mixture_grad_heads: mixtureGradHeads,
  mixture_sample: mixtureSample,
};
