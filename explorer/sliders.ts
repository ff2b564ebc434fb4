// One slider per dimension, the most used first, for latent spaces that a pad cannot show completely.
import { button, element, freshId, shown } from "./dom.js";
import { dimensionName } from "./plane.js";
import { USED, type Space } from "./space.js";

/** Sliders shown at first. */
const FEW = 8;

export class Sliders {
  readonly element = element("div", { part: "sliders" });
  readonly #list = element("div", { class: "slider-list" });
  readonly #more = button("", () => this.#showAll(), { class: "quiet" });
  readonly #inputs = new Map<number, { input: HTMLInputElement; output: HTMLOutputElement }>();
  #all = false;

  constructor(private readonly space: Space) {
    this.element.append(this.#list, this.#more);
    this.arrange();
    space.onPoints(() => this.arrange());
    space.onMove(() => this.#read());
  }

  /** Puts rows in order of use; a slider that has the focus keeps it. */
  arrange(): void {
    const { order, usage, latent } = this.space;
    const count = this.#all ? latent : Math.min(FEW, latent);
    const seen = order.slice(0, count);
    const rows: HTMLElement[] = seen.map((dimension) => this.#row(dimension));
    const used = seen.filter((dimension) => (usage?.[dimension] ?? 1) >= USED).length;
    if (latent > 2 && used > 0 && used < count)
      rows.splice(used, 0, element("p", { class: "hint idle" }, "Hardly used by this model:"));
    const active = this.element.getRootNode() as Document | ShadowRoot;
    const focused = active.activeElement?.id;
    this.#list.replaceChildren(...rows);
    if (focused) [...this.#inputs.values()].find(({ input }) => input.id === focused)?.input.focus();
    this.#more.hidden = latent <= FEW || this.#all;
    this.#more.textContent = `Show all ${latent}`;
    this.#read();
  }

  #showAll(): void {
    this.#all = true;
    this.arrange();
    this.#inputs.get(this.space.order[FEW]!)?.input.focus();
  }

  #row(dimension: number): HTMLElement {
    const known = this.#inputs.get(dimension);
    const id = known?.input.id ?? freshId("dimension");
    const limit = Math.max(3, this.space.range);
    const input = known?.input ?? element("input", { type: "range", id, step: 0.01, part: "slider" });
    const output = known?.output ?? element("output", { for: id });
    Object.assign(input, { min: String(-limit), max: String(limit) });
    if (!known) {
      input.addEventListener("input", () => {
        const z = this.space.z.slice();
        z[dimension] = input.valueAsNumber;
        this.space.move(z);
      });
      this.#inputs.set(dimension, { input, output });
    }
    const label = element("label", { for: id }, dimensionName(dimension));
    return element("div", { class: "slider-row" }, label, input, output);
  }

  #read(): void {
    for (const [dimension, { input, output }] of this.#inputs) {
      const value = this.space.z[dimension]!;
      input.value = value.toFixed(2);
      input.setAttribute("aria-valuetext", shown(value));
      output.textContent = shown(value);
    }
  }
}
