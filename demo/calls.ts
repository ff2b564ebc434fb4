// Carries the protocol over a worker's messages: calls with answers, and messages the worker sends on its own. When the
// worker cannot be loaded or has stopped, all calls reject, so that none waits forever.
import { asError, describeFault, PageFault, WORKER_LOST, type Fault } from "./faults.js";
import type { Commands, Told } from "./protocol.js";

type Name = keyof Commands;
interface Call {
  readonly id: number;
  readonly name: Name;
  readonly values: readonly unknown[];
}
interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly fault?: Fault;
}
/** Sent by the page to ask for a sign of life, and by the worker as the answer. */
interface Beat {
  readonly beat: true;
}
/** The worker received an unreadable message, so the call in it gets no answer. */
interface Unread {
  readonly unread: true;
}
type ToPage = Answer | Beat | Unread | Told;

/** What both ends of the connection have in common. */
interface End {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
}
/** The part of a Worker that is used here. */
export interface WorkerEnd extends End {
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "error", listener: (event: Event) => void): void;
  terminate(): void;
}

export interface Hearing {
  readonly told: (message: Told) => void;
  /** An error in the worker outside of any call; the worker continues. */
  readonly failed: (error: PageFault) => void;
  /** The worker is gone, with the model in it. */
  readonly lost: (error: PageFault) => void;
}

export interface Connection {
  /** Each rejects with a PageFault: the worker's own, or one with the code WORKER_LOST. */
  readonly commands: Commands;
  /** Aborted when the worker is lost, with the PageFault. */
  readonly lost: AbortSignal;
}

/** Milliseconds between the page's requests for a sign of life. */
export const BEAT_MS = 3000;
/**
 * After this many unanswered requests the worker counts as stopped. They are counted, not timed, so that the time a tab
 * is frozen or a machine sleeps doesn't count.
 */
export const MISSED_BEATS = 10;

/** The page's side. A lost worker is terminated, so that it holds nothing that the next one needs. */
export function callWorker(start: () => WorkerEnd, { told, failed, lost }: Hearing): Connection {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const life = new AbortController();
  let worker: WorkerEnd | undefined;
  let count = 0;
  let heard = false;
  let silent = 0;
  let beats: ReturnType<typeof setInterval> | undefined;

  const rejectAll = (error: PageFault) => {
    for (const { reject } of [...waiting.values()]) reject(error);
    waiting.clear();
  };
  const end = (message: string) => {
    if (life.signal.aborted) return;
    const error = new PageFault(heard ? "Training has stopped" : "Training could not start", message, [], WORKER_LOST);
    clearInterval(beats);
    worker?.terminate();
    life.abort(error);
    rejectAll(error);
    lost(error);
  };
  const unread = () =>
    rejectAll(new PageFault("A message to or from the worker was lost", "It could not be read.", ["Try again."]));

  const hear = (message: ToPage) => {
    heard = true;
    silent = 0;
    if ("beat" in message) return;
    if ("unread" in message) return unread();
    if (!("id" in message)) return told(message);
    const { id, value, fault } = message;
    const call = waiting.get(id);
    waiting.delete(id);
    if (fault) call?.reject(asError(fault));
    else call?.resolve(value);
  };

  try {
    worker = start();
    worker.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
      if (!life.signal.aborted) hear(data);
    });
    worker.addEventListener("messageerror", unread);
    worker.addEventListener("error", (event) => {
      // Reported here, not as an error of the page itself.
      event.preventDefault();
      // A script that could not be fetched has no message.
      const message = "message" in event ? String(event.message) : "";
      if (heard) failed(new PageFault("Something went wrong during training", message, [], "UNEXPECTED"));
      else if (message) end(`The worker's script ended with an error: ${message}`);
      else end("worker.js, or a file it needs, could not be loaded.");
    });
    beats = setInterval(() => {
      if (silent++ >= MISSED_BEATS) end(`The worker has not responded for ${(MISSED_BEATS * BEAT_MS) / 1000} s.`);
      else post({ beat: true } satisfies Beat);
    }, BEAT_MS);
  } catch (error) {
    // The browser or a policy forbids workers. Reported only after this function has returned.
    queueMicrotask(() => end(`The worker could not be created: ${String(error)}`));
  }

  const post = (message: Call | Beat, transfer: Transferable[] = []) => worker?.postMessage(message, transfer);
  const call = (name: Name, values: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      life.signal.throwIfAborted();
      const id = count++;
      waiting.set(id, { resolve, reject });
      try {
        post({ id, name, values }, handedOver(values));
      } catch (error) {
        waiting.delete(id);
        throw error;
      }
    });
  const commands = new Proxy({} as Commands, {
    get:
      (_, name) =>
      (...values: unknown[]) =>
        call(name as Name, values),
  });
  return { commands, lost: life.signal };
}

/** The worker's answers to the commands, immediate or asynchronous. */
export type Handlers = {
  [Name in keyof Commands]: (
    ...values: Parameters<Commands[Name]>
  ) => ReturnType<Commands[Name]> | Awaited<ReturnType<Commands[Name]>>;
};

/** The worker's side. */
export function answerPage(page: End, handlers: Handlers): (message: Told) => void {
  const post = (message: ToPage, transfer: Transferable[] = []) => page.postMessage(message, transfer);
  page.addEventListener("message", ({ data }: MessageEvent<Call | Beat>) => {
    if ("beat" in data) return post({ beat: true });
    const { id, name, values } = data;
    const run = handlers[name] as (this: void, ...values: readonly unknown[]) => unknown;
    const result = new Promise((resolve) => resolve(run(...values)));
    result
      .then((value) => post({ id, value }, handedOver([value])))
      // A value that cannot be sent is answered with an error too.
      .catch((error: unknown) => post({ id, fault: describeFault(error) }));
  });
  page.addEventListener("messageerror", () => post({ unread: true }));
  // Tells the page that this script was loaded: later errors don't mean that it failed to start.
  post({ beat: true });
  return (message) => post(message);
}

/** Ports must be transferred; bytes made for the other side can be, which saves a copy. */
function handedOver(values: readonly unknown[]): Transferable[] {
  return values.flatMap((value): Transferable[] => {
    if (value instanceof MessagePort) return [value];
    return value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [];
  });
}
