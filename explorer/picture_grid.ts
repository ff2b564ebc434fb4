// A grid of pictures to choose from, by pointer or by arrow keys and Enter. All pictures are on one canvas; an element
// lies over each one for its focus, name and outline.
import { element } from "./dom.js";
import { Picture } from "./picture.js";
import type { Scene, View } from "./view.js";
import { viewOf } from "./view.js";

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly nameOf: (row: number, column: number) => string;
  readonly selected?: number;
}

export class PictureGrid {
  readonly element: HTMLElement;
  readonly view: View;
  readonly #cells = element("div", { role: "grid", part: "cells" });
  #columns = 0;
  #rows = 0;
  #focused = 0;

  /** `choose` is called with a picture's index, counted row by row. */
  constructor(
    scene: Scene,
    private readonly label: string,
    private readonly choose: (index: number) => void,
  ) {
    this.view = viewOf(scene, label);
    this.element = element("div", { class: "picture-grid" }, this.view.element);
    // Points in the plane have no cells.
    if (!(this.view instanceof Picture)) return;
    this.element.append(this.#cells);
    this.#cells.setAttribute("aria-label", label);
    this.view.onLayout = ({ gap, width, height }) => {
      const { style } = this.#cells;
      [style.gap, style.width, style.height] = [gap, width, height].map((length) => `${length}px`) as [
        string,
        string,
        string,
      ];
    };
    this.#cells.addEventListener("keydown", this.#onKey);
    this.#cells.addEventListener("click", (event) => {
      const index = [...this.#all()].indexOf(event.target as HTMLElement);
      if (index >= 0) this.#activate(index);
    });
  }

  /** Decodes latents, one row per picture. */
  async decode(z: Float32Array, grid: Grid): Promise<void> {
    this.#arrange(grid);
    await this.view.decode(z, grid.columns);
  }

  async show(x: Float32Array, grid: Grid): Promise<void> {
    this.#arrange(grid);
    await this.view.show(x, grid.columns);
  }

  select(selected: number | undefined): void {
    this.#all().forEach((cell, i) => cell.setAttribute("aria-selected", String(i === selected)));
  }

  #arrange({ columns, rows, nameOf, selected }: Grid): void {
    this.view.setGrid(columns, rows);
    this.view.label = `${this.label}: ${columns * rows} pictures`;
    if (!(this.view instanceof Picture)) return;
    if (columns !== this.#columns || rows !== this.#rows) {
      this.#columns = columns;
      this.#rows = rows;
      this.#focused = Math.min(this.#focused, columns * rows - 1);
      const { style } = this.#cells;
      style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
      const row = () =>
        element(
          "div",
          { role: "row" },
          ...Array.from({ length: columns }, () => element("div", { role: "gridcell", part: "cell", tabindex: -1 })),
        );
      this.#cells.replaceChildren(...Array.from({ length: rows }, row));
    }
    this.#all().forEach((cell, i) => {
      cell.setAttribute("aria-label", nameOf(Math.floor(i / columns), i % columns));
      cell.tabIndex = i === this.#focused ? 0 : -1;
    });
    if (selected !== undefined) this.select(selected);
  }

  #all(): NodeListOf<HTMLElement> {
    return this.#cells.querySelectorAll<HTMLElement>("[role=gridcell]");
  }

  #activate(index: number): void {
    this.#focus(index, false);
    this.choose(index);
  }

  #focus(index: number, move: boolean): void {
    const cells = this.#all();
    const from = cells[this.#focused];
    if (from) from.tabIndex = -1;
    this.#focused = index;
    cells[index]!.tabIndex = 0;
    if (move) cells[index]!.focus();
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const [columns, at] = [this.#columns, this.#focused];
    const column = at % columns;
    const to: Record<string, number | undefined> = {
      ArrowLeft: column > 0 ? at - 1 : undefined,
      ArrowRight: column < columns - 1 ? at + 1 : undefined,
      ArrowUp: at >= columns ? at - columns : undefined,
      ArrowDown: at + columns < columns * this.#rows ? at + columns : undefined,
      Home: at - column,
      End: at - column + columns - 1,
    };
    if (event.key === "Enter" || event.key === " ") this.#activate(at);
    else if (event.key in to) this.#focus(to[event.key] ?? at, true);
    else return;
    event.preventDefault();
  };

  dispose(): void {
    this.view.dispose();
  }
}
