// Serves the pages of one case on this machine only, with cross-origin isolation, which pages need for threads.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,">
<script type="module" src="page.js"></script></html>`;

export class PageServer {
  /** By path. Includes what a page posts to a path. */
  readonly files = new Map<string, Uint8Array | string>();
  #url = "";
  readonly #server = createServer((request, response) => {
    this.#answer(request).then(
      ([status, type, body]) => {
        response.writeHead(status, {
          "content-type": type,
          "cache-control": "no-store",
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-embedder-policy": "require-corp",
          "cross-origin-resource-policy": "same-origin",
        });
        response.end(body);
      },
      () => response.destroy(),
    );
  });

  static async open(): Promise<PageServer> {
    const server = new PageServer();
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(0, "127.0.0.1", resolve);
    });
    server.#url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  /** Adds a page with its scripts; returns its address. */
  addPage(name: string, files: ReadonlyMap<string, Uint8Array>): string {
    this.files.set(`/${name}/`, html);
    for (const [file, body] of files) this.files.set(`/${name}/${file}`, body);
    return `${this.#url}/${name}/`;
  }

  async #answer(request: IncomingMessage): Promise<[number, string, Uint8Array | string]> {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    if (request.method === "POST") {
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part as Uint8Array);
      this.files.set(path, new Uint8Array(Buffer.concat(parts)));
      return [200, "text/plain", "ok"];
    }
    const body = this.files.get(path);
    if (body === undefined) return [404, "text/plain", "not found"];
    const ending = path.endsWith("/") ? ".html" : extname(path);
    return [200, types[ending] ?? "application/octet-stream", body];
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
