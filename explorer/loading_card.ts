// Shows loading progress until the explorer is ready.
import { element, freshId } from "./dom.js";

export class LoadingCard {
  readonly #bar = element("progress", { id: freshId("progress"), max: 1 });
  readonly #label = element("label", { for: this.#bar.id }, "Loading the model…");
  readonly element = element("div", { part: "loading" }, this.#label, this.#bar);

  show(what: string, received?: number, total?: number): void {
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    const size = received === undefined ? "" : ` ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ""}`;
    this.#label.textContent = `${what}…${size}`;
    if (received !== undefined && total) this.#bar.value = received / total;
    else this.#bar.removeAttribute("value");
  }
}
