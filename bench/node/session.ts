// One library in this process, which answers the same calls as a page in Chrome.
import { adapterName } from "../../node/gpu.js";
import type { PageSession } from "../browser/contestant.js";
import type { GpuCounters } from "../browser/counters.js";
import { peerCalls, weightsIn } from "../browser/peer_calls.js";
import { TimeUp, type Job, type Material, type OpenPeer, type PageCalls, type Weight } from "../browser/protocol.js";
import type { NodePeer } from "./peers.js";

/** What all libraries in a case share. */
export interface Shared {
  readonly gpu: GPU;
  readonly counts: GpuCounters;
  readonly job: Job;
  readonly images: Uint8Array<ArrayBuffer>;
  readonly noise: readonly Float32Array<ArrayBuffer>[];
  /** webvae's initial weights, once it has sent them. */
  weights: ReadonlyMap<string, Weight>;
}

export class NodeSession implements PageSession {
  readonly version = `Node ${process.version}`;
  #busy: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #calls: PageCalls;
  readonly #dispose: () => void;

  /** `open`: the library, already loaded, so that its first step does not include reading it from disk. */
  constructor(shared: Shared, peer: NodePeer, open: OpenPeer) {
    const calls = peerCalls(shared.counts);
    this.#dispose = () => calls.opened().dispose?.();
    const { job, images, noise, gpu } = shared;
    this.#calls = {
      losses: calls.losses,
      measure: calls.measure,
      start: async () => {
        const { backend } = peer.known;
        const { weights } = shared;
        const material: Material = { job, backend, precision: peer.precision, weights, images, noise };
        return { ...(await calls.start(material, () => Promise.resolve(open))), fetched: [] };
      },
      // Libraries that share a process share its memory.
      memory: () => Promise.resolve({ gpuBytes: null, hostBytes: null }),
      adapter: async () => {
        const adapter = await gpu.requestAdapter();
        return adapter && adapterName(adapter);
      },
      sendWeights: async () => {
        const saved = await calls.opened().firstWeights?.();
        if (saved) shared.weights = weightsIn(saved);
      },
    };
  }

  /** Throws TimeUp if it takes longer than `limitMs`; running work cannot be stopped, so close() waits for it. */
  async call<Name extends keyof PageCalls>(
    name: Name,
    limitMs: number,
    ...inputs: Parameters<PageCalls[Name]>
  ): Promise<Awaited<ReturnType<PageCalls[Name]>>> {
    if (this.#closed) throw new Error("its session is closed");
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TimeUp()), limitMs);
    });
    const call = this.#calls[name] as (...given: unknown[]) => Promise<Awaited<ReturnType<PageCalls[Name]>>>;
    const called = call(...inputs);
    this.#busy = called.catch(() => {});
    try {
      return await Promise.race([called, over]);
    } finally {
      clearTimeout(timer);
    }
  }

  heapBytes(): Promise<null> {
    return Promise.resolve(null);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The next library must have the device to itself.
    await this.#busy;
    try {
      this.#dispose();
    } catch {
      // It did not start, or the device that it would free is lost.
    }
  }
}
