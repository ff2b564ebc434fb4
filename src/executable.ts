// A Plan bound to a device: its buffers, pipelines and bind groups. Everything is made here, once; recording a step
// afterwards creates no GPU object.
import type { Device, Pipeline } from "./device.js";
import { WebvaeError } from "./errors.js";
import type { Place, Plan, Shaders } from "./plan.js";
import { ONE } from "./graph.js";
import { checkLimits, folded } from "./plan.js";
import { nextStamp, STAMP_BYTES, type Stamp } from "./readback.js";
import { packUniform, runsOn, STEP_STRIDE } from "./shader.js";
import type { ShaderSource } from "./shader_source.js";

/** The values of lib/step.wgsl's Step for one step, by its names. */
export interface StepValues {
  readonly seed_low: number;
  readonly seed_high: number;
  readonly step: number;
  readonly slot: number;
  readonly epoch: number;
  readonly first_row: number;
  readonly rows: number;
  readonly stream: number;
  readonly sample: number;
  readonly gradient_scale: number;
  /** By name, at least those that the plan's nodes read. */
  readonly knobs: Readonly<Record<string, number>>;
}

export interface ExecutableOptions {
  /** Bytes left free before and after every buffer: tests put guard words there. A multiple of 256. */
  readonly guardBytes?: number;
  /** The most workgroups in a row: tests set it to fold small dispatches too. Default: the device's limit. */
  readonly mostWorkgroups?: number;
}

const countNull = (bindings: object) => Object.values(bindings).filter((place) => place === null).length;

interface Recorded {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly tensors: GPUBindGroup;
  readonly workgroups: readonly [number, number];
}

const STORAGE = 0x80 | 0x08 | 0x04; // GPUBufferUsage.STORAGE | COPY_DST | COPY_SRC
const UNIFORM = 0x40 | 0x08; // GPUBufferUsage.UNIFORM | COPY_DST
const COPY_SRC = 0x04;

interface Planned {
  readonly plan: Plan;
  readonly shaders: Shaders;
}

/**
 * The pipelines of a plan's dispatches, compiled in parallel, since compiling is most of the time to the first step.
 * Throws UNSUPPORTED if a shader needs a feature that the device lacks.
 */
export async function compile(device: Device, { plan, shaders }: Planned): Promise<Pipeline[]> {
  const lacking = [...shaders.values()].find((shader) => !runsOn(shader, device.gpu));
  if (lacking) {
    const { name, features } = lacking;
    throw new WebvaeError("UNSUPPORTED", `${name} needs ${features.join(", ")}, which ${device.adapterName} lacks`);
  }
  const pipelines = plan.dispatches.map(({ shader: name, entryPoint, constants }) => {
    const shader = shaders.get(name);
    if (!shader) throw new Error(`no shader is named ${name}`);
    return device.pipeline(shader, entryPoint, constants);
  });
  return Promise.all(pipelines);
}

export class Executable {
  #disposed = false;
  private constructor(
    private readonly device: Device,
    readonly plan: Plan,
    /** Every buffer of the plan by name: made here, or given. */
    readonly buffers: ReadonlyMap<string, GPUBuffer>,
    private readonly owned: readonly GPUBuffer[],
    private readonly steps: GPUBuffer,
    private readonly stepGroup: GPUBindGroup,
    private readonly stepShader: ShaderSource | undefined,
    private readonly recorded: readonly Recorded[],
    private readonly guardBytes: number,
  ) {}

