// A VAE may have only one part of its model, because its file had no more (checkpoint.ts).
import { WebvaeError } from "./errors.js";

/** encoder: its layers and the heads. decoder: everything else, which is what sampling needs. */
export type ModelPart = "encoder" | "decoder";

/** The part that there is. */
export interface Only {
  readonly part: ModelPart;
  /** The calls that need no other. */
  readonly calls: readonly string[];
  /** What errors of all others say. */
  readonly refusal: string;
}

/** Throws UNSUPPORTED if `call` needs the part that there isn't. */
export function checkPart(only: Only | undefined, call: string): void {
  if (!only || only.calls.includes(call)) return;
  throw new WebvaeError("UNSUPPORTED", `${call}: ${only.refusal}`);
}
