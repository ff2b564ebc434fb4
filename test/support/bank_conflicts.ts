// How long lanes wait for each other at the banks of workgroup memory, counted by what NVIDIA documents of its GPUs, which
// others resemble: successive words of 4 bytes lie in successive ones of 32 banks; a bank delivers one word at a time,
// to all lanes that want this word (CUDA C++ Programming Guide, "Shared Memory"). Of vec4 the banks deliver eight lanes'
// at once, so that an access of 32 lanes goes in four parts, each of eight consecutive lanes, and conflicts are those
// within a part (Volta: Architecture and Performance Optimization, GTC 2018, session S81006). A part takes as many
// passes as the most wanted bank has different words to deliver.
import type { Trace } from "./workgroup_trace.js";

const BANKS = 32;
const WORDS = 4;
const LANES = BANKS / WORDS;

/** The passes that a part takes, each of whose lanes reads or writes one of these elements of an array of vec4. */
export function passesOf(elements: readonly number[]): number {
  const wanted = Array.from({ length: BANKS }, () => new Set<number>());
  for (const element of elements) {
    for (let word = WORDS * element; word < WORDS * (element + 1); word++) wanted[word % BANKS]!.add(word);
  }
  return Math.max(...wanted.map(({ size }) => size));
}

export interface Conflicts {
  /** Accesses, each of eight lanes. */
  readonly parts: number;
  /** Passes that they take: as many where there is no conflict. */
  readonly passes: number;
  /** The most passes of a part. */
  readonly worst: number;
}

/** Throws where the lanes of a workgroup don't access the same arrays in step. */
export function conflictsOf(trace: Trace): Conflicts {
  let [parts, passes, worst] = [0, 0, 0];
  for (const lanes of trace) {
    for (let first = 0; first < lanes.length; first += LANES) {
      const part = lanes.slice(first, first + LANES);
      if (new Set(part.map((accesses) => accesses.map(({ array }) => array).join())).size > 1) {
        throw new Error("lanes of a workgroup go different ways");
      }
      part[0]!.forEach((_, i) => {
        const taken = passesOf(part.map((accesses) => accesses[i]!.element));
        parts++;
        passes += taken;
        worst = Math.max(worst, taken);
      });
    }
  }
  return { parts, passes, worst };
}
