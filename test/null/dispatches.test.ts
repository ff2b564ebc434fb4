// How many dispatches a training step of the mlp preset takes, with each objective, prior and condition: what each adds.
import { expect, test } from "vitest";
import { models, type ModelSpec } from "../../src/index.js";
import { objectiveOf } from "../../src/objectives/index.js";
import type { Objective } from "../../src/objectives/json.js";
import { dataTensor } from "../../src/ops/gather.js";
import { labelsTensor } from "../../src/ops/labels.js";
import { defineModel, flats } from "../../src/parameters.js";
import { plan } from "../../src/plan.js";
import { resolveSpec } from "../../src/spec.js";
import { trainingGraph } from "../../src/vae.js";

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };
const iwae = { type: "iwae", samples: 5 } as const;
const mixture = { type: "mixture", components: 10 } as const;
const condition = { type: "label", classes: 10 } as const;

interface Case {
  readonly more?: Partial<ModelSpec>;
  readonly objective?: Objective;
  readonly count: number;
}

test.each<[string, Case]>([
  ["plain", { count: 17 }],
  // The bound, and bernoulli_grad apart from the term.
  ["importance weighting", { objective: iwae, count: 19 }],
  // Its density, the sum of z's gradients, and the components' gradient in one more.
  ["a mixture prior", { more: { prior: mixture }, count: 20 }],
  ["importance weighting with a mixture prior", { more: { prior: mixture }, objective: iwae, count: 23 }],
  // The labels' rows, beside x and z, and z's gradient.
  ["a condition", { more: { condition }, count: 21 }],
  ["Laplace", { more: { likelihood: { type: "laplace", scale: 1 } }, count: 17 }],
])("%s", (_, { more = {}, objective, count }) => {
  const spec = { ...models.mlp([28, 28, 1], 20), ...more };
  const model = defineModel(resolveSpec(spec));
  const data = dataTensor("floats", 1000, 784);
  const chosen = objectiveOf({ objective, beta: undefined, noise: undefined });
  // Five draws of so many examples are few enough that no gradient is summed in parts.
  const options = { batch: 100, shuffle: true, labels: labelsTensor(1000), objective: chosen };
  const { dispatches } = plan(trainingGraph(model, data, options, adam), { flats: flats(model) }).plan;
  expect(dispatches.map(({ label }) => label)).toHaveLength(count);
  // In half precision too, which the adapters of most tests lack: no name is taken twice.
  const halved = trainingGraph(model, data, options, adam, true);
  expect(plan(halved, { flats: flats(model), half: true }).plan.dispatches).toHaveLength(count);
});
