// The plans of encoding, decoding, reconstructing and sampling: one for a few batch sizes each, bound to the GPU when
// it is first used. A small one makes a picture of one latent cost little more than one row of the products.
import type { RunParts } from "./evaluation.js";
import { Executable } from "./executable.js";
import type { Node } from "./graph.js";
import type { Schedule } from "./ops/op.js";
import { once } from "./once.js";
import { fittingBatch, plan } from "./plan.js";
import { Staging } from "./readback.js";
import { size, type Tensor } from "./tensor.js";
import { scheduleOf } from "./products.js";
import { flats } from "./parameters.js";
import { decodingGraph, encodingGraph, reconstructionGraph, samplingGraph } from "./vae.js";

export type Use = "encode" | "decode" | "sample" | "sample with noise" | "reconstruct" | "reconstruct with noise";

export interface Bound {
  readonly key: string;
  readonly batch: number;
  readonly executable: Executable;
  readonly staging: Staging;
  readonly output: Tensor;
}

/** Rows that a plan computes at once, where the adapter's limits allow. Each divides the next. */
const BATCHES = [1, 8, 64];
const MOST = 64;

interface Chosen {
  /** The largest batch that fits, a power of two. */
  readonly most: number;
  readonly schedule: (node: Node) => Schedule;
}

export class SamplingPlans {
  readonly #chosen = new Map<Use, Promise<Chosen>>();
  readonly #bound = new Map<string, Promise<Bound>>();

  constructor(private readonly parts: RunParts) {}

  /** The plan for the next rows where `left` are still to be computed. */
  async bound(use: Use, left: number): Promise<Bound> {
    const { most, schedule } = await once(this.#chosen, use, () => this.#choose(use));
    const batch = Math.min(most, BATCHES.find((size) => size >= left) ?? MOST);
    const key = `${use} ${batch}`;
    return once(this.#bound, key, async () => ({ key, ...(await this.#bind(use, batch, schedule)) }));
  }

  /** Releases a plan's buffers; the next call that needs the plan makes new ones. */
  forget(bound: Bound): void {
    this.#bound.delete(bound.key);
    bound.executable.dispose();
    bound.staging.dispose();
  }

  /** All batch sizes run the schedules of the largest, so that an example is the same bits in any of them. */
  async #choose(use: Use): Promise<Chosen> {
    const { device, tuner } = this.parts;
    const fits = fittingBatch(MOST, (batch) => this.#plan(use, batch).plan, device.gpu.limits) || 1;
    const most = 2 ** Math.floor(Math.log2(fits));
    const { graph } = this.#plan(use, most);
    const schedule = scheduleOf(await tuner.choose(graph));
    const chosen = new Map(graph.nodes.map((node) => [outputOf(node).name, schedule(node)]));
    return { most, schedule: (node) => chosen.get(outputOf(node).name)! };
  }

  async #bind(use: Use, batch: number, schedule: Chosen["schedule"]): Promise<Omit<Bound, "key">> {
    const { device, buffers } = this.parts;
    const { output, ...planned } = this.#plan(use, batch, schedule);
    const executable = await Executable.create(device, planned, buffers.inference);
    try {
      const staging = await device.allocating("a read-back", () => new Staging(device, 4 * size(output.storage)));
      return { batch, executable, staging, output };
    } catch (error) {
      executable.dispose();
      throw error;
    }
  }

  #plan(use: Use, batch: number, schedule?: Chosen["schedule"]) {
    const { model } = this.parts;
    const [what, noise] = [use.split(" ")[0], use.endsWith("noise")];
    const graph =
      what === "encode"
        ? encodingGraph(model, batch)
        : what === "decode"
          ? decodingGraph(model, batch)
          : (what === "sample" ? samplingGraph : reconstructionGraph)(model, batch, noise);
    const output = outputOf(graph.nodes.at(-1)!);
    const planned = plan(graph, { flats: flats(model), keep: [output.name], schedule });
    return { graph, output, ...planned };
  }
}

/** What a node is for. */
const outputOf = (node: Node): Tensor => Object.values(node.outputs)[0]!;
