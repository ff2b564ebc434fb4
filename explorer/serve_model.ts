// The worker's side of a model that a page explores. Canvases arrive as OffscreenCanvas and stay here.
import type { VAE } from "webvae";
import { exampleElbos } from "./example_elbo.js";
import { LocalSurface } from "./local_surface.js";
import { isMessage, type AnswerMessage, type CallName, type Calls, type Port } from "./messages.js";

/** Hooks around each request. */
export interface ServeOptions {
  /** Awaited before a call that computes, for example to hold training. */
  readonly before?: () => Promise<void>;
  /** Called afterwards, whether it failed or not. */
  readonly after?: () => void;
}

type Handlers = { [Name in CallName]: (...values: Calls[Name]["arguments"]) => Promise<Calls[Name]["result"]> };

/** Rejects calls on a port that is no longer served, so that a page unaware of the end does not wait forever. */
const refusing = new WeakMap<Port, (event: MessageEvent) => void>();

/**
 * Answers the port's calls with the VAE that `getVae` returns at that time. Returns a function that ends this: calls
 * under way and later ones then fail.
 */
export function serveModel(getVae: () => VAE | Promise<VAE>, port: Port, options: ServeOptions = {}): () => void {
  const surfaces = new Map<number, LocalSurface>();
  const underWay = new Set<string>();
  const on = (id: number): LocalSurface => {
    const surface = surfaces.get(id);
    if (!surface) throw new Error("this surface has been disposed of");
    return surface;
  };
  const computing = async <Result>(compute: () => Promise<Result>): Promise<Result> => {
    await options.before?.();
    try {
      return await compute();
    } finally {
      options.after?.();
    }
  };
  const now = async (act: () => void): Promise<void> => void (await Promise.resolve(act()));
  const handlers: Handlers = {
    spec: async () => (await getVae()).spec,
    encode: (x) => computing(async () => (await getVae()).encode(x)),
    decode: (z) => computing(async () => (await getVae()).decode(z)),
    reconstruct: (x) => computing(async () => (await getVae()).reconstruct(x)),
    elbo: (x) => computing(async () => exampleElbos(await getVae(), x)),
    surfaceAttach: (id, canvas) => now(() => void surfaces.set(id, new LocalSurface(canvas, getVae))),
    surfaceDecode: (id, z, columns) => computing(() => on(id).decode(z, columns)),
    surfaceShow: (id, x, columns) => on(id).show(x, columns),
    surfaceResize: (id, width, height) => now(() => on(id).resize(width, height)),
    surfaceColours: (id, low, high) => now(() => on(id).colours(low, high)),
    surfaceSnapshot: (id) => on(id).snapshot(),
    surfaceDispose: (id) =>
      now(() => {
        surfaces.get(id)?.dispose();
        surfaces.delete(id);
      }),
  };
  const answer = (message: Omit<AnswerMessage, "webvaeExplorer">, transfer: Transferable[] = []) => {
    // Only once: ending the service has already answered it.
    if (underWay.delete(message.id)) port.postMessage({ webvaeExplorer: "answer", ...message }, transfer);
  };
  const ended = { message: "the model is no longer served" };
  const refuse = ({ data }: MessageEvent) => {
    if (isMessage(data, "call")) port.postMessage({ webvaeExplorer: "answer", id: data.id, error: ended }, []);
  };
  const listener = ({ data }: MessageEvent) => {
    if (!isMessage(data, "call")) return;
    const { id, name, values } = data;
    underWay.add(id);
    const handle = handlers[name] as (...values: readonly unknown[]) => Promise<unknown>;
    Promise.resolve()
      .then(() => handle(...values))
      .then(
        (result) => answer({ id, result }, buffersOf(result)),
        (error: unknown) => answer({ id, error: described(error) }),
      );
  };
  const before = refusing.get(port);
  if (before) port.removeEventListener("message", before);
  port.addEventListener("message", listener);
  port.start?.();
  return () => {
    port.removeEventListener("message", listener);
    refusing.set(port, refuse);
    port.addEventListener("message", refuse);
    for (const surface of surfaces.values()) surface.dispose();
    surfaces.clear();
    for (const id of [...underWay]) answer({ id, error: ended });
  };
}

function described(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message } = error;
  return "code" in error && typeof error.code === "string" ? { message, code: error.code } : { message };
}

/** Arrays that were made for the answer can be transferred instead of copied. */
function buffersOf(result: unknown): Transferable[] {
  if (result instanceof Float32Array) return [result.buffer as ArrayBuffer];
  if (typeof result !== "object" || result === null || result instanceof Blob || Array.isArray(result)) return [];
  return Object.values(result).flatMap((value) => (value instanceof Float32Array ? buffersOf(value) : []));
}
