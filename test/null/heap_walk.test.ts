// A sample of the heap walk; `npm run soak -- heap` makes ten thousand calls of each kind.
import { expect, test } from "vitest";
import { heapKinds, walkHeap, walkLives, type HeapWalk } from "../soak/heap.js";

/** Cheap calls are made more often, since the engine itself uses about 20 KB whatever is called. */
const sizes: Readonly<Record<string, number>> = {
  elbo: 250,
  score: 250,
  logLikelihood: 250,
  "train, a run of one step": 250,
  save: 1000,
  "save with its training state": 1000,
};
/** Bytes that the heap may grow in a part of the walk, for code that the engine compiles and drops meanwhile. */
const ENGINE = 60_000;

function judge({ name, runs, bytes, arrayBytes, buffers }: HeapWalk) {
  console.log(`${name}: ${runs} times, ${bytes.toFixed(1)} bytes each`);
  expect(bytes).toBeLessThan(20 + (5 * ENGINE) / runs);
  expect(arrayBytes).toBeLessThan(1);
  expect(buffers).toBe(0);
}

test.each(heapKinds)("%s leaks nothing", async (kind) => judge(await walkHeap(kind, sizes[kind] ?? 2500)));

test("disposed VAEs leak nothing", async () => judge(await walkLives(50)));
