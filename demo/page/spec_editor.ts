// The editor for a model's JSON: errors are shown below it, and their line marked in it, before anything is built.
import { LONGEST_SPEC } from "../settings.js";
import { faultLine } from "../spec_text.js";
import { readJson } from "../json_fault.js";
import { find, say } from "./dom.js";

/** Delay after the last key, so that a half-typed word is not yet an error. */
const PAUSE_MS = 250;

export class SpecEditor {
  readonly #text = find<HTMLTextAreaElement>("spec");
  readonly #lines = find("spec-lines");
  #timer: number | undefined;
  #asked = 0;

  constructor(
    /** What is wrong with a text that is valid JSON; undefined if a model can be built from it. */
    private readonly check: (text: string) => Promise<string | undefined>,
    private readonly changed: () => void,
  ) {
    this.#text.addEventListener("input", () => {
      this.changed();
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.validate(), PAUSE_MS);
    });
    this.#text.addEventListener("scroll", () => {
      this.#lines.scrollTop = this.#text.scrollTop;
      this.#lines.scrollLeft = this.#text.scrollLeft;
    });
    // Tab leaves the editor, as with any field.
  }

  get text(): string {
    return this.#text.value;
  }

  set text(text: string) {
    this.#text.value = text;
    this.#showFault(undefined);
  }

  /** Whether a model can be built from the text; if not, shows why. */
  async validate(): Promise<boolean> {
    const asked = ++this.#asked;
    const message = await this.#fault(this.text);
    if (asked === this.#asked) this.#showFault(message);
    return message === undefined;
  }

  async #fault(text: string): Promise<string | undefined> {
    if (text.length > LONGEST_SPEC) return `the text is longer than ${LONGEST_SPEC.toLocaleString("en")} characters`;
    const { fault } = readJson(text);
    return fault ? `line ${fault.line}, column ${fault.column}: ${fault.message}` : this.check(text);
  }

  #showFault(message: string | undefined): void {
    const line = message === undefined ? undefined : faultLine(this.text, message);
    const named = line === undefined || message?.startsWith("line ") ? message : `line ${line}: ${message}`;
    say("spec-fault", named ?? "");
    this.#text.setAttribute("aria-invalid", String(message !== undefined));
    const parts = this.text.split("\n").map((text, index) => {
      const mark = document.createElement(index + 1 === line ? "mark" : "span");
      mark.textContent = `${text} \n`;
      return mark;
    });
    this.#lines.replaceChildren(...parts);
    this.#lines.scrollTop = this.#text.scrollTop;
  }
}
