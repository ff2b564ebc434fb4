// A TuningStore in a file: the tuner's measurements on this machine, for later programs.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { TuningStore } from "../src/index.js";

type Choices = Awaited<ReturnType<TuningStore["load"]>>;

/**
 * Stores choices by adapter as JSON in `path`, by default .cache/tuning.json next to package.json. A file with other
 * contents is ignored. Two processes may share it: each replaces the whole file, so that updates may be lost but a
 * reader never sees half a file.
 */
export function tuningFile(path = fileURLToPath(new URL("../.cache/tuning.json", import.meta.url))): TuningStore {
  const read = async (): Promise<Record<string, Choices>> => {
    try {
      const value: unknown = JSON.parse(await readFile(path, "utf8"));
      return value !== null && typeof value === "object" && !Array.isArray(value) ? { ...value } : {};
    } catch {
      return {};
    }
  };
  return {
    load: async (adapter) => {
      const adapters = await read();
      return Object.hasOwn(adapters, adapter) ? adapters[adapter] : undefined;
    },
    save: async (adapter, choices) => {
      const text = JSON.stringify({ ...(await read()), [adapter]: choices }, null, 2);
      await mkdir(dirname(path), { recursive: true });
      const part = `${path}.${randomUUID()}.part`;
      try {
        await writeFile(part, `${text}\n`);
        await rename(part, path);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
  };
}