  /**
   * Makes what `plan` needs on `device`. Buffers in `given` are used but stay the caller's; slots given must be large
   * enough. Throws LIMIT_EXCEEDED before anything is allocated; OUT_OF_MEMORY and DEVICE_LOST with nothing left behind.
   */
  static async create(
    device: Device,
    planned: Planned,
    given: Readonly<Record<string, GPUBuffer>> = {},
    options: ExecutableOptions = {},
  ): Promise<Executable> {
    const { plan, shaders } = planned;
    checkLimits(plan, device.gpu.limits);
    device.assertAlive();
    const { guardBytes = 0, mostWorkgroups = device.gpu.limits.maxComputeWorkgroupsPerDimension } = options;
    const pipelines = await compile(device, planned);
    return device.allocating("the model's buffers", () => {
      const owned: GPUBuffer[] = [];
      const make = (label: string, bytes: number, usage: number) => {
        const buffer = device.buffer(label, bytes, usage);
        owned.push(buffer);
        return buffer;
      };
      const buffers = new Map(Object.entries(given));
      for (const [name, { bytes }] of Object.entries(plan.buffers)) {
        if (!buffers.has(name)) buffers.set(name, make(name, bytes + 2 * guardBytes, STORAGE));
      }
      // An output that a dispatch doesn't keep still needs something bound: a range for each, for two writable
      // bindings must not overlap.
      const unkept = Math.max(1, ...plan.dispatches.map(({ bindings }) => countNull(bindings)));
      const nothing = make("nothing", unkept * 256, STORAGE);
      const uniforms = make("shapes", Math.max(1, plan.dispatches.length) * STEP_STRIDE, UNIFORM);
      const steps = make("steps", plan.slots * STEP_STRIDE, UNIFORM | COPY_SRC);
      let unused = 0;
      const resource = (place: Place | null): GPUBufferBinding => {
        const buffer = place && buffers.get(place.buffer);
        if (!place || !buffer) return { buffer: nothing, offset: 256 * unused++, size: 16 };
        const guard = place.buffer in given ? 0 : guardBytes;
        return { buffer, offset: place.offset + guard, size: place.bytes };
      };
      const recorded = plan.dispatches.map((dispatch, index): Recorded => {
        const shader = shaders.get(dispatch.shader)!;
        const { pipeline, layout } = pipelines[index]!;
        const shape = packUniform(shader, "shape", dispatch.shape);
        device.write(uniforms, index * STEP_STRIDE, shape);
        unused = 0;
        const entries = (shader.entryPoints[dispatch.entryPoint]?.bindings ?? []).flatMap((name) => {
          const binding = shader.bindings[name];
          if (!binding || binding.group !== 0) return [];
          const uniform = { buffer: uniforms, offset: index * STEP_STRIDE, size: shape.byteLength };
          return [
            {
              binding: binding.binding,
              resource: binding.access === "uniform" ? uniform : resource(dispatch.bindings[name] ?? null),
            },
          ];
        });
        const tensors = device.call(dispatch.label, (gpu) =>
          gpu.createBindGroup({ label: dispatch.label, layout, entries }),
        );
        return { label: dispatch.label, pipeline, tensors, workgroups: folded(dispatch.workgroups, mostWorkgroups) };
      });
      const stepGroup = device.call("step", (gpu) =>
        gpu.createBindGroup({
          label: "step",
          layout: device.stepLayout,
          entries: [{ binding: 0, resource: { buffer: steps, size: STEP_STRIDE } }],
        }),
      );
      const stepShader = [...shaders.values()].find((shader) => "step" in shader.uniforms);
      return new Executable(device, plan, buffers, owned, steps, stepGroup, stepShader, recorded, guardBytes);
    });
  }

  /**
   * Writes the Steps of the next submit: as many as it will encode, at least one and at most `plan.slots`. Returns the
   * stamp whose copy in the read-back proves that the submit ran with these Steps. It lies at the end of the last
   * Step's stride.
   */
  writeSteps(values: readonly StepValues[]): Stamp {
    const bytes = new Uint8Array(values.length * STEP_STRIDE);
    values.forEach((step, index) => {
      if (!this.stepShader) return;
      const given: Record<string, number> = { ...step.knobs, [ONE]: 1 };
      const knobs = this.plan.knobs.map((name) => given[name]);
      bytes.set(new Uint8Array(packUniform(this.stepShader, "step", { ...step, knobs })), index * STEP_STRIDE);
    });
    const [value, offset] = [nextStamp(), bytes.length - STAMP_BYTES];
    new DataView(bytes.buffer).setUint32(offset, value, true);
    this.device.write(this.steps, 0, bytes);
    return { place: { buffer: this.steps, offset, bytes: STAMP_BYTES }, value };
  }

  /** Records one step, which reads the Step at place `index` of those written. */
  encode(pass: GPUComputePassEncoder, index: number, from = 0, to = this.recorded.length): void {
    pass.setBindGroup(1, this.stepGroup, [index * STEP_STRIDE]);
    for (const { pipeline, tensors, workgroups } of this.recorded.slice(from, to)) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, tensors);
      pass.dispatchWorkgroups(...workgroups);
    }
  }

  /** A tensor's place as a buffer and a range in it. */
  locate(tensor: string): { buffer: GPUBuffer; offset: number; bytes: number } {
    const place = this.plan.places[tensor];
    const buffer = place && this.buffers.get(place.buffer);
    if (!place || !buffer) throw new Error(`no tensor is named ${tensor}`);
    const guard = this.owned.includes(buffer) ? this.guardBytes : 0;
    return { buffer, offset: place.offset + guard, bytes: place.bytes };
  }

  /** Releases the buffers made by `create`. Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.owned) this.device.release(buffer);
  }
}
