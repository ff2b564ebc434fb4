// Short names for the WGSL of the bundle. There is one map for all shaders and libraries, and it gives names that none
// of them has: so the same program is left whatever one scope hides of another, and a library serves every shader that
// imports it. What the host or reflection calls by name keeps it: entry points, overrides, bindings, members.

const word = /\b[A-Za-z_]\w*/g;

/** Of a program, minified: what its own functions, constants, parameters and locals are called. @param {string} text */
function declared(text) {
  const functions = matches(text, /\bfn (\w+)\(/g);
  const parameters = [...text.matchAll(/\bfn \w+\(([^{]*?)\)(?:->|\{)/g)].flatMap(([, list = ""]) =>
    matches(list, /(\w+):/g),
  );
  const values = matches(text, /\b(?:let|const|var|var<(?:workgroup|private)>) ?(\w+)/g);
  return { functions: new Set(functions), names: [...functions, ...parameters, ...values] };
}

/**
 * Of a program, minified: names that have to stay.
 * @param {string} text
 * @param {Set<string>} functions
 */
function kept(text, functions) {
  const bodies = matches(text, /\b(struct \w+\{[^}]*\})/g);
  const attributes = matches(text, /@(\w+(?:\([^)]*\))?)/g);
  return [
    ...[...bodies, ...attributes].flatMap((part) => part.match(word) ?? []),
    // Members and the parts of a vector.
    ...matches(text, /\.(\w+)/g),
    ...matches(text, /\boverride (\w+)/g),
    ...matches(text, /\bvar<(?:storage|uniform)[^>]*> ?(\w+)/g),
    ...matches(text, /@compute ?@workgroup_size\([^)]*\) ?fn (\w+)/g),
    // WGSL's own functions and types.
    ...matches(text, /\b(\w+)\(/g).filter((name) => !functions.has(name)),
  ];
}

/** What the pattern's one group finds. @param {string} text @param {RegExp} pattern */
function matches(text, pattern) {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** Of one letter, then of a small and a capital one: no word of WGSL's is among them. */
function* shortest() {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const capitals = letters.toUpperCase();
  yield* letters + capitals;
  for (const letter of letters) for (const capital of capitals) yield letter + capital;
}

/**
 * A short name for each name that may have one, the most frequent first.
 * @param {readonly string[]} programs each with its libraries, minified
 * @returns {Map<string, string>}
 */
export function shortNames(programs) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of programs) for (const [name] of text.matchAll(word)) counts.set(name, (counts.get(name) ?? 0) + 1);
  /** @type {Set<string>} */
  const names = new Set();
  /** @type {Set<string>} */
  const stay = new Set();
  for (const text of programs) {
    const own = declared(text);
    for (const name of own.names) names.add(name);
    for (const name of kept(text, own.functions)) stay.add(name);
  }
  const order = [...names].filter((name) => !stay.has(name));
  const free = new Set(order);
  const pool = [...shortest()].filter((name) => free.has(name) || !counts.has(name)).values();
  order.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1));
  return new Map(order.map((name) => [name, pool.next().value ?? name]));
}

/**
 * The text with those names; what follows a dot is a member.
 * @param {string} text minified
 * @param {ReadonlyMap<string, string>} names
 */
export function rename(text, names) {
  return text.replace(/\.?\b[A-Za-z_]\w*/g, (found) => names.get(found) ?? found);
}
