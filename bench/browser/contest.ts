// One case: all libraries train the same model from the same weights, on the same batch, with the same noise; first
// their losses are compared, then they are timed in turns, one at a time.
import type { ComparedModel } from "./cases.js";
import { Contestant } from "./contestant.js";
import { trainingImages } from "./images.js";
import { modelSteps } from "./layers.js";
import { trainingNoise } from "./noise.js";
import type { PageFiles } from "./pages.js";
import { WEBVAE, type KnownPeer } from "./peers.js";
import type { Job } from "./protocol.js";
import type { PeerResult } from "./results.js";
import { PageServer } from "./server.js";
import { Session, type BrowserOptions } from "./session.js";

const SEED = 1;
const NOISE_STEPS = 16;

export interface ContestOptions {
  readonly repeats: number;
  readonly limitSeconds: number;
  readonly processors: number;
  readonly browser: BrowserOptions;
  /** Told of every result as it stands, and of what is being done. */
  readonly progress: (text: string) => void;
}

export interface Contest {
  readonly results: PeerResult[];
  readonly adapter: string | null;
  /** Its version, such as "Chrome/150.0.1". */
  readonly browser: string;
}

export async function runContest(
  name: string,
  { spec, batch }: ComparedModel,
  webvaeFiles: PageFiles,
  peers: readonly (readonly [KnownPeer, PageFiles])[],
  options: ContestOptions,
): Promise<Contest> {
  modelSteps(spec); // faults of the spec, before anything is started
  const server = await PageServer.open();
  const limitMs = 1000 * options.limitSeconds;
  const webvae = new Contestant(WEBVAE, webvaeFiles, limitMs);
  const others = peers.map(([known, files]) => new Contestant(known, files, limitMs));
  const all = [webvae, ...others];
  const say = (text: string) => options.progress(`${name} ${batch}: ${text}`);
  try {
    const { processors, browser } = options;
    const job: Job = { spec, batch, seed: SEED, learningRate: 1e-3, noiseSteps: NOISE_STEPS, processors };
    server.files.set("/job.json", JSON.stringify(job));
    server.files.set("/images", trainingImages(spec.input, batch));
    server.files.set("/noise", noiseOf(job));
    server.files.set("/weights", new Uint8Array());
    const start = async (contestant: Contestant) => {
      say(`${contestant.known.name} starts`);
      const { known, files } = contestant;
      const url = server.addPage(known.name, files);
      await contestant.start(() => Session.open(`${url}?backend=${known.backend}`, browser));
    };
    await start(webvae);
    await webvae.ask("sendWeights");
    const adapter = (await webvae.ask("adapter")) ?? null;
    for (const peer of others) {
      if (webvae.error) peer.error = "webvae did not start, and its are the weights to begin with";
      else await start(peer);
      peer.check(webvae.losses);
      say(`${peer.known.name}: ${peer.error ?? "losses agree"}`);
    }
    for (let round = 1; round <= options.repeats; round++) {
      await webvae.repeat();
      for (const peer of others) {
        await peer.repeat();
        peer.check(webvae.losses);
      }
      say(`round ${round} of ${options.repeats}`);
    }
    for (const contestant of all) await contestant.finish();
    return {
      results: all.map((contestant) => contestant.result(name, batch, webvae)),
      adapter,
      browser: webvae.session?.version ?? "",
    };
  } finally {
    await Promise.all(all.map(async ({ session }) => session?.close()));
    server.close();
  }
}

function noiseOf({ spec, batch, seed, noiseSteps }: Job): Uint8Array {
  const steps = Array.from({ length: noiseSteps }, (_, step) => trainingNoise(seed, step, batch, spec.latent));
  return new Uint8Array(Buffer.concat(steps.map(({ buffer }) => new Uint8Array(buffer))));
}
