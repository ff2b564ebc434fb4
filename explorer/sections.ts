// Tabs following the ARIA pattern: one stop for the Tab key, arrow keys between tabs, and the section below follows.
import { element, freshId } from "./dom.js";
import type { Section } from "./view.js";

export class Sections {
  readonly element: HTMLElement;
  readonly #tabs: HTMLButtonElement[];
  readonly #panels: HTMLElement[];
  #current = -1;

  constructor(private readonly sections: readonly Section[]) {
    this.#tabs = sections.map(({ name }, i) => {
      const tab = element("button", { type: "button", role: "tab", part: "tab", id: freshId("tab") }, name);
      tab.addEventListener("click", () => this.open(i));
      return tab;
    });
    this.#panels = sections.map((section, i) => {
      const id = freshId("section");
      this.#tabs[i]!.setAttribute("aria-controls", id);
      return element(
        "div",
        { role: "tabpanel", part: "section", id, "aria-labelledby": this.#tabs[i]!.id },
        section.element,
      );
    });
    const list = element("div", { role: "tablist", part: "tabs", "aria-label": "Sections" }, ...this.#tabs);
    list.addEventListener("keydown", this.#onKey);
    list.hidden = sections.length < 2;
    this.element = element("div", { class: "sections" }, list, ...this.#panels);
    this.open(0);
  }

  get current(): Section {
    return this.sections[this.#current]!;
  }

  open(index: number): void {
    if (index !== this.#current) this.sections[this.#current]?.hide?.();
    this.#current = index;
    this.#tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
      this.#panels[i]!.hidden = i !== index;
    });
    this.sections[index]!.show();
  }

  /** Opens a section by its name, ignoring case. Returns whether there is one. */
  openNamed(name: string): boolean {
    const index = this.sections.findIndex((section) => section.name.toLowerCase() === name.toLowerCase());
    if (index >= 0) this.open(index);
    return index >= 0;
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const count = this.#tabs.length;
    const to: Record<string, number> = {
      ArrowLeft: (this.#current + count - 1) % count,
      ArrowRight: (this.#current + 1) % count,
      Home: 0,
      End: count - 1,
    };
    const index = to[event.key];
    if (index === undefined) return;
    event.preventDefault();
    this.open(index);
    this.#tabs[index]!.focus();
  };

  dispose(): void {
    for (const section of this.sections) section.dispose();
  }
}
