// A file for the explorer: with progress, and faults that say which address and why.

/** More than any model for a page has; a server that sends without end is left. */
const MOST = 1 << 30;

/** A fault with a code, as the library's own have it, so that a page can tell them apart. */
export class ExplorerFault extends Error {
  override readonly name = "ExplorerFault";
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type OnProgress = (received: number, total: number | undefined) => void;

/** Throws DOWNLOAD_FAILED, or the signal's reason. */
export async function download(
  url: string,
  signal: AbortSignal,
  onProgress: OnProgress = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const failed = (why: string, cause?: unknown) => new ExplorerFault("DOWNLOAD_FAILED", `${url}: ${why}`, { cause });
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw failed("no answer: the server is away, or does not allow this page to read from it", error);
  }
  if (!response.ok || !response.body) throw failed(`the server answers ${response.status} ${response.statusText}`);
  const length = Number(response.headers.get("content-length"));
  // Of what is sent compressed the length is another one's.
  const total = length > 0 && !response.headers.get("content-encoding") ? length : undefined;
  const parts: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      received += value.length;
      if (received > MOST) throw failed(`more than ${MOST} bytes`);
      onProgress(received, total);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    signal.throwIfAborted();
    throw error instanceof ExplorerFault ? error : failed("the connection broke off", error);
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
