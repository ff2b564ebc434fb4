// A sample of the walk over the heap; `npm run soak -- heap` makes ten thousand calls of each kind.
import { expect, test } from "vitest";
import { heapKinds, walkHeap, walkLives, type HeapWalk } from "../soak/heap.js";

/** Cheap ones are called more often: what the engine itself does meanwhile is 20 KB or so, whatever is called. */
const sizes: Readonly<Record<string, number>> = {
  elbo: 250,
  score: 250,
  "train, a run of one step": 250,
  save: 1000,
  "save with its training state": 1000,
};
/** Bytes of the heap that a part of the walk may gain, for what the engine compiles and forgets meanwhile. */
const ENGINE = 60_000;

function judge({ name, runs, bytes, arrayBytes, buffers }: HeapWalk) {
  console.log(`${name}: ${runs} times, ${bytes.toFixed(1)} bytes each`);
  expect(bytes).toBeLessThan(20 + (5 * ENGINE) / runs);
  expect(arrayBytes).toBeLessThan(1);
  expect(buffers).toBe(0);
}

test.each(heapKinds)("%s leaves nothing", async (kind) => judge(await walkHeap(kind, sizes[kind] ?? 2500)));

test("VAEs that are disposed of leave nothing", async () => judge(await walkLives(50)));
