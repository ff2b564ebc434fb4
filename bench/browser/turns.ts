// The order of a contest, on a page or in Node: webvae provides the initial weights, the others' losses are compared
// with its losses, and all are timed in turn, one at a time.
import type { Contestant } from "./contestant.js";

export interface Turns {
  readonly repeats: number;
  readonly start: (contestant: Contestant) => Promise<void>;
  readonly say: (text: string) => void;
}

/** The adapter's name, if webvae got one. */
export async function takeTurns(
  webvae: Contestant,
  others: readonly Contestant[],
  { repeats, start, say }: Turns,
): Promise<string | null> {
  const starts = async (contestant: Contestant) => {
    say(`${contestant.known.name} starts`);
    await start(contestant);
  };
  await starts(webvae);
  await webvae.ask("sendWeights");
  const adapter = (await webvae.ask("adapter")) ?? null;
  for (const peer of others) {
    if (webvae.error) peer.error = "webvae, which provides the initial weights, did not start";
    else await starts(peer);
    peer.check(webvae.losses);
    say(`${peer.known.name}: ${peer.error ?? "losses agree"}`);
  }
  for (let round = 1; round <= repeats; round++) {
    await webvae.repeat();
    for (const peer of others) {
      await peer.repeat();
      peer.check(webvae.losses);
    }
    say(`round ${round} of ${repeats}`);
  }
  for (const contestant of [webvae, ...others]) await contestant.finish();
  return adapter;
}
