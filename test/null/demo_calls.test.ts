// No call of the demo's page waits forever: tests each one with a worker that is missing, throws while loading, dies
// before it answers, or sends an unreadable message.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerPage, BEAT_MS, callWorker, MISSED_BEATS, type Handlers, type WorkerEnd } from "../../demo/calls.js";
import { PageFault, WORKER_LOST } from "../../demo/faults.js";
import type { Commands, Told } from "../../demo/protocol.js";
import { defaults } from "../../demo/settings.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A worker simulated by messages, which arrive one task later. `alive`: whether it has loaded and still runs. */
class FakeWorker extends EventTarget {
  alive = true;
  terminated = false;
  /** The messages in the worker's own scope. */
  readonly scope = Object.assign(new EventTarget(), {
    postMessage: (message: unknown) => this.#send(this, message, () => true),
  });

  postMessage(message: unknown) {
    this.#send(this.scope, message, () => this.alive);
  }

  terminate() {
    this.alive = false;
    this.terminated = true;
  }

  #send(to: EventTarget, data: unknown, heard: () => boolean) {
    const copy = structuredClone(data);
    setTimeout(() => void (heard() && to.dispatchEvent(new MessageEvent("message", { data: copy }))));
  }
}

/** All commands, each with valid arguments. */
const values: { [Name in keyof Commands]: Parameters<Commands[Name]> } = {
  open: [defaults, []],
  load: [new File([], "model.safetensors")],
  check: [defaults],
  play: [],
  pause: [],
  step: [],
  live: [{ learningRate: 0.1, beta: 1, noise: 1 }],
  goal: [3],
  save: [],
  connect: [undefined as unknown as MessagePort],
  kept: [],
  restore: [[]],
  discard: [],
};
const names = Object.keys(values) as (keyof Commands)[];

const never = () => new Promise<never>(() => {});
const handlers = (act: () => unknown) => Object.fromEntries(names.map((name) => [name, act])) as unknown as Handlers;

const answers = ({ scope }: FakeWorker, handlers: Handlers) => answerPage(scope as unknown as Worker, handlers);

function page(start: (worker: FakeWorker) => unknown) {
  const worker = new FakeWorker();
  const heard = { told: [] as Told[], failed: [] as string[], lost: [] as string[] };
  const make = () => {
    start(worker);
    return worker as unknown as WorkerEnd;
  };
  const { commands, lost } = callWorker(make, {
    told: (message) => heard.told.push(message),
    failed: ({ message }) => heard.failed.push(message),
    lost: ({ message }) => heard.lost.push(message),
  });
  const call = (name: keyof Commands) =>
    (commands[name] as (...given: unknown[]) => Promise<unknown>)(...values[name]).then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error: error as PageFault }),
    );
  return { worker, heard, call, lost };
}

const error = (message?: string) =>
  Object.assign(new Event("error"), message === undefined ? {} : { message }) as ErrorEvent;

/** Ways to lose a worker, and the page's message. */
const losses: Record<string, [(worker: FakeWorker) => void, RegExp]> = {
  "that could not be loaded": [
    (worker) => {
      worker.alive = false;
      setTimeout(() => worker.dispatchEvent(error()));
    },
    /worker\.js, or|worker\.js or a file/,
  ],
  "that threw while loading": [
    (worker) => void setTimeout(() => worker.dispatchEvent(error("ReferenceError: x"))),
    /ended with an error: ReferenceError: x/,
  ],
  "that the browser or a policy forbids": [
    () => {
      throw new DOMException("denied", "SecurityError");
    },
    /could not be created: SecurityError: denied/,
  ],
  "that never responds": [(worker) => void (worker.alive = false), /has not responded for 30 s/],
  "that dies before it answers": [
    (worker) => {
      answers(worker, handlers(never));
      setTimeout(() => (worker.alive = false), 1000);
    },
    /has not responded for 30 s/,
  ],
};

describe.each(Object.entries(losses))("a worker %s", (_, [start, words]) => {
  it.each(names)("%s rejects, at once and later", async (name) => {
    const { worker, heard, call, lost } = page(start);
    const waiting = call(name);
    await vi.advanceTimersByTimeAsync(BEAT_MS * (MISSED_BEATS + 3));
    const { error } = await waiting;
    expect(error).toBeInstanceOf(PageFault);
    expect(error).toMatchObject({ code: WORKER_LOST, message: expect.stringMatching(words) as string });
    expect(heard.lost).toHaveLength(1);
    expect((await call(name)).error).toBe(error);
    expect(lost.aborted).toBe(true);
    if (!/could not be created/.test(error!.message)) expect(worker.terminated).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a worker that lives", () => {
  it.each(names)("%s waits as long as it takes", async (name) => {
    const long = () => new Promise((done) => setTimeout(() => done(7), 20 * BEAT_MS * MISSED_BEATS));
    const { worker, heard, call } = page((worker) => answers(worker, handlers(long)));
    const waiting = call(name);
    await vi.advanceTimersByTimeAsync(21 * BEAT_MS * MISSED_BEATS);
    expect((await waiting).value).toBe(7);
    expect([heard.lost, worker.terminated]).toEqual([[], false]);
  });

  it.each(names)("%s rejects if a message cannot be read on either side, but later calls do not", async (name) => {
    let answer: () => unknown = never;
    const { worker, heard, call } = page((worker) =>
      answers(
        worker,
        handlers(() => answer()),
      ),
    );
    for (const side of [worker, worker.scope]) {
      answer = never;
      const waiting = call(name);
      await vi.advanceTimersByTimeAsync(10);
      side.dispatchEvent(new MessageEvent("messageerror"));
      await vi.advanceTimersByTimeAsync(10);
      expect((await waiting).error?.message).toMatch(/could not be read/);
      answer = () => 5;
      const next = call(name);
      await vi.advanceTimersByTimeAsync(10);
      expect((await next).value).toBe(5);
    }
    expect(heard.lost).toEqual([]);
  });

  it.each(names)("%s rejects if its answer cannot be sent", async (name) => {
    const { call } = page((worker) =>
      answers(
        worker,
        handlers(() => () => "a function"),
      ),
    );
    const waiting = call(name);
    await vi.advanceTimersByTimeAsync(10);
    expect((await waiting).error?.message).toMatch(/could not be cloned/);
  });

  it("reports an error outside of any call, and continues", async () => {
    const { worker, heard, call } = page((worker) =>
      answers(
        worker,
        handlers(() => 1),
      ),
    );
    await vi.advanceTimersByTimeAsync(10);
    worker.dispatchEvent(error("TypeError: y"));
    expect(heard).toMatchObject({ failed: ["TypeError: y"], lost: [] });
    const next = call("play");
    await vi.advanceTimersByTimeAsync(10);
    expect((await next).value).toBe(1);
  });
});
