// A model spec as a text that people edit, and the line of that text that an error refers to.
import type { ModelSpec } from "webvae";
import { lineOf, readJson } from "./json_fault.js";

/** A spec as text with one layer per line, so that an error's line number is meaningful. */
export function specText(spec: ModelSpec): string {
  const layers = (list: readonly object[]) =>
    list.length === 0 ? "[]" : `[\n${list.map((layer) => `    ${oneLine(layer)}`).join(",\n")}\n  ]`;
  const parts = [
    `"input": ${oneLine(spec.input)}`,
    `"encoder": ${layers(spec.encoder)}`,
    `"latent": ${spec.latent}`,
    `"decoder": ${layers(spec.decoder)}`,
    `"likelihood": ${oneLine(spec.likelihood)}`,
  ];
  return `{\n  ${parts.join(",\n  ")}\n}\n`;
}

/** JSON with a space after each colon and comma. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${oneLine(inner)}`);
  return `{ ${entries.join(", ")} }`;
}

/** The line, from 1, of what a message names first: "encoder.1 (dense): units: expected a whole number". */
export function faultLine(text: string, message: string): number | undefined {
  const direct = /^line (\d+),/.exec(message);
  if (direct) return Number(direct[1]);
  const named = /^(\w+(?:\.\d+|\[\d+\])*)(?: \(\w+\))?(?:: (\w+)\b)?/.exec(message);
  if (!named) return undefined;
  // The library numbers the layers inside a residual layer without naming the list they are in.
  const plain = (path: string) => path.replace(/\.layers\[/g, "[").replace(/\[(\d+)\]/g, ".$1");
  const { places } = readJson(text);
  const offsets = new Map([...places].map(([path, at]) => [plain(path), at]));
  const path = plain(named[1]!);
  const at = offsets.get(`${path}.${named[2]}`) ?? offsets.get(path);
  return at === undefined ? undefined : lineOf(text, at).line;
}
