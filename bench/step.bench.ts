// A whole training step, as a user experiences it: its time, its dispatches and submits, the host's share, and the time
// of the first one.
import * as datasets from "../src/datasets.js";
import { fuse } from "../src/fuse.js";
import { VAE, models, type ModelName } from "../src/index.js";
import { dataTensor } from "../src/ops/gather.js";
import { workOf } from "../src/ops/index.js";
import { resolveSpec } from "../src/spec.js";
import { defineModel } from "../src/parameters.js";
import { trainingGraph } from "../src/vae.js";

export interface StepResult {
  readonly model: string;
  readonly batch: number;
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  readonly dispatches: number;
  readonly stepsPerSubmit: number;
  readonly hostMsPerStep: number;
  /** From VAE.create until the first step is done: includes device, weights, pipelines, tuning and data. */
  readonly firstStepMs: number;
  /** Buffers, bind groups and pipelines created after the first step. */
  readonly objectsAfterFirstStep: number;
  /** The products' FLOPs divided by the median time. */
  readonly gflops: number;
}

const optimizer = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };

/** Trains for about `seconds` and measures. `adapter` provides the device that the VAE then requests. */
export async function measureStep(gpu: GPU, name: ModelName, batch: number, seconds: number): Promise<StepResult> {
  const points = name === "points";
  const wanted = { split: "train", count: 8 * batch, seed: 1 } as const;
  const made = { points: datasets.gaussians, conv64: datasets.sprites }[name as string] ?? datasets.digits;
  const data = made(wanted);
  const latents: Partial<Record<ModelName, number>> = { points: 2, conv: 2, conv64: 128 };
  const spec = models[name](data.shape, latents[name] ?? 20);
  const counted = countObjects(gpu);
  const started = performance.now();
  const vae = await VAE.create(spec, { gpu: counted.gpu, seed: 1 });
  const times: number[] = [];
  let firstStepMs = 0;
  let objects = 0;
  let hostAtFirst = 0;
  try {
    for await (const report of vae.train(data, { epochs: 100_000, batchSize: batch })) {
      if (firstStepMs === 0) {
        firstStepMs = performance.now() - started;
        objects = counted.count();
        hostAtFirst = vae.counts?.hostMs ?? 0;
      } else times.push(1000 / report.stepsPerSecond);
      if (performance.now() - started > firstStepMs + 1000 * seconds && times.length >= 5) break;
    }
    const { steps = 1, submits = 1, hostMs = 0 } = vae.counts ?? {};
    const { nodes } = fuse(
      trainingGraph(
        defineModel(resolveSpec(spec)),
        dataTensor(points ? "floats" : "bytes", data.count, data.values.length / data.count),
        { batch, shuffle: true },
        optimizer,
      ),
    );
    times.sort((a, b) => a - b);
    const medianMs = times[times.length >> 1] ?? NaN;
    return {
      model: name,
      batch,
      medianMs,
      fastestMs: times[0] ?? NaN,
      slowestMs: times.at(-1) ?? NaN,
      dispatches: nodes.length,
      stepsPerSubmit: steps / submits,
      hostMsPerStep: (hostMs - hostAtFirst) / (steps - 1),
      firstStepMs,
      objectsAfterFirstStep: counted.count() - objects,
      gflops: nodes.reduce((sum, node) => sum + 2 * workOf(node), 0) / medianMs / 1e6,
    };
  } finally {
    vae.dispose();
  }
}

const makers = ["createBuffer", "createBindGroup", "createComputePipelineAsync", "createShaderModule"] as const;

/** The same GPU, with a count of the objects that its devices make. */
function countObjects(gpu: GPU): { gpu: GPU; count: () => number } {
  let made = 0;
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = await gpu.requestAdapter(options);
    if (!adapter) return null;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor);
      for (const maker of makers) {
        const make = (device[maker] as (argument: unknown) => unknown).bind(device);
        Object.defineProperty(device, maker, { value: (argument: unknown) => (made++, make(argument)) });
      }
      return device;
    };
    return adapter;
  };
  return { gpu: { requestAdapter } as unknown as GPU, count: () => made };
}
