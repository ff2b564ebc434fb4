// The calls to a peer, on a page or in Node, and what is counted during them.
import { asFloat32, readSafetensors } from "../../src/safetensors.js";
import type { GpuCounters } from "./counters.js";
import type { Counted, Material, OpenPeer, PageCalls, Peer, Started, Weight } from "./protocol.js";

export interface PeerCalls extends Pick<PageCalls, "losses" | "measure"> {
  /** Loads the library, opens it, and runs and times its first step. */
  start(material: Material, load: () => Promise<OpenPeer>): Promise<Omit<Started, "fetched">>;
  /** Throws before `start`. */
  opened(): Peer;
}

export function peerCalls(counts: GpuCounters): PeerCalls {
  let peer: Peer | undefined;
  const opened = () => {
    if (!peer) throw new Error("not started");
    return peer;
  };
  return {
    opened,
    async start(material, load) {
      const started = performance.now();
      const open = await load();
      peer = await open(material);
      const [loss = NaN] = await peer.losses(1);
      return { firstStepMs: performance.now() - started, loss, detail: peer.detail };
    },
    losses: (count) => opened().losses(count),
    async measure(pace): Promise<Counted> {
      const [dispatches, submits] = [counts.dispatches, counts.submits];
      const timed = await opened().measure(pace);
      if (counts.dispatches === 0) return { ...timed, kernels: null, submits: null };
      return {
        ...timed,
        kernels: (counts.dispatches - dispatches) / timed.steps,
        submits: timed.submits ?? (counts.submits - submits) / timed.steps,
      };
    },
  };
}

/** The tensors of a safetensors file; none if it is empty. */
export function weightsIn(saved: Uint8Array<ArrayBuffer>): Map<string, Weight> {
  if (saved.length === 0) return new Map();
  return new Map(
    [...readSafetensors(saved).tensors].map(([name, tensor]) => [
      name,
      { shape: tensor.shape, values: asFloat32(tensor, name) },
    ]),
  );
}
