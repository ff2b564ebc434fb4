// The page of --browser: fetches its job, runs it, and sends back the results.
import { WebvaeError, type Dataset } from "../src/index.js";
import type { PageJob, PageMessage } from "./browser_run.js";
import { run, type RunHooks } from "./run.js";

const stop = new AbortController();
Object.assign(window, { stopRun: () => stop.abort() });

async function tell(message: PageMessage): Promise<void> {
  await fetch("/message", { method: "POST", body: JSON.stringify(message) });
}

async function sendArray(name: string, values: Uint8Array | Float32Array): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await fetch(`/array/${name}`, { method: "POST", body: bytes.slice() });
}

async function dataset(url: string, described: PageJob["train"]): Promise<Dataset> {
  const { bytes, labels, ...rest } = described;
  const buffer = await (await fetch(url)).arrayBuffer();
  const values = bytes ? new Uint8Array(buffer) : new Float32Array(buffer);
  return { ...rest, values, ...(labels ? { labels: Uint8Array.from(labels) } : {}) };
}

async function main(): Promise<void> {
  const job = (await (await fetch("/job")).json()) as PageJob;
  const [train, test] = [await dataset("/train", job.train), await dataset("/test", job.test)];
  const hooks: RunHooks = {
    signal: stop.signal,
    onStart: (adapter, trained) => tell({ kind: "start", adapter, trained }),
    onReport: (report) => tell({ kind: "report", report }),
    onCheckpoint: async (bytes, standing, last) => {
      await tell({ kind: "checkpoint", standing, last });
      await sendArray("checkpoint", bytes);
    },
    onModel: (model) => sendArray("model", model),
  };
  const checkpoint = async () => new Uint8Array(await (await fetch("/checkpoint")).arrayBuffer());
  const resumed = job.resumed && { ...job.resumed, checkpoint: await checkpoint() };
  const result = await run(job.config, train, test, hooks, {}, resumed);
  const { samples, originals, reconstructions, means, manifold } = result;
  const { stopped, epochs, steps, seconds, stepsPerSecond, test: figures } = result;
  const arrays = { samples, originals, reconstructions, means, manifold };
  for (const [name, values] of Object.entries(arrays)) if (values) await sendArray(name, values);
  await tell({ kind: "done", result: { stopped, epochs, steps, seconds, stepsPerSecond, test: figures } });
}

main().catch((error: unknown) => {
  const code = error instanceof WebvaeError ? { code: error.code } : {};
  const message = error instanceof Error ? error.message : String(error);
  return tell({ kind: "fault", ...code, message });
});
