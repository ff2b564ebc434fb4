import { expect } from "vitest";
import type { ErrorCode } from "../../src/errors.js";

/** Matches a WebvaeError of this code whose message matches `pattern`; for toThrow and rejects.toEqual. */
export function fault(code: ErrorCode, pattern: RegExp): object {
  const message: unknown = expect.stringMatching(pattern);
  const matcher: unknown = expect.objectContaining({ name: "WebvaeError", code, message });
  return matcher as object;
}
