// The plans that the library makes of a model in each of its uses, as text: what a VAE would run, taken from it at the
// moment it would be bound to the GPU, so that no test repeats which graph, batch and schedules a use has.
import { vi } from "vitest";
import { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import { VAE, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import { printPlan, type Dispatch, type Plan } from "../../src/plan.js";
import { fromArray } from "../../src/datasets.js";
import { open } from "./gpu.js";

export type AdapterKind = "software" | "hardware";

/** Rows that are evaluated, decoded and so on at once: the most that one plan takes, and what a page asks for. */
const EVALUATED = 256;
const BATCHES = [64, 8, 1];

class Planned extends Error {
  constructor(readonly plan: Plan) {
    super("planned");
  }
}

/** A plan's text by its use and batch, "train, batch 128". The usual schedules of that kind of adapter; no measuring. */
export async function planTexts(spec: ModelSpec, kind: AdapterKind): Promise<Map<string, string>> {
  const gpu = await open({ backend: "null" });
  // The library asks the adapter's name for it; Dawn's null backend has one name alone.
  Object.defineProperty((await Device.open({ device: gpu })).shared, "software", { value: kind === "software" });
  const create = vi.spyOn(Executable, "create").mockImplementation((_, { plan }) => Promise.reject(new Planned(plan)));
  using vae = await VAE.create(spec, { device: gpu, tuning: false });
  const size = spec.input.reduce((product, side) => product * side, 1);
  const floats = spec.likelihood !== "bernoulli";
  const data = fromArray(floats ? new Float32Array(EVALUATED * size) : new Uint8Array(EVALUATED * size), {
    shape: spec.input,
  });
  const train = (options: TrainingOptions = {}) => vae.train(data, options).next();
  const uses: Record<string, () => Promise<unknown>> = {
    "train, batch 128": () => train(),
    "train in f16, clipped, batch 128": () => train({ precision: "f16", clipNorm: 1 }),
    [`evaluate, batch ${EVALUATED}`]: () => vae.elbo(data),
  };
  for (const batch of BATCHES) {
    const x = new Float32Array(batch * size);
    uses[`encode, batch ${batch}`] = () => vae.encode(x);
    uses[`decode, batch ${batch}`] = () => vae.decode(new Float32Array(batch * spec.latent));
    uses[`sample, batch ${batch}`] = () => vae.sample(batch);
    uses[`sample with noise, batch ${batch}`] = () => vae.sample(batch, { noise: true });
    uses[`reconstruct, batch ${batch}`] = () => vae.reconstruct(x);
    uses[`reconstruct with noise, batch ${batch}`] = () => vae.reconstruct(x, { noise: true });
  }
  try {
    const texts = new Map<string, string>();
    for (const [use, run] of Object.entries(uses)) texts.set(use, planText(await planOf(use, run)));
    return texts;
  } finally {
    create.mockRestore();
    gpu.destroy();
  }
}

/** The plan that a call would have bound first. */
async function planOf(use: string, run: () => Promise<unknown>): Promise<Plan> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Planned) return error.plan;
    throw error;
  }
  throw new Error(`${use}: no plan was bound`);
}

/** printPlan, with what each dispatch's shader is given. */
export function planText(plan: Plan): string {
  const lines = printPlan(plan).split("\n");
  const given = (values: Dispatch["shape"]) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ");
  const dispatches = plan.dispatches.flatMap(({ shape, constants }, index) => [
    lines[index]!,
    `      shape: ${given(shape)}; constants: ${given(constants)}`,
  ]);
  return [...dispatches, ...lines.slice(plan.dispatches.length), `   ${plan.slots} rows in a ring`].join("\n");
}
