// Encode, decode, reconstruct and sample: any number of rows through graphs of one batch size, each bound to the GPU
// on first use.
import { abortable } from "./abort.js";
import { WebvaeError } from "./errors.js";
import type { Dataset } from "./data/dataset.js";
import { checkData } from "./data/upload.js";
import { idleStep, type RunParts } from "./evaluation.js";
import { Executable } from "./executable.js";
import type { Graph } from "./graph.js";
import { dataTensor } from "./ops/gather.js";
import { allocated, wholeNumber } from "./options.js";
import { plan } from "./plan.js";
import { seedKey, Stream } from "./random.js";
import { Staging } from "./readback.js";
import { padTo4 } from "./tensor.js";
import { scheduleOf } from "./tuner.js";
import { flats } from "./parameters.js";
import { decodingGraph, encodingGraph, reconstructionGraph, samplingGraph } from "./vae.js";

/** Examples: a Dataset, floats, or bytes (value / 255), one example after another. */
export type Examples = Dataset | Float32Array | Uint8Array | Uint8ClampedArray;

/** Rows that one submit computes. */
const BATCH = 64;

interface Bound {
  readonly executable: Executable;
  readonly staging: Staging;
  readonly output: string;
}

type Use = "encode" | "decode" | "sample" | "sample with noise" | "reconstruct" | "reconstruct with noise";

