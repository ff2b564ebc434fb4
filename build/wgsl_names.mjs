// Short names for the WGSL of the bundle. There is one map for all shaders and libraries, and it gives names that none
// of them has: so the same program is left whatever one scope hides of another, and a library serves every shader that
// imports it. What the host calls by name keeps it: entry points and overrides. Bindings and members it knows by their
// numbers and offsets, once they are reflected.

const word = /\b[A-Za-z_]\w*/g;

/** Of a program, minified: the functions, and all names that it declares. @param {string} text */
function declared(text) {
  const functions = matches(text, /\bfn (\w+)\(/g);
  const parameters = [...text.matchAll(/\bfn \w+\(([^{]*?)\)(?:->|\{)/g)].flatMap(([, list = ""]) =>
    matches(list, /(\w+):/g),
  );
  const values = matches(text, /\b(?:let|const|var|var<[^>]*>) ?(\w+)/g);
  const structs = matches(text, /\bstruct (\w+)/g);
  const members = matches(text, /\bstruct \w+\{([^}]*)\}/g).flatMap((body) => matches(body, /(\w+):/g));
  const names = [...functions, ...parameters, ...values, ...structs, ...members];
  return { functions: new Set(functions), members: new Set(members), names };
}

/**
 * Of a program, minified: names that have to stay.
 * @param {string} text
 * @param {ReturnType<typeof declared>} own
 */
function kept(text, { functions, members }) {
  const attributes = matches(text, /@(\w+(?:\([^)]*\))?)/g);
  const spaces = matches(text, /\bvar<([^>]*)>/g);
  return [
    ...[...attributes, ...spaces].flatMap((part) => part.match(word) ?? []),
    // Parts of a vector, and members of what WGSL's own functions give.
    ...matches(text, /\.(\w+)/g).filter((name) => !members.has(name) || /^([xyzw]{1,4}|[rgba]{1,4})$/.test(name)),
    ...matches(text, /\boverride (\w+)/g),
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
 * A short name for each name that may have one, the most frequent first. Two names may get the same one where no
 * program has both.
 * @param {readonly string[]} programs each with its libraries, minified
 * @returns {Map<string, string>}
 */
export function shortNames(programs) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  /** @type {Set<string>} */
  const names = new Set();
  /** @type {Set<string>} */
  const stay = new Set();
  const words = programs.map((text) => new Set(text.match(word)));
  for (const text of programs) {
    for (const [name] of text.matchAll(word)) counts.set(name, (counts.get(name) ?? 0) + 1);
    const own = declared(text);
    for (const name of own.names) names.add(name);
    for (const name of kept(text, own)) stay.add(name);
  }
  const order = [...names].filter((name) => !stay.has(name));
  order.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1));
  const free = new Set(order);
  /** What each program's words are called. */
  const taken = words.map((own) => new Set([...own].filter((name) => !free.has(name))));
  const pool = [...shortest()];
  return new Map(
    order.map((name) => {
      const places = taken.filter((_, i) => words[i]?.has(name));
      const short = pool.find((candidate) => places.every((used) => !used.has(candidate))) ?? name;
      for (const used of places) used.add(short);
      return [name, short];
    }),
  );
}

/**
 * The text with those names. A number's suffix is no name.
 * @param {string} text minified
 * @param {ReadonlyMap<string, string>} names
 */
export function rename(text, names) {
  return text.replace(/\b\d[\w.]*|\b[A-Za-z_]\w*/g, (found) => names.get(found) ?? found);
}
