// The class names with their colours; choosing one fades the others.
import { element } from "./dom.js";
import type { PadGround } from "./pad_ground.js";
import type { Space } from "./space.js";
import { CLASSES, type Theme } from "./theme.js";

export class Legend {
  readonly element = element("div", { part: "legend", role: "group", "aria-label": "Classes" });
  readonly #end: () => void;
  #chosen: number | undefined;
  #labels: readonly number[] = [];

  constructor(
    private readonly space: Space,
    private readonly theme: Theme,
    private readonly ground: PadGround,
  ) {
    this.#end = theme.follow(() => this.#colour());
    space.onPoints(() => this.#arrange());
    this.#arrange();
  }

  #arrange(): void {
    const labels = [...new Set(this.space.points?.labels ?? [])].sort((a, b) => a - b);
    this.element.hidden = labels.length < 2;
    if (String(labels) === String(this.#labels)) return;
    this.#labels = labels;
    this.element.replaceChildren(
      ...labels.map((label) => {
        const item = element(
          "button",
          { type: "button", class: "legend-item", "aria-pressed": "false", "data-label": label },
          element("span", { class: "swatch", "aria-hidden": "true" }),
          this.space.nameOf(label),
        );
        item.addEventListener("click", () => this.#choose(label));
        return item;
      }),
    );
    this.#colour();
  }

  #choose(label: number): void {
    this.#chosen = this.#chosen === label ? undefined : label;
    for (const item of this.#items()) {
      item.setAttribute("aria-pressed", String(item.dataset["label"] === String(this.#chosen)));
    }
    this.ground.choose(this.#chosen);
  }

  #colour(): void {
    for (const item of this.#items()) {
      const swatch = item.firstElementChild as HTMLElement;
      swatch.style.background = this.theme.colours.classes[Number(item.dataset["label"]) % CLASSES]!;
    }
  }

  #items(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>(".legend-item")];
  }

  dispose(): void {
    this.#end();
  }
}
