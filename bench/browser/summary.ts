// The comparison on the terminal: one line per result, and with --json the last line of stdout.
import { significant } from "./markdown.js";
import type { Comparison, PeerResult } from "./results.js";

const shared = [
  "model",
  "batch",
  "peer",
  "medianMs",
  "spreadMs",
  "firstStepMs",
  "kernels",
  "submits",
  "speedup",
] as const;

/** {"adapter","commit","results":[...]} for scripts; the stored file has more. */
export function summary({ adapter, commit, results }: Comparison) {
  return { adapter, commit, results: summaryRows(results) };
}

export function summaryRows(results: readonly PeerResult[]) {
  return results.map((result) => ({
    ...(Object.fromEntries(shared.map((key) => [key, result[key]])) as Pick<PeerResult, (typeof shared)[number]>),
    error: result.error,
  }));
}

export function resultLine(result: PeerResult): string {
  const { model, batch, peer, medianMs, fastestMs, slowestMs, speedup, error } = result;
  const start = `${model} ${batch} ${peer}`.padEnd(26);
  if (medianMs === null) return `${start} ${error ?? "not measured"}`;
  const range = `${significant(fastestMs ?? medianMs)} to ${significant(slowestMs ?? medianMs)}`;
  const factor = speedup === null || peer === "webvae" ? "" : `, ${significant(speedup)} x webvae`;
  return `${start} ${significant(medianMs).padStart(7)} ms (${range}, ${result.repetitions} repetitions)${factor}`;
}
