// A choice among types by JSON: a likelihood, a prior, a condition, an objective. Each type says which keys it needs.
import { invalid, objectAt, quoted } from "./checks.js";
import type { ErrorCode } from "./errors.js";
import type { Check } from "./layers/definition.js";

export interface Choice {
  /** How it is written, for messages. */
  readonly example: string;
  /** Other libraries' words for it, with what to write here. */
  readonly words?: readonly (readonly [RegExp, string])[];
  readonly needs: Readonly<Record<string, Check>>;
}

/**
 * One of `types` from JSON, as it is saved: by its name alone where it needs no keys; undefined for `usual`, the
 * name of what is no type, or for none where there is a usual one. Throws `code` saying which there are, and which was meant.
 */
export function choiceAt(
  types: Readonly<Partial<Record<string, Choice>>>,
  value: unknown,
  place: string,
  usual?: string,
  code?: ErrorCode,
): unknown {
  if (usual !== undefined && (value === undefined || value === usual)) return undefined;
  const named = value !== null && typeof value === "object" ? (value as { type?: unknown }).type : value;
  const type = Object.hasOwn(types, named as string) ? types[named as string] : undefined;
  const keys = Object.keys(type?.needs ?? {});
  if (!type || (named === value && keys.length > 0)) {
    const all = Object.values(types) as Choice[];
    const words = all.flatMap(({ words = [] }) => words);
    const [, meant] = words.find(([word]) => typeof named === "string" && word.test(named)) ?? [];
    invalid(
      `${place}: expected ${[...(usual ? [`"${usual}"`] : []), ...all.map(({ example }) => example)].join(" or ")}, found ${quoted(value)}` +
        (meant ? `; write ${meant}` : ""),
      code,
    );
  }
  const given = named === value ? {} : objectAt(value, place, ["type", ...keys], code);
  if (keys.length === 0) return named;
  const checked = keys.map((key) => [key, type.needs[key]!(given[key], `${place}: ${key}`, 0)]);
  return { type: named, ...(Object.fromEntries(checked) as object) };
}
