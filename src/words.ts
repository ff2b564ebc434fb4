// Guesses which known name somebody meant by a word from Keras or PyTorch, or by another spelling.

/**
 * Our names, with other libraries' names for them that begin differently, in lower case, letters and digits only. Those
 * of a spec's keys and types are added by layers.js, which is loaded whenever a spec is wrong.
 */
const others: Record<string, string> = {
  learningRate: "lr",
  beta: "klweight",
  clipNorm: "maxnorm",
  test: "validationdata",
};

/** Adds names, with other libraries' names for them. */
export const addWords = (words: Readonly<Record<string, string>>) => Object.assign(others, words);

const plain = (word: string) => word.toLowerCase().replace(/[^a-z0-9]/g, "");

/**
 * The name in `known` that `word` seems to mean, if any: another spelling, another library's word, or the same
 * beginning.
 */
export function nearest(word: unknown, known: readonly string[]): string | undefined {
  if (typeof word !== "string") return undefined;
  const given = plain(word.replace(/^(.*\.)?(nn|layers)\./, ""));
  let [best, most] = [undefined as string | undefined, 0.6];
  for (const name of known) {
    const own = plain(name);
    let same = 0;
    while (same < own.length && own[same] === given[same]) same++;
    // As a fraction of the shorter word, so that "kernelsize" fully matches "kernel". Another library's word ranks
    // higher.
    const share = same > 5 ? 1 : same < 3 ? 0 : same / Math.min(own.length, given.length);
    const alike = own === given ? 3 : others[name]?.split(" ").includes(given) ? 2 : share;
    if (alike > most) [best, most] = [name, alike];
  }
  return best;
}

/** The end of a message about an unknown `word`: `; did you mean "relu"?`, or nothing. */
export function meant(word: unknown, known: readonly string[]): string {
  const name = nearest(word, known);
  return name === undefined ? "" : `; did you mean "${name}"?`;
}
