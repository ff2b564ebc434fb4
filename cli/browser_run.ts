// --browser: runs run.ts in headless Chrome. A server on the loopback address gives the page its code and data, and
// receives its reports and results.
import { build } from "esbuild";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { esbuildWgsl } from "../build/wgsl.mjs";
import { launchChrome } from "../node/chrome.mjs";
import { WebvaeError, type Dataset, type ErrorCode } from "../src/index.js";
import type { RunReport, Standing } from "./epochs.js";
import type { Resumed, RunConfig, RunHooks, RunResult } from "./run.js";

/** What the page sends: one JSON object per message, or a result's bytes. */
export type PageMessage =
  | {
      readonly kind: "start";
      readonly adapter: { name: string; software: boolean };
      readonly trained: { steps: number; epochs: number };
    }
  | { readonly kind: "report"; readonly report: RunReport }
  // Its bytes follow in the next message.
  | { readonly kind: "checkpoint"; readonly standing: Standing; readonly last: boolean }
  | { readonly kind: "done"; readonly result: PageResult }
  | { readonly kind: "fault"; readonly code?: ErrorCode; readonly message: string };

/** RunResult without its arrays, which are sent before it as bytes. */
export type PageResult = Pick<RunResult, "stopped" | "epochs" | "steps" | "seconds" | "stepsPerSecond" | "test">;

/** A data set without its values, which are sent as bytes. */
type Described = Omit<Dataset, "values" | "labels"> & { readonly bytes: boolean; readonly labels?: readonly number[] };

/** What the page fetches first. */
export interface PageJob {
  readonly config: RunConfig;
  readonly train: Described;
  readonly test: Described;
  /** Its bytes are at /checkpoint. */
  readonly resumed?: Omit<Resumed, "checkpoint">;
}

export async function runInBrowser(
  config: RunConfig,
  train: Dataset,
  test: Dataset,
  hooks: RunHooks,
  resumed?: Resumed,
): Promise<RunResult> {
  const script = await pageScript();
  const arrays = new Map<string, Uint8Array>();
  let finish!: (result: PageResult) => void;
  let fail!: (error: unknown) => void;
  const finished = new Promise<PageResult>((resolve, reject) => ([finish, fail] = [resolve, reject]));
  finished.catch(() => {});
  const describe = ({ name, shape, count, values, labels }: Dataset): Described => ({
    name,
    shape,
    count,
    bytes: values instanceof Uint8Array,
    ...(labels ? { labels: Array.from(labels) } : {}),
  });
  const { checkpoint, ...standing } = resumed ?? { checkpoint: new Uint8Array() };
  const going = resumed ? { resumed: standing as Omit<Resumed, "checkpoint"> } : {};
  const job: PageJob = { config, train: describe(train), test: describe(test), ...going };
  let saved: Extract<PageMessage, { kind: "checkpoint" }> | undefined;

  const take = async (message: PageMessage) => {
    if (message.kind === "start") await hooks.onStart(message.adapter, message.trained);
    else if (message.kind === "checkpoint") saved = message;
    else if (message.kind === "report") await hooks.onReport(message.report);
    else if (message.kind === "done") finish(message.result);
    else fail(message.code ? new WebvaeError(message.code, message.message) : new Error(message.message));
  };
  const bytesOf = ({ values }: Dataset) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const server = createServer((request, response) => {
    const send = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
    const answer = async () => {
      const url = request.url ?? "/";
      if (url === "/")
        send(
          "text/html",
          '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/run.js"></script>',
        );
      else if (url === "/run.js") send("text/javascript", script);
      else if (url === "/job") send("application/json", JSON.stringify(job));
      else if (url === "/train") send("application/octet-stream", bytesOf(train));
      else if (url === "/test") send("application/octet-stream", bytesOf(test));
      else if (url === "/checkpoint") send("application/octet-stream", checkpoint);
      else if (url === "/message") {
        await take(JSON.parse(Buffer.from(await bodyOf(request)).toString("utf8")) as PageMessage);
        send("text/plain", "ok");
      } else if (url.startsWith("/array/")) {
        const name = url.slice("/array/".length);
        const bytes = await bodyOf(request);
        if (name === "model") await hooks.onModel(bytes);
        if (name === "checkpoint" && saved) await hooks.onCheckpoint(bytes, saved.standing, saved.last);
        else arrays.set(name, bytes);
        send("text/plain", "ok");
      } else response.writeHead(404).end();
    };
    answer().catch((error: unknown) => {
      response.writeHead(500).end();
      fail(error);
    });
  });
  const port = await listen(server);
  const browser = await launchChrome();
  try {
    browser.on("disconnected", () => fail(new Error("Chrome exited before the run was finished")));
    const page = await browser.newPage();
    page.on("pageerror", (error) => fail(error));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warn") console.error(`Chrome: ${message.text()}`);
    });
    await page.goto(`http://127.0.0.1:${port}/`);
    const stop = () => void page.evaluate("window.stopRun()").catch(fail);
    hooks.signal.addEventListener("abort", stop, { once: true });
    if (hooks.signal.aborted) stop();
    const result = await finished;
    const floats = (name: string) => new Float32Array(new Uint8Array(arrays.get(name) ?? []).buffer);
    return {
      ...result,
      model: arrays.get("model") ?? new Uint8Array(),
      samples: floats("samples"),
      originals: floats("originals"),
      reconstructions: floats("reconstructions"),
      ...(arrays.has("means") ? { means: floats("means") } : {}),
      ...(arrays.has("manifold") ? { manifold: floats("manifold") } : {}),
    };
  } finally {
    await browser.close().catch(() => {});
    server.closeAllConnections();
    server.close();
  }
}

async function pageScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("browser_page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "browser",
    plugins: [esbuildWgsl()],
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return new Uint8Array(Buffer.concat(parts));
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
