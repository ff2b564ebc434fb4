// Describes which files cannot be used and why, in a sentence or two however many there are.

/** How many files are named for each reason. */
const NAMED = 3;

export class LeftOut {
  readonly #names = new Map<string, string[]>();
  #count = 0;

  /** `why` is a short reason: "empty", "not a picture". */
  add(name: string, why: string): void {
    this.#count++;
    const names = this.#names.get(why);
    if (names) names.push(shortName(name));
    else this.#names.set(why, [shortName(name)]);
  }

  get count(): number {
    return this.#count;
  }

  /** "empty: a.png; not a picture: b.txt, c.txt, d.txt and 7 more." */
  reasons(): string {
    const parts = [...this.#names].map(([why, names]) => {
      const more = names.length - NAMED;
      return `${why}: ${names.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more.toLocaleString("en")} more` : ""}`;
    });
    return `${parts.join("; ")}.`;
  }

  /** A sentence for the notes; none if nothing was left out. */
  notes(total: number): string[] {
    if (this.#count === 0) return [];
    const [left, all] = [this.#count, total].map((count) => count.toLocaleString("en"));
    return [`Left out ${left} of ${all} files. ${capital(this.reasons())}`];
  }
}

/** A name may have any length and contain any characters. */
export function shortName(name: string): string {
  const clean = name.replace(/\p{C}/gu, "\ufffd");
  const characters = [...clean];
  return characters.length <= 40 ? clean : `${characters.slice(0, 24).join("")}…${characters.slice(-12).join("")}`;
}

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
