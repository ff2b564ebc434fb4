// Rows of pictures, each varying one dimension from the current position, to show what each dimension means.
import { button, element, shown } from "./dom.js";
import { PictureGrid } from "./picture_grid.js";
import { dimensionName } from "./plane.js";
import type { Scene, Section } from "./view.js";

const ROWS = 6;
/** Range to each side, in standard deviations of the prior. */
const REACH = 3;
/** Below this width a picture would be too small to see. */
const NARROW = 520;

export class TraverseSection implements Section {
  readonly name = "Traverse";
  readonly element: HTMLElement;
  readonly #grid: PictureGrid;
  readonly #names = element("div", { class: "row-names", "aria-hidden": "true" });
  readonly #values = element("div", { class: "column-names", "aria-hidden": "true" });
  readonly #more = button("", () => this.#addRows(), { class: "quiet" });
  #rows: number;
  #latents: readonly Float32Array[] = [];
  #visible = false;

  constructor(private readonly scene: Scene) {
    this.#rows = Math.min(ROWS, scene.space.latent);
    this.#grid = new PictureGrid(scene, "Traversals", (index) => scene.visit(this.#latents[index]!.slice()));
    const hint = element(
      "p",
      { class: "hint" },
      "Each row varies one dimension from −3 to 3 and keeps the others at the current position; the most used come first. Choose a picture to go there.",
    );
    this.element = element(
      "div",
      { class: "stack" },
      hint,
      element("div", { class: "traversals" }, this.#values, this.#names, this.#grid.element),
      this.#more,
    );
    scene.space.onPoints(() => this.#visible && this.show());
  }

  #addRows(): void {
    this.#rows = Math.min(this.scene.space.latent, this.#rows + ROWS);
    this.show();
  }

  show(): void {
    this.#visible = true;
    const { latent, z, order } = this.scene.space;
    const columns = this.element.clientWidth < NARROW ? 7 : 11;
    const values = Array.from({ length: columns }, (_, i) => REACH * ((2 * i) / (columns - 1) - 1));
    const dimensions = order.slice(0, this.#rows);
    this.#latents = dimensions.flatMap((dimension) =>
      values.map((value) => {
        const moved = z.slice();
        moved[dimension] = value;
        return moved;
      }),
    );
    const all = new Float32Array(this.#latents.length * latent);
    this.#latents.forEach((row, i) => all.set(row, i * latent));
    const spans = (texts: readonly string[]) => texts.map((text) => element("span", {}, text));
    this.#names.replaceChildren(...spans(dimensions.map(dimensionName)));
    this.#values.replaceChildren(...spans(values.map((value) => shown(value, 1))));
    this.#values.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    this.#more.hidden = this.#rows >= latent;
    this.#more.textContent = `More of the ${latent} dimensions`;
    const nameOf = (row: number, column: number) =>
      `${dimensionName(dimensions[row]!)} at ${shown(values[column]!, 1)}`;
    void this.#grid.decode(all, { columns, rows: dimensions.length, nameOf });
  }

  hide(): void {
    this.#visible = false;
  }

  dispose(): void {
    this.#grid.dispose();
  }
}
