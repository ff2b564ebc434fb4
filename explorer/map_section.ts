// The manifold: pictures decoded on a grid of positions, with equal shares of the prior between neighbours.
import { button, element, freshId, shown } from "./dom.js";
import { PictureGrid } from "./picture_grid.js";
import { Plane, dimensionName } from "./plane.js";
import { normalGrid } from "./quantile.js";
import { isPlanar } from "./shapes.js";
import type { Scene, Section } from "./view.js";

const SIZES = [8, 12, 16, 20];

export class MapSection implements Section {
  readonly name = "Map";
  readonly element: HTMLElement;
  readonly #grid: PictureGrid;
  readonly #size: HTMLSelectElement;
  readonly #across: HTMLSelectElement;
  readonly #up: HTMLSelectElement;
  readonly #hint = element("p", { class: "hint" });
  #latents: readonly Float32Array[] = [];

  constructor(private readonly scene: Scene) {
    const { space } = scene;
    this.#grid = new PictureGrid(scene, "Map of the latent space", (index) =>
      scene.visit(this.#latents[index]!.slice()),
    );
    const again = () => this.show();
    const sizes = SIZES.map((size) => [String(size), `${size} × ${size}`] as const);
    this.#size = select(sizes, "12", again);
    const [first = 0, second = 1] = space.order;
    const dimensions = Array.from({ length: space.latent }, (_, i) => [String(i), dimensionName(i)] as const);
    this.#across = select(dimensions, String(first), again);
    this.#up = select(dimensions, String(second), again);
    // The most used dimensions are known once examples have been encoded; a visitor's choice is kept.
    let chosen = false;
    for (const one of [this.#across, this.#up]) one.addEventListener("change", () => (chosen = true));
    space.onPoints(() => {
      if (chosen) return;
      this.#across.value = String(space.order[0]);
      this.#up.value = String(space.order[1]);
    });
    const controls = element("div", { class: "controls" });
    if (space.latent > 2) controls.append(labelled("Across", this.#across), labelled("Up", this.#up));
    controls.append(
      labelled("Grid", this.#size),
      button("Save as PNG", () => void this.#save()),
    );
    this.element = element("div", { class: "stack" }, controls, this.#grid.element, this.#hint);
    this.#grid.element.classList.add("map");
  }

  show(): void {
    const { space } = this.scene;
    const [across, up] = [Number(this.#across.value), Number(this.#up.value)];
    const count = Number(this.#size.value);
    const values = normalGrid(count);
    const plane = Plane.ofDimensions(space.latent, across, up);
    const [x, y] = [(column: number) => values[column]!, (row: number) => values[count - 1 - row]!];
    this.#latents = Array.from({ length: count * count }, (_, i) =>
      plane.lift([x(i % count), y(Math.floor(i / count))], space.z),
    );
    const all = new Float32Array(this.#latents.length * space.latent);
    this.#latents.forEach((z, i) => all.set(z, i * space.latent));
    const [left, right] = [shown(values[0]!, 1), shown(values.at(-1)!, 1)];
    const rest = space.latent > 2 ? " The other dimensions stay at the current position." : "";
    this.#hint.textContent = `${dimensionName(across)} runs from ${left} to ${right} across, ${dimensionName(up)} upwards; each step covers an equal share of the prior.${rest}${isPlanar(space.model.spec) ? "" : " Choose a picture to go there."}`;
    const nameOf = (row: number, column: number) =>
      `${dimensionName(across)} ${shown(x(column))}, ${dimensionName(up)} ${shown(y(row))}`;
    void this.#grid.decode(all, { columns: count, rows: count, nameOf });
  }

  async #save(): Promise<void> {
    try {
      const url = URL.createObjectURL(await this.#grid.view.snapshot());
      element("a", { href: url, download: "latent-space.png" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      this.scene.fail(error);
    }
  }

  dispose(): void {
    this.#grid.dispose();
  }
}

function select(
  options: readonly (readonly [value: string, text: string])[],
  value: string,
  changed: () => void,
): HTMLSelectElement {
  const made = element("select", { id: freshId("choice"), part: "select" });
  made.append(...options.map(([value, text]) => element("option", { value }, text)));
  made.value = value;
  made.addEventListener("change", changed);
  return made;
}

const labelled = (text: string, control: HTMLElement): HTMLElement =>
  element("label", { for: control.id, class: "labelled" }, element("span", {}, text), control);
