// What the walks say of errors.
import { WebvaeError, type ErrorCode } from "../../src/errors.js";

/** Whether it is an error of the library that a caller can act on; and of these codes, where they are given. */
export const isTyped = (error: unknown, codes?: readonly ErrorCode[]): error is WebvaeError =>
  error instanceof WebvaeError && error.code !== "INTERNAL" && (!codes || codes.includes(error.code));

/** What `promise` rejects with; `undefined` where it gives a result. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/** With the stack, for what nobody has foreseen. */
export function textOf(error: unknown): string {
  try {
    return (error instanceof Error ? (error.stack ?? error.message) : String(JSON.stringify(error))).slice(0, 1000);
  } catch {
    return typeof error;
  }
}
