// Twin of shaders/adam.wgsl. Kingma and Ba (2015), algorithm 1; Loshchilov and Hutter (2019), algorithm 2.
import type { AdamOptions } from "../../src/ops/adam.js";
import { at, knobOf, type Twin } from "./twin.js";

const adam: Twin = (node, values, step) => {
  const options = node.attributes as unknown as AdamOptions;
  const params = at(values, "params").slice();
  const moment1 = at(values, "moment1").slice();
  const moment2 = at(values, "moment2").slice();
  const [rate, correction1, correction2] = ["rate", "correction1", "correction2"].map((knob) =>
    knobOf(node, step, knob),
  ) as [number, number, number];
  const [halted, skipped] = at(values, "health");
  const made = () => ({ params, moment1, moment2, ...(node.outputs.weights ? { weights: params } : {}) });
  if (halted !== 0 || skipped === step.step + 1) return made();
  const [norm = 0] = at(values, "norm");
  // As PyTorch clips: by the norm and a little.
  const scale = (options.clipNorm > 0 ? Math.min(1, options.clipNorm / (norm + 1e-6)) : 1) / step.gradient_scale;
  at(values, "gradients").forEach((gradient, i) => {
    const before = params[i]!;
    const g = scale * gradient + (options.decoupled ? 0 : options.weightDecay * before);
    const m = options.beta1 * moment1[i]! + (1 - options.beta1) * g;
    const v = options.beta2 * moment2[i]! + (1 - options.beta2) * g ** 2;
    const update = (m * correction1) / (Math.sqrt(v * correction2) + options.epsilon);
    const decay = options.decoupled ? options.weightDecay * before : 0;
    params[i] = before - rate * (update + decay);
    moment1[i] = m;
    moment2[i] = v;
  });
  return made();
};

const storeWeights: Twin = (_, values) => ({ weights: at(values, "params") });

export const adamTwins: Readonly<Record<string, Twin>> = { adam, store_weights: storeWeights };
