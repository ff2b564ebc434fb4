// If a model's worker is gone, no call of the explorer waits for it.
import { expect, it } from "vitest";
import type { Port } from "../../explorer/messages.js";
import { remoteModel } from "../../explorer/remote_model.js";
import type { ExplorerModel, Surface } from "../../explorer/model.js";

/** Answers the first call, which asks for the spec, and no other. */
class DeafPort extends EventTarget {
  #calls = 0;
  postMessage({ id }: { id: string }) {
    const data = { webvaeExplorer: "answer", id, result: { input: [1] } };
    if (this.#calls++ === 0) queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data })));
  }
}

type Calls = {
  [Name in Exclude<keyof ExplorerModel, "spec" | "attach">]: (model: ExplorerModel) => Promise<unknown>;
} & { [Name in "surfaceDecode" | "surfaceShow" | "surfaceSnapshot"]: (model: ExplorerModel) => Promise<unknown> };
const x = new Float32Array(1);
const surface = (model: ExplorerModel): Surface =>
  model.attach({ transferControlToOffscreen: () => ({}) } as HTMLCanvasElement);
const calls: Calls = {
  encode: (model) => model.encode(x),
  decode: (model) => model.decode(x),
  reconstruct: (model) => model.reconstruct(x),
  elbo: (model) => model.elbo(x),
  surfaceDecode: (model) => surface(model).decode(x, 1),
  surfaceShow: (model) => surface(model).show(x, 1),
  surfaceSnapshot: (model) => surface(model).snapshot(),
};

it.each(Object.entries(calls))(
  "%s rejects when the page says that the worker is gone, and afterwards",
  async (_, call) => {
    const gone = new AbortController();
    const model = await remoteModel(new DeafPort() as unknown as Port, { signal: gone.signal });
    const waiting = call(model);
    gone.abort(Object.assign(new Error("the worker has stopped"), { code: "WORKER_LOST" }));
    const fault = { name: "RemoteFault", message: "the worker has stopped", code: "WORKER_LOST" };
    await expect(waiting).rejects.toMatchObject(fault);
    await expect(call(model)).rejects.toMatchObject(fault);
  },
);

it.each(Object.entries(calls))("%s rejects if a reply cannot be read", async (_, call) => {
  const port = new DeafPort();
  const waiting = call(await remoteModel(port as unknown as Port));
  port.dispatchEvent(new MessageEvent("messageerror"));
  await expect(waiting).rejects.toMatchObject({ name: "RemoteFault", message: "a reply could not be read" });
});

it("a worker that is already gone serves no model", async () => {
  const signal = AbortSignal.abort(new Error("gone"));
  await expect(remoteModel(new DeafPort() as unknown as Port, { signal })).rejects.toThrow("gone");
});
