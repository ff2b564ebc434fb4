// Encode, decode, reconstruct and sample: any number of rows, from the host or a buffer to the host or a buffer,
// through plans of a few batch sizes.
import { abortable } from "./abort.js";
import type { Device } from "./device.js";
import { idleStep, type RunParts } from "./evaluation.js";
import { checkBuffer, checkOwner, rowsOf, type Examples, type Latents, type Rows } from "./examples.js";
import type { ConditionRows } from "./conditions/definition.js";
import { conditionTypes } from "./conditions/index.js";
import type { ConditionValue } from "./conditions/json.js";
import { checkBorrowed, needsOf } from "./data/upload.js";
import { allocated, invalidOption, wholeNumber } from "./options.js";
import { checkPart } from "./part.js";
import { seedKey, Stream } from "./random.js";
import { gatherRanges, type Range } from "./readback.js";
import { SamplingPlans, type Bound, type Use } from "./sampling_plans.js";
import { padTo4 } from "./tensor.js";

/** q(z|x) of examples. */
export interface Encoded {
  /** [n, latent]. */
  readonly mean: Float32Array;
  /** [n, latent], log sigma^2. The model clamps it to [-10, 10] where it uses it. */
  readonly logVariance: Float32Array;
  /** How many steps the weights had been trained. */
  readonly step: number;
}

/** Options of one call. */
export interface Sampling {
  /** z or x is drawn. Default false. */
  readonly noise?: boolean | undefined;
  /** Factor of the draws of z from the prior. Default 1. */
  readonly temperature?: number;
  readonly seed?: number;
  /** Tells one call's draws from another's. */
  readonly call?: number;
  readonly condition?: ConditionValue | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where examples go; then a call gives undefined. */
  readonly to?: GPUBuffer | undefined;
  /** Called when the first rows are submitted. */
  readonly at?: () => void;
}

/** What a call was given, checked, and where its result goes on the host. */
interface Given {
  readonly input?: Rows | undefined;
  readonly conditions?: ConditionRows | undefined;
  readonly result?: Float32Array | undefined;
}

export class Sampler {
  readonly #plans: SamplingPlans;
  /** Calls share one set of buffers: each waits for the one before it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: RunParts) {
    this.#plans = new SamplingPlans(parts);
  }

  /** Means and log variances [n, Z]. */
  async encode(examples: Examples, sampling: Sampling): Promise<Encoded> {
    const { latent } = this.parts.model.resolved.spec;
    const rows = this.#examples("encode", examples);
    let step = 0;
    const at = () => (step = this.parts.stepsDone());
    const heads = (await this.#run("encode", rows.count, { ...sampling, at }, rows))!;
    const half = (which: number) => heads.filter((_, i) => Math.floor(i / latent) % 2 === which);
    return { mean: half(0), logVariance: half(1), step };
  }

  /** Examples [n, D] from latents [n, Z]. */
  async decode(latents: Latents, sampling: Sampling): Promise<Float32Array | undefined> {
    const rows = rowsOf("decode", latents, [this.parts.model.resolved.spec.latent]);
    return this.#run("decode", rows.count, sampling, rows);
  }

  /** n examples [n, D] from the prior. */
  async sample(count: number, sampling: Sampling): Promise<Float32Array | undefined> {
    wholeNumber("sample: count", count);
    return this.#run(sampling.noise ? "sample with noise" : "sample", count, sampling);
  }

  /** Each example through the mean of its latents, or through a draw of them. */
  async reconstruct(examples: Examples, sampling: Sampling): Promise<Float32Array | undefined> {
    const rows = this.#examples("reconstruct", examples);
    return this.#run(sampling.noise ? "reconstruct with noise" : "reconstruct", rows.count, sampling, rows);
  }

  #examples(place: string, examples: Examples): Rows {
    const { model } = this.parts;
    // Its condition may also be given apart.
    return rowsOf(place, examples, model.resolved.spec.input, { ...needsOf(model), condition: undefined });
  }

