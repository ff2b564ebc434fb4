// One case: all libraries train the same model from the same weights, on the same batch, with the same noise. First
// their losses are compared, then they are timed in turn, one at a time.
import type { ComparedModel } from "./cases.js";
import { Contestant } from "./contestant.js";
import { trainingImages } from "./images.js";
import { jobOf, noiseOf } from "./job.js";
import { modelSteps } from "./layers.js";
import type { PageFiles } from "./page_files.js";
import { WEBVAE, type KnownPeer } from "./peers.js";
import type { PeerResult } from "./results.js";
import { PageServer } from "./server.js";
import { Session, type BrowserOptions } from "./session.js";
import { takeTurns } from "./turns.js";

export interface ContestOptions {
  readonly repeats: number;
  readonly limitSeconds: number;
  readonly processors: number;
  readonly browser: BrowserOptions;
  /** Called with every result so far, and with progress messages. */
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
  modelSteps(spec); // throws if the spec is wrong, before anything is started
  const server = await PageServer.open();
  const limitMs = 1000 * options.limitSeconds;
  const webvae = new Contestant(WEBVAE, webvaeFiles, limitMs);
  const others = peers.map(([known, files]) => new Contestant(known, files, limitMs));
  const all = [webvae, ...others];
  const say = (text: string) => options.progress(`${name} ${batch}: ${text}`);
  try {
    const { processors, browser } = options;
    const job = jobOf({ spec, batch }, processors);
    server.files.set("/job.json", JSON.stringify(job));
    server.files.set("/images", trainingImages(spec.input, batch));
    server.files.set("/noise", new Uint8Array(Buffer.concat(noiseOf(job).map(({ buffer }) => new Uint8Array(buffer)))));
    server.files.set("/weights", new Uint8Array());
    const start = async (contestant: Contestant) => {
      const { known, files } = contestant;
      const url = server.addPage(known.name, files);
      await contestant.start(() => Session.open(`${url}?backend=${known.backend}`, browser));
    };
    const adapter = await takeTurns(webvae, others, { repeats: options.repeats, start, say });
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
