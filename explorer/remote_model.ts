// The page's side of a model that runs in a worker (serve_model.ts).
import { Latest } from "./latest.js";
import { isMessage, type CallMessage, type CallName, type Calls, type Port } from "./messages.js";
import type { ExplorerModel, Surface } from "./model.js";

/** An error from the worker; `code` is the library's error code. */
export class RemoteFault extends Error {
  override readonly name = "RemoteFault";
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

class Connection {
  readonly #waiting = new Map<string, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  /** Several models may share a port. */
  readonly #prefix = Math.random().toString(36).slice(2);
  #count = 0;

  constructor(
    private readonly port: Port,
    private readonly signal: AbortSignal | undefined,
  ) {
    signal?.addEventListener("abort", () => this.#rejectAll(lost(signal)), { once: true });
    // It is unknown which call this reply was for, so all reject.
    port.addEventListener("messageerror", () => this.#rejectAll(new RemoteFault("a reply could not be read")));
    port.addEventListener("message", ({ data }) => {
      if (!isMessage(data, "answer")) return;
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error) waiting?.reject(new RemoteFault(data.error.message, data.error.code));
      else waiting?.resolve(data.result);
    });
    port.start?.();
  }

  #rejectAll(error: RemoteFault): void {
    for (const { reject } of [...this.#waiting.values()]) reject(error);
    this.#waiting.clear();
  }

  call<Name extends CallName>(
    name: Name,
    values: Calls[Name]["arguments"],
    transfer: Transferable[] = [],
  ): Promise<Calls[Name]["result"]> {
    const id = `${this.#prefix}-${this.#count++}`;
    return new Promise<unknown>((resolve, reject) => {
      if (this.signal?.aborted) throw lost(this.signal);
      this.#waiting.set(id, { resolve, reject });
      const message: CallMessage = { webvaeExplorer: "call", id, name, values };
      this.port.postMessage(message, transfer);
    }) as Promise<Calls[Name]["result"]>;
  }
}

/** @param signal aborted */
function lost({ reason }: AbortSignal): RemoteFault {
  const { message, code } = reason as Partial<RemoteFault>;
  return new RemoteFault(message ?? String(reason), code);
}

let surfaceCount = 0;

class RemoteSurface implements Surface {
  readonly #id = surfaceCount++;
  readonly #latest = new Latest();

  constructor(
    private readonly connection: Connection,
    canvas: HTMLCanvasElement,
  ) {
    const offscreen = canvas.transferControlToOffscreen();
    this.#tell("surfaceAttach", [this.#id, offscreen], [offscreen]);
  }

  decode(z: Float32Array, columns: number): Promise<void> {
    return this.#latest.run(() => this.connection.call("surfaceDecode", [this.#id, z, columns]));
  }

  show(x: Float32Array, columns: number): Promise<void> {
    return this.#latest.run(() => this.connection.call("surfaceShow", [this.#id, x, columns]));
  }

  resize(width: number, height: number): void {
    this.#tell("surfaceResize", [this.#id, width, height]);
  }

  colours(...[low, high]: Parameters<Surface["colours"]>): void {
    this.#tell("surfaceColours", [this.#id, low, high]);
  }

  snapshot(): Promise<Blob> {
    return this.connection.call("surfaceSnapshot", [this.#id]);
  }

  dispose(): void {
    this.#latest.clear();
    this.#tell("surfaceDispose", [this.#id]);
  }

  /** Nobody waits for the result. It fails only if the worker is gone, which the next picture reports. */
  #tell<Name extends CallName>(name: Name, values: Calls[Name]["arguments"], transfer?: Transferable[]): void {
    this.connection.call(name, values, transfer).catch(() => {});
  }
}

/** How a page communicates with its worker's model. */
export interface RemoteOptions {
  /**
   * For the page to abort, with the reason, when the worker is gone, which a port does not report. Pending and later
   * calls then reject with a RemoteFault.
   */
  readonly signal?: AbortSignal;
}

/** Resolves with the model that a worker serves at the port's other end, once it is ready. */
export async function remoteModel(port: Port, { signal }: RemoteOptions = {}): Promise<ExplorerModel> {
  const connection = new Connection(port, signal);
  const spec = await connection.call("spec", []);
  return {
    spec,
    attach: (canvas) => new RemoteSurface(connection, canvas),
    encode: (x) => connection.call("encode", [x]),
    decode: (z) => connection.call("decode", [z]),
    reconstruct: (x) => connection.call("reconstruct", [x]),
    elbo: (x) => connection.call("elbo", [x]),
  };
}
