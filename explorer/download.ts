// Downloads a file for the explorer, with progress, and with errors that name the address and the reason.

/** More bytes than any model for a page has; stops a server that never stops sending. */
const MOST = 1 << 30;

/** An error with a code, like the library's errors, so that a page can tell them apart. */
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
    throw failed("no response: the server is unreachable, or does not allow this page to read from it", error);
  }
  if (!response.ok || !response.body)
    throw failed(`the server responded with ${response.status} ${response.statusText}`);
  const length = Number(response.headers.get("content-length"));
  // For compressed responses, the header gives the compressed length.
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
    throw error instanceof ExplorerFault ? error : failed("the connection was interrupted", error);
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
