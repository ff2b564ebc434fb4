// A path from one example to another through the latent space.
import { button, element, freshId } from "./dom.js";
import { between, steps, type Way } from "./interpolation.js";
import { PictureGrid } from "./picture_grid.js";
import { isPlanar, valuesOf } from "./shapes.js";
import { viewOf, type Scene, type Section, type View } from "./view.js";

/** Examples to choose from at each end. */
const CHOICES = 8;
const NARROW = 520;

/** An end of the path: a row of examples, one of them chosen. */
interface End {
  readonly grid: PictureGrid;
  first: number;
  chosen: number;
}

export class BetweenSection implements Section {
  readonly name = "Between";
  readonly element: HTMLElement;
  readonly #ends: readonly [End, End];
  readonly #steps: PictureGrid;
  readonly #view: View;
  readonly #position = element("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0.5, id: freshId("way") });
  readonly #caption = element("p", { part: "caption" });
  #way: Way = "spherical";
  /** Latents of both ends' choices, concatenated. */
  #latents: [Float32Array, Float32Array] | undefined;
  #count = 9;

  constructor(private readonly scene: Scene) {
    const end = (label: string, first: number, index: 0 | 1): End => ({
      grid: new PictureGrid(scene, label, (chosen) => this.#choose(index, chosen)),
      first,
      chosen: 0,
    });
    this.#ends = [end("From", 0, 0), end("To", CHOICES, 1)];
    this.#steps = new PictureGrid(scene, "Steps", (index) => this.#go(index / (this.#count - 1)));
    this.#view = viewOf(scene, "Between the two");
    this.#position.addEventListener("input", () => this.#showOne());
    const others = button("Other examples", () => {
      for (const one of this.#ends) one.first += 2 * CHOICES;
      this.show();
    });
    const visit = button("Explore from here", () => scene.visit(this.#at(this.#position.valueAsNumber)));
    const choice = (text: string, { grid }: End) =>
      element("div", { class: "choice" }, element("span", { class: "choice-name" }, text), grid.element);
    const ends = element("div", { class: "ends" }, choice("From", this.#ends[0]), choice("To", this.#ends[1]));
    // Points in the plane are chosen at random: a row of them would show nothing.
    ends.hidden = isPlanar(scene.space.model.spec);
    this.element = element(
      "div",
      { class: "between" },
      ends,
      element("div", { class: "controls" }, this.#ways(), others),
      this.#steps.element,
      element(
        "div",
        { class: "one" },
        this.#view.element,
        element(
          "div",
          { class: "stack" },
          element("label", { for: this.#position.id }, "Position along the path"),
          this.#position,
          this.#caption,
          element("div", { class: "buttons" }, visit),
        ),
      ),
    );
  }

  #ways(): HTMLElement {
    const name = freshId("ways");
    const group = element("fieldset", { class: "segments" }, element("legend", { class: "unseen" }, "Path"));
    for (const way of ["spherical", "linear"] as const) {
      const input = element("input", { type: "radio", name, value: way, checked: way === this.#way });
      input.addEventListener("change", () => {
        this.#way = way;
        this.#showWay();
      });
      group.append(element("label", {}, input, element("span", {}, way === "linear" ? "Linear" : "Spherical")));
    }
    return group;
  }

  show(): void {
    void this.#load().catch(this.scene.fail);
  }

  async #load(): Promise<void> {
    const { space } = this.scene;
    const latents: Float32Array[] = [];
    for (const end of this.#ends) {
      const indices = Array.from({ length: CHOICES }, (_, i) => (end.first + i) % Math.max(1, space.imageCount));
      const nameOf = (_: number, column: number) => {
        const label = space.options.imageLabels?.[indices[column]!];
        return label === undefined ? `Example ${indices[column]! + 1}` : `Example of ${space.nameOf(label)}`;
      };
      const grid = { columns: CHOICES, rows: 1, nameOf, selected: end.chosen };
      if (space.imageCount > 0) {
        const size = valuesOf(space.model.spec);
        const images = new Float32Array(CHOICES * size);
        indices.forEach((index, i) => images.set(space.image(index), i * size));
        void end.grid.show(images, grid);
        latents.push((await space.model.encode(images)).mean);
      } else {
        // Without examples: draws from the prior, which stay the same as the weights change.
        const draws = new Float32Array(CHOICES * space.latent);
        for (let i = 0; i < CHOICES; i++) draws.set(space.drawOf(end.first + i), i * space.latent);
        void end.grid.decode(draws, grid);
        latents.push(draws);
      }
    }
    this.#latents = [latents[0]!, latents[1]!];
    this.#showWay();
  }

  #choose(index: 0 | 1, chosen: number): void {
    const end = this.#ends[index];
    end.chosen = chosen;
    end.grid.select(chosen);
    this.#showWay();
  }

  #latentOf(index: 0 | 1): Float32Array {
    const { latent } = this.scene.space;
    const at = this.#ends[index].chosen * latent;
    return this.#latents?.[index].slice(at, at + latent) ?? new Float32Array(latent);
  }

  #at(t: number): Float32Array {
    return between(this.#latentOf(0), this.#latentOf(1), t, this.#way);
  }

  #go(t: number): void {
    this.#position.value = String(t);
    this.#showOne();
  }

  #showWay(): void {
    if (!this.#latents) return;
    this.#count = this.element.clientWidth < NARROW ? 7 : 11;
    const rows = steps(this.#latentOf(0), this.#latentOf(1), this.#count, this.#way);
    const nameOf = (_: number, column: number) => `${Math.round((100 * column) / (this.#count - 1))}% of the way`;
    void this.#steps.decode(rows, { columns: this.#count, rows: 1, nameOf });
    this.#showOne();
  }

  #showOne(): void {
    if (!this.#latents) return;
    const t = this.#position.valueAsNumber;
    const percent = `${Math.round(100 * t)}%`;
    this.#position.setAttribute("aria-valuetext", `${percent} of the way`);
    this.#caption.textContent = `${percent} of the way along the ${this.#way === "linear" ? "straight line" : "arc"}`;
    void this.#view.decode(this.#at(t));
  }

  dispose(): void {
    for (const { grid } of [...this.#ends, { grid: this.#steps }]) grid.dispose();
    this.#view.dispose();
  }
}