  async #run(use: Use, count: number, sampling: Sampling, input?: Rows): Promise<Float32Array | undefined> {
    const { device, model, buffers } = this.parts;
    const { signal, to } = sampling;
    checkPart(model.only, use);
    const width = use === "encode" ? 2 * model.resolved.spec.latent : model.resolved.inputSize;
    const from = input?.source;
    const ours = buffers.inference.params!;
    if (to) checkBuffer("INVALID_OPTION", `${use}: to`, to, "COPY_DST", count, width);
    if (to && to === from) throw invalidOption(`${use}: to is the buffer that is read`);
    const { condition } = model.resolved.spec;
    const conditions =
      condition && conditionTypes[condition.type]!.rows(condition, use, count, sampling.condition, input);
    const result = to ? undefined : allocated(use, count, () => new Float32Array(count * width));
    const turn = this.#last.then(async () => {
      if (from && !ArrayBuffer.isView(from)) await checkOwner("INVALID_DATA", use, device, from, ours);
      if (to) await checkOwner("INVALID_OPTION", `${use}: to`, device, ours, to);
      signal?.throwIfAborted();
      const largest = await this.#plans.bound(use, count);
      const all = () => this.#rows(use, count, sampling, { input, conditions, result });
      // Between two submits a training run could change the weights.
      await (largest.batch < count ? this.parts.lock.reading(all) : all());
      return result;
    });
    this.#last = turn.catch(() => {});
    return abortable(signal, turn);
  }

  /** Computes all rows, as many at once as a plan has. */
  async #rows(use: Use, count: number, sampling: Sampling, given: Given): Promise<void> {
    const { device, model } = this.parts;
    const { result } = given;
    const { signal, to, at } = sampling;
    const width = use === "encode" ? 2 * model.resolved.spec.latent : model.resolved.inputSize;
    for (let first = 0; first < count;) {
      signal?.throwIfAborted();
      const bound = await this.#plans.bound(use, count - first);
      const rows = Math.min(bound.batch, count - first);
      this.#submit(bound, use, first, rows, sampling, given);
      if (first === 0) at?.();
      if (result) result.set(new Float32Array(await this.#read(bound)), first * width);
      first += rows;
      // With `to` nothing else here waits, and a call that never waits could not be aborted.
      if (to && first < count) await device.wait(use, ({ queue }) => queue.onSubmittedWorkDone());
    }
  }

  async #read(bound: Bound): Promise<ArrayBuffer> {
    try {
      return await bound.staging.read();
    } catch (error) {
      // Its staging buffer may still be mapped.
      this.#plans.forget(bound);
      throw error;
    }
  }

  /** Rows from `first` on: from what is given, through the plan, to where they are read or wanted. */
  #submit(
    { executable, staging, output }: Bound,
    use: Use,
    first: number,
    rows: number,
    sampling: Sampling,
    { input, conditions }: Given,
  ) {
    const { device } = this.parts;
    const { seed = 0, call = 0, to, temperature: noise = 1 } = sampling;
    const { latent } = this.parts.model.resolved.spec;
    const width = this.parts.model.resolved.inputSize;
    const [seed_low, seed_high] = seedKey(seed);
    const stream = use.startsWith("sample") ? Stream.prior : Stream.evaluation;
    const stamp = executable.writeSteps([
      { ...idleStep, seed_low, seed_high, step: call, first_row: first, rows, stream, knobs: { noise }, slot: 0 },
    ]);
    const place = executable.locate(output.name);
    const made =
      use === "encode"
        ? unpadded(place, 2 * rows, latent)
        : output.shape.length === 1
          ? unpadded(place, 1, rows * width)
          : unpadded(place, rows, width);
    device.submit(use, (encoder) => {
      if (input) fill(device, encoder, executable.locate(use === "decode" ? "z" : "floats"), input, first, rows);
      const source = conditions?.(first, rows);
      if (source) fill(device, encoder, executable.locate("label"), { source, width: source.length / rows }, 0, rows);
      const pass = encoder.beginComputePass({ label: use });
      executable.encode(pass, 0);
      pass.end();
      if (to) gatherRanges(encoder, made, to, 4 * first * width);
      else staging.copy(encoder, made, stamp);
    });
  }
}

/** Where `rows` rows of `width` values lie, of which each begins at a vec4: one range where they leave nothing out. */
function unpadded({ buffer, offset }: Range, rows: number, width: number): Range[] {
  const stride = padTo4(width);
  if (rows === 1 || stride === width) return [{ buffer, offset, bytes: 4 * rows * width }];
  return Array.from({ length: rows }, (_, row) => ({ buffer, offset: offset + 4 * row * stride, bytes: 4 * width }));
}

/** Puts rows from `first` on to where a plan reads them. */
function fill(
  device: Device,
  encoder: GPUCommandEncoder,
  place: Range,
  { source, width }: Pick<Rows, "source" | "width">,
  first: number,
  rows: number,
): void {
  if (!ArrayBuffer.isView(source)) {
    let at = 4 * first * width;
    for (const { buffer, offset, bytes } of unpadded(place, rows, width)) {
      encoder.copyBufferToBuffer(source, at, buffer, offset, bytes);
      at += bytes;
    }
    return;
  }
  checkBorrowed({ name: "examples", values: source }, (first + rows) * width);
  const stride = padTo4(width);
  const scale = source instanceof Float32Array ? 1 : 1 / 255;
  const padded = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    const from = (first + row) * width;
    for (let i = 0; i < width; i++) padded[row * stride + i] = scale * source[from + i]!;
  }
  device.write(place.buffer, place.offset, padded);
}
