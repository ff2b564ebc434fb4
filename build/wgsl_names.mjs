// Short names for the bundle's WGSL. One map for all shaders and libraries assigns names that none of them uses, so
// that programs keep their meaning whatever one scope shadows of another, and a library works for every shader that
// imports it. Names that the host uses stay: entry points and overrides. After reflection it addresses bindings and
// members by number and offset.

const word = /\b[A-Za-z_]\w*/g;

/** The functions in a minified program, and all names it declares. @param {string} text */
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
 * Names in a minified program that must stay.
 * @param {string} text
 * @param {ReturnType<typeof declared>} own
 */
function kept(text, { functions, members }) {
  const attributes = matches(text, /@(\w+(?:\([^)]*\))?)/g);
  const spaces = matches(text, /\bvar<([^>]*)>/g);
  return [
    ...[...attributes, ...spaces].flatMap((part) => part.match(word) ?? []),
    // Vector components, and members of the results of WGSL's built-in functions.
    ...matches(text, /\.(\w+)/g).filter((name) => !members.has(name) || /^([xyzw]{1,4}|[rgba]{1,4})$/.test(name)),
    ...matches(text, /\boverride (\w+)/g),
    ...matches(text, /@compute ?@workgroup_size\([^)]*\) ?fn (\w+)/g),
    // WGSL's built-in functions and types.
    ...matches(text, /\b(\w+)\(/g).filter((name) => !functions.has(name)),
  ];
}

/** The matches of the pattern's only group. @param {string} text @param {RegExp} pattern */
function matches(text, pattern) {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** One letter, then a lower-case and an upper-case letter; none of these is a word in WGSL. */
function* shortest() {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const capitals = letters.toUpperCase();
  yield* letters + capitals;
  for (const letter of letters) for (const capital of capitals) yield letter + capital;
}

/**
 * A short name for each name that may be shortened, most frequent first. Two names may share one if no program has
 * both.
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
  /** The new names of each program's words. */
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
 * The text with those names. The suffix of a number is not a name.
 * @param {string} text minified
 * @param {ReadonlyMap<string, string>} names
 */
export function rename(text, names) {
  return text.replace(/\b\d[\w.]*|\b[A-Za-z_]\w*/g, (found) => names.get(found) ?? found);
}
