// Downloads files with a known size and checksum; nothing else is ever returned or cached.

import { WebvaeError } from "../errors.js";

export interface RemoteFile {
  /** File name, relative to a base URL. */
  file: string;
  bytes: number;
  /** Hexadecimal, lower case. */
  sha256: string;
}

/** The part of the browser's Cache API that is used. */
export type DataCache = Pick<Cache, "match" | "put" | "delete">;

export interface DownloadOptions {
  fetch?: typeof fetch;
  cache?: DataCache | false;
  signal?: AbortSignal;
  /** Bytes so far; never decreases, even if another attempt starts over. */
  onReceived?: (received: number) => void;
}

const CACHE_NAME = "webvae-data";
const ATTEMPTS_PER_URL = 2;

/**
 * The bytes of `remote` from the cache, else from the first of `baseUrls` that has them; each is tried twice.
 * Throws the last error, DOWNLOAD_FAILED or CHECKSUM_MISMATCH, or the signal's reason.
 */
export async function download(
  remote: RemoteFile,
  baseUrls: readonly string[],
  options: DownloadOptions = {},
): Promise<Uint8Array> {
  const { signal } = options;
  signal?.throwIfAborted();
  let reported = 0;
  const report = (received: number) => {
    if (received > reported) options.onReceived?.((reported = received));
  };

  const cache = options.cache === undefined ? await openCache() : options.cache || undefined;
  const key = `https://webvae.invalid/${remote.sha256}`;
  const cached = await readCache(cache, key, remote);
  if (cached) {
    report(cached.length);
    return cached;
  }

  let fault = new WebvaeError("DOWNLOAD_FAILED", `${remote.file}: no URL to download from.`);
  for (const base of baseUrls) {
    const url = `${String(base).replace(/\/+$/, "")}/${remote.file}`;
    for (let attempt = 0; attempt < ATTEMPTS_PER_URL; attempt++) {
      try {
        const bytes = await fetchChecked(url, remote, options, attempt > 0, report);
        // If the cache is full or forbidden, the next visit downloads again, but this one still gets its data.
        await cache?.put(key, new Response(bytes as Uint8Array<ArrayBuffer>)).catch(() => undefined);
        return bytes;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof WebvaeError)) throw error;
        fault = error;
      }
    }
  }
  throw fault;
}

async function fetchChecked(
  url: string,
  remote: RemoteFile,
  options: DownloadOptions,
  again: boolean,
  report: (received: number) => void,
): Promise<Uint8Array> {
  const { signal } = options;
  const failed = (why: string, cause?: unknown) => new WebvaeError("DOWNLOAD_FAILED", `${url}: ${why}.`, { cause });
  const request: RequestInit = {
    ...(signal ? { signal } : {}),
    // The second attempt bypasses the HTTP cache, which may contain the very bytes that were wrong.
    ...(again ? { cache: "reload" } : {}),
  };
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(url, request);
  } catch (cause) {
    throw failed(`no response (${reason(cause)})`, cause);
  }
  // A caller's fetch may return anything.
  if (typeof response?.ok !== "boolean") throw failed("fetch returned no Response");
  if (!response.ok) {
    await response.body?.cancel?.().catch(() => undefined);
    throw failed(`HTTP status ${response.status}`);
  }

  const bytes = new Uint8Array(remote.bytes);
  let received = 0;
  const reader = response.body?.getReader?.();
  while (reader) {
    signal?.throwIfAborted();
    const step = await reader.read().catch((cause: unknown) => {
      throw failed(`ended after ${received} of ${remote.bytes} bytes (${reason(cause)})`, cause);
    });
    if (step.done) break;
    if (received + step.value.length > remote.bytes) {
      await reader.cancel().catch(() => undefined);
      throw new WebvaeError("CHECKSUM_MISMATCH", `${url}: more than the ${remote.bytes} bytes expected.`);
    }
    bytes.set(step.value, received);
    received += step.value.length;
    report(received);
  }
  if (received < remote.bytes) throw failed(`${received} bytes, ${remote.bytes} expected`);
  const sha256 = await hash(bytes);
  if (sha256 !== remote.sha256) {
    throw new WebvaeError("CHECKSUM_MISMATCH", `${url}: SHA-256 is ${sha256}, expected ${remote.sha256}.`);
  }
  return bytes;
}

async function openCache(): Promise<DataCache | undefined> {
  // Absent in Node and in insecure contexts; in a sandboxed frame even reading it throws; open() rejects if the user
  // forbids storage.
  try {
    return await (globalThis.caches as CacheStorage | undefined)?.open(CACHE_NAME);
  } catch {
    return undefined;
  }
}

/** The cached bytes, if they are still the expected ones. */
async function readCache(
  cache: DataCache | undefined,
  key: string,
  remote: RemoteFile,
): Promise<Uint8Array | undefined> {
  const bytes = await cache
    ?.match(key)
    .then(async (response) => response && new Uint8Array(await response.arrayBuffer()))
    .catch(() => undefined);
  if (!bytes) return undefined;
  if (bytes.length === remote.bytes && (await hash(bytes)) === remote.sha256) return bytes;
  await cache?.delete(key).catch(() => undefined);
  return undefined;
}

/** SHA-256 in hexadecimal. */
async function hash(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Node's fetch only says "fetch failed", with the reason in its cause.
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
