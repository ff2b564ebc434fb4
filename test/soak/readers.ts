// Every reader of files, over files that were damaged at random and files that were made to cost: each must give a result
// or a typed error, within a second of the processor. A sample belongs to the tests; `count` makes it as long as wanted.
import { damaged } from "./damage.js";
import { isTyped, readers, type Reader } from "./reader_files.js";

/** What came of one reader. */
export interface ReaderWalk {
  readonly name: string;
  readonly runs: number;
  /** Of `runs`, how many were read after all: a walk that never gets that far, or always, has tried nothing. */
  readonly read: number;
  /** What was thrown that has no code, with the case's number. */
  readonly untyped: string[];
  /** Cases that took longer than a second of the processor, with their milliseconds. */
  readonly slow: string[];
}

export interface WalkOptions {
  /** Damaged files for each reader. */
  readonly count: number;
  readonly seed: number;
}

/** Milliseconds of the processor, all threads of this process. */
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
  // By pieces, so that a long walk holds few at once.
  for (let done = 0; done < count; done += 500) {
    const some = damaged(whole, Math.min(500, count - done), seed + done);
    for (const [i, file] of some.entries()) await run(`damaged ${done + i} of seed ${seed}`, file);
  }
  return result;
}

/** `count` damaged files for each reader, and those made to cost. The same seed gives the same files. */
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
