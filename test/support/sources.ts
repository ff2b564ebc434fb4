// The project's own sources as text, for tests of their layout.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files below a folder of the project, with `/` as the separator; none if there is no such folder. */
export function filesBelow(folder: string, extension: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => posix.join(folder, file.replaceAll("\\", "/")))
    .filter((file) => file.endsWith(extension) && !file.endsWith(".d.ts"))
    .sort();
}

export function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** A module's imports, static or dynamic, including types. Relative ones as paths from the root, with .ts for .js. */
export function importsOf(file: string, text = textOf(file)): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found = [...code.matchAll(/\bfrom\s+"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? match[2]!,
  );
  return found.map((name) =>
    name.startsWith(".") ? posix.join(posix.dirname(file), name).replace(/\.js$/, ".ts") : name,
  );
}
