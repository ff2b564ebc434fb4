// A TuningStore in a file: what the tuner has measured on this machine, for the programs that come after.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { TuningStore } from "../src/index.js";

type Choices = Awaited<ReturnType<TuningStore["load"]>>;

/**
 * Choices by adapter as JSON in `path`; by default .cache/tuning.json beside package.json. A file that is no such JSON
 * counts as none. Two processes may use one at once: each replaces it whole, so that one's news may be lost but a
 * reader never sees half of it.
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
