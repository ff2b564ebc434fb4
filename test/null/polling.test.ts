import { setImmediate as nodes } from "node:timers";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isSoftware, openGpu } from "../../node/gpu.js";
import { easedImmediate } from "../../node/polling.js";
import { open } from "../support/gpu.js";

type Callback = (...values: unknown[]) => void;

/** What Dawn itself hands to setImmediate while something is awaited. */
async function dawnsPoll(): Promise<Callback> {
  const device = await open({ backend: "null" });
  // What was awaited before polls no more.
  await new Promise((done) => setTimeout(done, 10));
  const before = globalThis.setImmediate;
  const polls: Callback[] = [];
  globalThis.setImmediate = ((callback: Callback, ...values: unknown[]) => {
    polls.push(callback);
    return before(callback, ...values);
  }) as typeof setImmediate;
  try {
    await device.queue.onSubmittedWorkDone();
  } finally {
    globalThis.setImmediate = before;
    device.destroy();
  }
  expect(polls).not.toEqual([]);
  return polls[0]!;
}

describe("polls of Dawn", () => {
  let now: number;
  let poll: Callback;
  let immediately: ReturnType<typeof vi.fn>;
  let set: (callback: Callback, ...values: unknown[]) => unknown;

  beforeEach(async () => {
    poll = await dawnsPoll();
    // The clock alone moves: the callbacks are Dawn's own and must not be called out of turn.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    now = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    immediately = vi.fn();
    set = easedImmediate(immediately as unknown as typeof setImmediate);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** A poll every `ms`, as many times. How many of them went on at once, and how many to a timer. */
  function pollEvery(ms: number, times: number) {
    const before = { immediate: immediately.mock.calls.length, timed: vi.getTimerCount() };
    for (let i = 0; i < times; i++) {
      set(poll);
      now += ms;
    }
    return {
      immediate: immediately.mock.calls.length - before.immediate,
      timed: vi.getTimerCount() - before.timed,
    };
  }

  it("follow each other at once for a millisecond of a wait, and then by a timer", () => {
    expect(pollEvery(0.25, 4)).toEqual({ immediate: 4, timed: 0 });
    expect(pollEvery(0.25, 20)).toEqual({ immediate: 0, timed: 20 });
  });

  it("are at once again in the next wait", () => {
    pollEvery(1, 20);
    now += 10;
    expect(pollEvery(0.25, 4)).toEqual({ immediate: 4, timed: 0 });
  });

  it("are told from others' calls, which go on as they are", () => {
    pollEvery(1, 20);
    const others: Callback[] = [() => {}, function () {}, (() => {}).bind(null), Math.max as Callback];
    for (const other of others) {
      set(other, 1, 2);
      expect(immediately).toHaveBeenLastCalledWith(other, 1, 2);
    }
  });
});

it("are eased by openGpu where the adapter is a processor, and there alone", async () => {
  const adapter = await (await openGpu()).requestAdapter();
  expect(globalThis.setImmediate !== nodes).toBe(isSoftware(adapter!));
});

it("setImmediate keeps its other forms", async () => {
  const eased = easedImmediate(setImmediate);
  expect(await promisify(eased)("value")).toBe("value");
  clearImmediate(eased(() => expect.unreachable("was cleared")));
});
