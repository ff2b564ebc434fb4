// Carries the protocol over a worker's messages: calls with answers, and what the worker tells unasked.
import { describeFault, PageFault, type Fault } from "./faults.js";
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
/** The worker's and the page's side are alike in what is used here. */
interface End {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** The page's side. A call rejects with a PageFault that says what the worker's fault did. */
export function callWorker(worker: End, told: (message: Told) => void): Commands {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let count = 0;
  worker.addEventListener("message", ({ data }: MessageEvent<Answer | Told>) => {
    if (!("id" in data)) return told(data);
    const { resolve, reject } = waiting.get(data.id)!;
    waiting.delete(data.id);
    const { fault } = data;
    if (fault) reject(new PageFault(fault.title, fault.message, fault.hints, fault.code));
    else resolve(data.value);
  });
  const call = (name: Name, values: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      const id = count++;
      waiting.set(id, { resolve, reject });
      const message: Call = { id, name, values };
      worker.postMessage(message, handedOver(values));
    });
  return new Proxy({} as Commands, {
    get:
      (_, name) =>
      (...values: unknown[]) =>
        call(name as Name, values),
  });
}

/** What answers them: at once or later. */
export type Handlers = {
  [Name in keyof Commands]: (
    ...values: Parameters<Commands[Name]>
  ) => ReturnType<Commands[Name]> | Awaited<ReturnType<Commands[Name]>>;
};

/** The worker's side. */
export function answerPage(page: End, handlers: Handlers): (message: Told) => void {
  page.addEventListener("message", ({ data }: MessageEvent<Call>) => {
    const run = handlers[data.name] as (this: void, ...values: readonly unknown[]) => unknown;
    const answer = (message: Answer, transfer: Transferable[] = []) => page.postMessage(message, transfer);
    const result = new Promise((resolve) => resolve(run(...data.values)));
    result.then(
      (value) => answer({ id: data.id, value }, handedOver([value])),
      (error: unknown) => answer({ id: data.id, fault: describeFault(error) }),
    );
  });
  return (message) => page.postMessage(message, []);
}

/** Ports move; bytes made for the other side need no copy. */
function handedOver(values: readonly unknown[]): Transferable[] {
  return values.flatMap((value): Transferable[] => {
    if (value instanceof MessagePort) return [value];
    return value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [];
  });
}