export class Sampler {
  readonly #bound = new Map<Use, Promise<Bound>>();
  /** Calls share one set of buffers: each waits for the one before it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: RunParts) {}

  /** Means and log variances [n, Z]. */
  async encode(examples: Examples, signal?: AbortSignal): Promise<{ mean: Float32Array; logVariance: Float32Array }> {
    const { latent } = this.parts.model.resolved.spec;
    const input = this.#rows(examples);
    const stride = padTo4(latent);
    const heads = await this.#run("encode", input.count, 2 * latent, signal, input, 0, 0, (from, to) => {
      to.set(from.subarray(0, latent));
      to.set(from.subarray(stride, stride + latent), latent);
    });
    const mean = new Float32Array(input.count * latent);
    const logVariance = new Float32Array(input.count * latent);
    for (let row = 0; row < input.count; row++) {
      mean.set(heads.subarray(2 * row * latent, (2 * row + 1) * latent), row * latent);
      logVariance.set(heads.subarray((2 * row + 1) * latent, (2 * row + 2) * latent), row * latent);
    }
    return { mean, logVariance };
  }

  /** Examples [n, D] from latents [n, Z]. */
  async decode(latents: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
    const { latent } = this.parts.model.resolved.spec;
    if (!(latents instanceof Float32Array) || latents.length === 0 || latents.length % latent !== 0) {
      throw new WebvaeError(
        "INVALID_DATA",
        `decode takes a Float32Array of n x ${latent} values, not ${(latents as ArrayLike<number> | undefined)?.length} values`,
      );
    }
    assertFinite(latents, latent);
    return this.#run("decode", latents.length / latent, this.#size, signal, { values: latents, width: latent });
  }

  /** n examples [n, D] from the prior. `call` tells one call's draws from another's. */
  async sample(count: number, noise: boolean, seed: number, call: number, signal?: AbortSignal): Promise<Float32Array> {
    wholeNumber("sample: count", count);
    return this.#run(noise ? "sample with noise" : "sample", count, this.#size, signal, undefined, seed, call);
  }

  /** Each example through the mean of its latents, or through a draw of them. */
  async reconstruct(examples: Examples, noise: boolean, seed: number, signal?: AbortSignal): Promise<Float32Array> {
    const input = this.#rows(examples);
    const use = noise ? "reconstruct with noise" : "reconstruct";
    return this.#run(use, input.count, this.#size, signal, input, seed);
  }

  /** An example's values without the padding of its innermost size. */
  readonly #takeExample = (from: Float32Array, to: Float32Array): void => {
    const inner = this.parts.model.resolved.layout.at(-1) ?? 1;
    const stride = padTo4(inner);
    for (let i = 0, at = 0; i < to.length; i += inner, at += stride) to.set(from.subarray(at, at + inner), i);
  };

  get #size(): number {
    return this.parts.model.resolved.inputSize;
  }

  #rows(examples: Examples) {
    const flat = ArrayBuffer.isView(examples);
    if (!flat) checkData(examples, this.parts.model.resolved.spec.input);
    const values = flat ? examples : examples.values;
    const width = this.#size;
    if (![Float32Array, Uint8Array, Uint8ClampedArray].some((type) => values instanceof type)) {
      throw new WebvaeError("INVALID_DATA", "examples must be a Dataset, a Float32Array or bytes");
    }
    if (values.length === 0 || values.length % width !== 0) {
      throw new WebvaeError("INVALID_DATA", `${values.length} values are not a number of examples of ${width} values`);
    }
    if (flat && values instanceof Float32Array) assertFinite(values, width);
    return { values, width, count: values.length / width };
  }

  async #run(
    use: Use,
    count: number,
    width: number,
    signal?: AbortSignal,
    input?: { values: ArrayLike<number>; width: number },
    seed = 0,
    call = 0,
    take: (from: Float32Array, to: Float32Array) => void = this.#takeExample,
  ): Promise<Float32Array> {
    const result = allocated(use, count, () => new Float32Array(count * width));
    const turn = this.#last.then(async () => {
      const bound = await this.#bind(use);
      const rowValues = this.#outputBytes(bound) / 4 / BATCH;
      for (let first = 0; first < count; first += BATCH) {
        signal?.throwIfAborted();
        const rows = Math.min(BATCH, count - first);
        const bytes = await this.#batch(bound, use, first, rows, input, seed, call);
        for (let row = 0; row < rows; row++) {
          const from = new Float32Array(bytes, 4 * row * rowValues, rowValues);
          take(from, result.subarray((first + row) * width, (first + row + 1) * width));
        }
      }
      return result;
    });
    this.#last = turn.catch(() => {});
    return abortable(signal, turn);
  }

  async #batch(
    { executable, staging, output }: Bound,
    use: Use,
    first: number,
    rows: number,
    input: { values: ArrayLike<number>; width: number } | undefined,
    seed: number,
    call: number,
  ): Promise<ArrayBuffer> {
    const { queue } = this.parts.device.gpu;
    this.parts.device.assertAlive();
    if (input) {
      const stride = padTo4(input.width);
      const scale = input.values instanceof Float32Array ? 1 : 1 / 255;
      const padded = new Float32Array(BATCH * stride);
      for (let row = 0; row < rows; row++) {
        const from = (first + row) * input.width;
        for (let i = 0; i < input.width; i++) padded[row * stride + i] = scale * (input.values[from + i] ?? 0);
      }
      const place = executable.locate(use === "decode" ? "z" : "floats");
      queue.writeBuffer(place.buffer, place.offset, padded);
    }
    const [seed_low, seed_high] = seedKey(seed);
    const stream = use.startsWith("sample") ? Stream.prior : Stream.evaluation;
    // The input holds only this batch: its first row is row 0 of the data, whatever its place in the whole.
    const first_row = input ? 0 : first;
    const sample = input ? first / BATCH : 0;
    executable.writeSteps([{ ...idleStep, seed_low, seed_high, step: call, first_row, rows, stream, sample, slot: 0 }]);
    const encoder = this.parts.device.gpu.createCommandEncoder({ label: use });
    const pass = encoder.beginComputePass({ label: use });
    executable.encode(pass, 0);
    pass.end();
    const range = executable.locate(output);
    staging.copy(encoder, [range]);
    queue.submit([encoder.finish()]);
    return staging.read(range.bytes);
  }

  #outputBytes({ executable, output }: Bound): number {
    return executable.locate(output).bytes;
  }

  #bind(use: Use): Promise<Bound> {
    let bound = this.#bound.get(use);
    if (!bound) {
      bound = this.#create(use);
      this.#bound.set(use, bound);
      bound.catch(() => this.#bound.delete(use));
    }
    return bound;
  }

  async #create(use: Use): Promise<Bound> {
    const { model, device, buffers, tuner } = this.parts;
    const data = dataTensor("floats", BATCH, this.#size);
    const graphs: Record<Use, () => Graph> = {
      encode: () => encodingGraph(model, data, BATCH),
      decode: () => decodingGraph(model, BATCH),
      sample: () => samplingGraph(model, BATCH, false),
      "sample with noise": () => samplingGraph(model, BATCH, true),
      reconstruct: () => reconstructionGraph(model, data, BATCH, false),
      "reconstruct with noise": () => reconstructionGraph(model, data, BATCH, true),
    };
    const graph = graphs[use]();
    const output = use === "encode" ? "heads" : "y";
    const schedule = scheduleOf(await tuner.choose(graph));
    const planned = plan(graph, { flats: flats(model), keep: [output], schedule });
    const executable = await Executable.create(device, planned, buffers.inference);
    try {
      const staging = await device.allocating(
        "a read-back",
        () => new Staging(device, executable.locate(output).bytes),
      );
      return { executable, staging, output };
    } catch (error) {
      executable.dispose();
      throw error;
    }
  }

  /** Releases every buffer once the calls under way are done. */
  dispose(): void {
    for (const bound of this.#bound.values()) {
      void bound.then(
        ({ executable, staging }) => {
          executable.dispose();
          staging.dispose();
        },
        () => {},
      );
    }
    this.#bound.clear();
  }
}

function assertFinite(values: Float32Array, width: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new WebvaeError(
      "INVALID_DATA",
      `value ${bad % width} of row ${Math.floor(bad / width)} is ${values[bad]}, not a finite number`,
    );
  }
}
