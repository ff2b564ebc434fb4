// Like the browser's Cache API, but in a folder: a fetch that stores what it downloads.

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";

export interface FileCacheOptions {
  /** Folder; by default $XDG_CACHE_HOME/webvae, else ~/.cache/webvae. Created when needed. */
  dir?: string;
  fetch?: typeof fetch;
  /** Called if a download could not be stored (disk full, no permission). The download itself continues. */
  onCacheError?: (error: unknown) => void;
}

// Larger responses are not stored, because the cache holds a file in memory while it downloads.
const MAX_CACHED_BYTES = 256 * 1024 * 1024;

/** $XDG_CACHE_HOME/webvae, or ~/.cache/webvae if it is unset or relative (as the XDG specification requires). */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), ".cache"), "webvae");
}

/**
 * A fetch for GET requests that serves earlier downloads from `dir`. `cache: "reload"` downloads again and replaces the
 * file. Only complete responses with status 200 are stored; the caller must check their integrity.
 */
export function cachingFetch(options: FileCacheOptions = {}): typeof fetch {
  const dir = options.dir ?? defaultCacheDir();
  const download = options.fetch ?? fetch;
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const path = cachePath(dir, url);
    if (init?.cache !== "reload") {
      const kept = await readFile(path).catch(() => undefined);
      if (kept) return new Response(kept, { headers: { "content-length": String(kept.length) } });
    }
    const response = await download(input, init);
    if (response.status !== 200 || !response.body) return response;
    const body = response.body.pipeThrough(keep(path, options.onCacheError));
    return new Response(body, { status: 200, headers: response.headers });
  };
}

/** The file name for a URL: the original name for readability, and a hash so that mirrors do not collide. */
export function cachePath(dir: string, url: string): string {
  const hash = createHash("sha256").update(url).digest("hex").slice(0, 16);
  const name = basename(new URL(url).pathname).replace(/[^\w.-]/g, "_");
  return join(dir, `${hash}-${name}`);
}

/** Passes chunks through, and writes them to `path` after the last one. */
function keep(path: string, onError: FileCacheOptions["onCacheError"]): TransformStream<Uint8Array, Uint8Array> {
  let chunks: Uint8Array[] = [];
  let total = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      if (total <= MAX_CACHED_BYTES) chunks.push(chunk);
      else chunks = [];
      controller.enqueue(chunk);
    },
    async flush() {
      if (total > MAX_CACHED_BYTES) return;
      await writeAtomically(path, Buffer.concat(chunks)).catch((error: unknown) => onError?.(error));
    },
  });
}

/** Writes next to `path` and renames, so that no reader or crash ever sees half a file. */
async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(part, bytes);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
