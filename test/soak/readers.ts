// Every file reader, with randomly damaged files and files designed to be expensive: each must give a result or a typed
// error within a second of CPU time. The tests run a sample; `count` makes the walk longer.
import { damaged } from "./damage.js";
import { isTyped, readers, type Reader } from "./reader_files.js";

/** The outcome for one reader. */
export interface ReaderWalk {
  readonly name: string;
  readonly runs: number;
  /** How many of `runs` could still be read; a walk in which none can, or all, has tested nothing. */
  readonly read: number;
  /** Errors without a code, with the case's number. */
  readonly untyped: string[];
  /** Cases that took longer than a second of CPU time, with their milliseconds. */
  readonly slow: string[];
}

export interface WalkOptions {
  /** Damaged files for each reader. */
  readonly count: number;
  readonly seed: number;
}

/** CPU time of all threads in this process, in milliseconds. */
const LONGEST = 1000;

async function walk(reader: Reader, { count, seed }: WalkOptions): Promise<ReaderWalk> {
  const { name, read, typed = isTyped } = reader;
  const result = { name, runs: 0, read: 0, untyped: [] as string[], slow: [] as string[] };
  const run = async (what: string, file: Uint8Array) => {
    result.runs++;
    const own = new Uint8Array(file);
    const before = process.cpuUsage();
    try {
      await read(own);
      result.read++;
    } catch (error) {
      if (!typed(error)) result.untyped.push(`${what}: ${String((error as Error)?.stack ?? error).slice(0, 400)}`);
    }
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    if (ms > LONGEST) result.slow.push(`${what}: ${ms.toFixed(0)} ms`);
  };
  const whole = await reader.whole();
  for (const [i, file] of whole.entries()) {
    await run(`whole ${i}`, file);
    if (result.read !== i + 1) throw new Error(`${name}: whole file ${i} is not read: ${result.untyped.join()}`);
  }
  for (const [i, file] of (reader.costly?.() ?? []).entries()) {
    if (file.length > 10_000_000) throw new Error(`${name}: costly file ${i} has ${file.length} bytes`);
    await run(`costly ${i}`, file);
  }
  // In pieces, so that a long walk has few in memory at once.
  for (let done = 0; done < count; done += 500) {
    const some = damaged(whole, Math.min(500, count - done), seed + done);
    for (const [i, file] of some.entries()) await run(`damaged ${done + i} of seed ${seed}`, file);
  }
  return result;
}

/** `count` damaged files for each reader, plus the expensive ones. The same seed gives the same files. */
export async function walkReaders(options: WalkOptions): Promise<ReaderWalk[]> {
  const results: ReaderWalk[] = [];
  for (const reader of readers) results.push(await walk(reader, options));
  return results;
}

/** The readers' names, and the walk over one of them. */
export const readerNames = readers.map(({ name }) => name);
export const walkReader = (name: string, options: WalkOptions): Promise<ReaderWalk> =>
  walk(
    readers.find((reader) => reader.name === name)!,
    options,
  );
