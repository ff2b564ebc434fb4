// What the walks say of errors.
import { WebvaeError, type ErrorCode } from "../../src/errors.js";

/** Whether it is an error of the library; and of these codes, where they are given. */
export const isTyped = (error: unknown, codes?: readonly ErrorCode[]): error is WebvaeError =>
  error instanceof WebvaeError && (!codes || codes.includes(error.code));

/** What `promise` rejects with; `undefined` where it gives a result. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/** The same, or "hangs" where `promise` is not settled in time. */
export async function errorWithin(ms: number, promise: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"hangs">((done) => (timer = setTimeout(() => done("hangs"), ms)));
  const error = await Promise.race([errorOf(promise), late]);
  clearTimeout(timer);
  return error;
}

/** With the stack, for what nobody has foreseen. */
export function textOf(error: unknown): string {
  try {
    return (error instanceof Error ? (error.stack ?? error.message) : String(JSON.stringify(error))).slice(0, 1000);
  } catch {
    return typeof error;
  }
}
