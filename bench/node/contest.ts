// One case in Node: like bench:peers, but all libraries run in this process on the same source of WebGPU devices.
import type { ComparedModel } from "../browser/cases.js";
import { Contestant } from "../browser/contestant.js";
import type { GpuCounters } from "../browser/counters.js";
import { trainingImages } from "../browser/images.js";
import { jobOf, noiseOf } from "../browser/job.js";
import { modelSteps } from "../browser/layers.js";
import type { PeerResult } from "../browser/results.js";
import { takeTurns } from "../browser/turns.js";
import { webvae, type NodePeer } from "./peers.js";
import { NodeSession, type Shared } from "./session.js";

export interface NodeContestOptions {
  readonly repeats: number;
  readonly seconds: number;
  readonly limitSeconds: number;
  readonly processors: number;
  readonly gpu: GPU;
  readonly counts: GpuCounters;
  readonly progress: (text: string) => void;
}

export async function runNodeContest(
  name: string,
  { spec, batch }: ComparedModel,
  peers: readonly NodePeer[],
  options: NodeContestOptions,
): Promise<PeerResult[]> {
  modelSteps(spec); // throws if the spec is wrong, before anything is started
  const { gpu, counts, processors, repeats, seconds, limitSeconds } = options;
  const job = jobOf({ spec, batch }, processors);
  const images = trainingImages(spec.input, batch);
  const shared: Shared = { gpu, counts, job, images, noise: noiseOf(job), weights: new Map() };
  const contestants = [webvae, ...peers].map((peer) => ({
    peer,
    contestant: new Contestant(peer.known, new Map(), 1000 * limitSeconds, seconds),
  }));
  const [reference, ...others] = contestants.map(({ contestant }) => contestant);
  const start = async (contestant: Contestant) => {
    const { peer } = contestants.find((one) => one.contestant === contestant)!;
    const open = await peer.load();
    await contestant.start(() => Promise.resolve(new NodeSession(shared, peer, open)));
  };
  const say = (text: string) => options.progress(`${name} ${batch}: ${text}`);
  try {
    await takeTurns(reference!, others, { repeats, start, say });
    return contestants.map(({ contestant }) => contestant.result(name, batch, reference!));
  } finally {
    for (const { contestant } of contestants) await contestant.session?.close();
  }
}
