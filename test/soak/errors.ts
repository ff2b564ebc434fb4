// How the walks judge errors.
import { WebvaeError, type ErrorCode } from "../../src/errors.js";

/** Whether it is an error from the library, with one of these codes if given. */
export const isTyped = (error: unknown, codes?: readonly ErrorCode[]): error is WebvaeError =>
  error instanceof WebvaeError && (!codes || codes.includes(error.code));

/** The rejection of `promise`; `undefined` if it resolves. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/** The same, or "hangs" if `promise` does not settle in time. */
export async function errorWithin(ms: number, promise: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"hangs">((done) => (timer = setTimeout(() => done("hangs"), ms)));
  const error = await Promise.race([errorOf(promise), late]);
  clearTimeout(timer);
  return error;
}

/** With the stack, for unexpected errors. */
export function textOf(error: unknown): string {
  try {
    return (error instanceof Error ? (error.stack ?? error.message) : String(JSON.stringify(error))).slice(0, 1000);
  } catch {
    return typeof error;
  }
}
