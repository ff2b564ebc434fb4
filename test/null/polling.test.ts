import { setImmediate as nodes } from "node:timers";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isSoftware, openGpu } from "../../node/gpu.js";
import { easedImmediate } from "../../node/polling.js";
import { open } from "../support/gpu.js";

type Callback = (...values: unknown[]) => void;

/** The callbacks that Dawn passes to setImmediate while something is awaited. */
async function dawnsPoll(): Promise<Callback> {
  const device = await open({ backend: "null" });
  // Earlier waits no longer poll.
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
    // Only the clock moves: the callbacks are Dawn's and must not be called out of turn.
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

  /** Polls every `ms`, this many times. Returns how many were immediate, and how many used a timer. */
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

  it("follow each other immediately for the first millisecond of a wait, then with a timer", () => {
    expect(pollEvery(0.25, 4)).toEqual({ immediate: 4, timed: 0 });
    expect(pollEvery(0.25, 20)).toEqual({ immediate: 0, timed: 20 });
  });

  it("are immediate again in the next wait", () => {
    pollEvery(1, 20);
    now += 10;
    expect(pollEvery(0.25, 4)).toEqual({ immediate: 4, timed: 0 });
  });

  it("are distinguished from other calls, which are unaffected", () => {
    pollEvery(1, 20);
    const others: Callback[] = [() => {}, function () {}, (() => {}).bind(null), Math.max as Callback];
    for (const other of others) {
      set(other, 1, 2);
      expect(immediately).toHaveBeenLastCalledWith(other, 1, 2);
    }
  });
});

it("are slowed down by openGpu only if the adapter is a CPU", async () => {
  const adapter = await (await openGpu()).requestAdapter();
  expect(globalThis.setImmediate !== nodes).toBe(isSoftware(adapter!));
});

it("setImmediate keeps its other forms", async () => {
  const eased = easedImmediate(setImmediate);
  expect(await promisify(eased)("value")).toBe("value");
  clearImmediate(eased(() => expect.unreachable("was cleared")));
});
