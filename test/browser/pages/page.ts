// The functions that tests call on a page.
import * as cases from "./cases.js";

const byName = cases as unknown as Record<string, () => Promise<unknown>>;

/** One worker per case, terminated with everything in it. */
function runInWorker(name: string): Promise<unknown> {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<{ value?: unknown; error?: string; trouble?: string }>) => {
      if (data.trouble !== undefined) return console.error(data.trouble);
      worker.terminate();
      if (data.error === undefined) resolve(data.value);
      else reject(new Error(data.error));
    };
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    worker.postMessage(name);
  });
}

Object.assign(globalThis, { runCase: (name: string) => byName[name]!(), runInWorker });
