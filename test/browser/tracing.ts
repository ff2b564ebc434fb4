// A page's main-thread CPU time, from Chrome's tracing.
import type { Page } from "puppeteer";

export interface Traced {
  readonly traceEvents: readonly {
    name: string;
    pid: number;
    tid: number;
    ts: number;
    tdur?: number;
    args: { name?: string };
  }[];
}

/** Ends tracing and returns the events. */
export const traced = async (page: Page) => JSON.parse(Buffer.from((await page.tracing.stop())!).toString()) as Traced;

/**
 * The tasks of pages' main threads, or of one process's: when each began, and its CPU time. Wall time would include
 * waiting for other work on the machine.
 */
export function tasksOf({ traceEvents }: Traced, process?: number): { ts: number; ms: number }[] {
  const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  return traceEvents
    .filter(({ name, pid, tid, tdur }) => {
      // Nested tasks have another name.
      if (tdur === undefined || !name.endsWith("RunTask")) return false;
      return (process ?? pid) === pid && mains.some((main) => main.pid === pid && main.tid === tid);
    })
    .map(({ ts, tdur }) => ({ ts, ms: tdur! / 1000 }));
}
