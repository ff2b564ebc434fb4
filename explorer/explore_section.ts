// The first section: a pad and sliders to move by, and what is decoded where one stands.
import { button, element, shown } from "./dom.js";
import { Legend } from "./legend.js";
import { Morph } from "./morph.js";
import { neighbourhood } from "./neighbours.js";
import { Pad } from "./pad.js";
import { dimensionName } from "./plane.js";
import { isPlanar } from "./shapes.js";
import { Sliders } from "./sliders.js";
import { viewOf, type Scene, type Section, type View } from "./view.js";

/** Milliseconds between two descriptions: a drag has better to do than to lay out text. */
const PAUSE = 120;

export class ExploreSection implements Section {
  readonly name = "Explore";
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #pad: Pad | undefined;
  readonly #legend: Legend | undefined;
  readonly #morph: Morph;
  readonly #caption = element("p", { part: "caption" });
  #visible = false;
  #words: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly scene: Scene) {
    const { space, theme } = scene;
    this.#view = viewOf(scene, `Decoded at ${this.#coordinates()}.`);
    this.#morph = new Morph(space, (way) => this.#pad?.ground.showWay(way));
    this.#morph.element.append(
      button("Random", () => space.move(space.draw())),
      button("Origin", () => space.move(new Float32Array(space.latent))),
    );
    const buttons = this.#morph.element;
    const what = element("div", { class: "what" }, this.#view.element, this.#caption, buttons);
    if (isPlanar(space.model.spec)) {
      const examples = space.images
        ? "Grey: the examples. Small dots: draws from the prior."
        : "Grey: draws from the prior.";
      what.append(element("p", { class: "hint" }, `${examples} The large dot is decoded where you are.`));
    }
    const where = element("div", { class: "where" });
    if (space.latent > 1) {
      this.#pad = new Pad(space, theme, (to) => space.move(space.plane.lift(to, space.z)));
      this.#legend = new Legend(space, theme, this.#pad.ground);
      where.append(this.#pad.element, this.#legend.element, this.#about());
    }
    const sliders = new Sliders(space).element;
    // A few fit under the picture.
    const few = space.latent <= 3;
    if (few) what.append(sliders);
    this.element = element("div", { class: few ? "explore" : "explore many" }, where, what, ...(few ? [] : [sliders]));
    space.onMove((z) => {
      this.#pad?.show(space.plane.project(z));
      this.#show();
    });
    space.onPoints(() => {
      this.#pad?.show(space.plane.project(space.z));
      if (this.#visible) this.#describe();
    });
  }

  /** What the pad is a picture of. */
  #about(): HTMLElement {
    const { space } = this.scene;
    const text = element("p", { class: "hint" });
    const write = () => {
      const share = space.plane.share;
      const what =
        space.latent === 2
          ? "The latent space"
          : share === undefined
            ? `The plane of ${dimensionName(0)} and ${dimensionName(1)}`
            : `The plane in which the examples vary most (${Math.round(100 * share)} % of their variance)`;
      text.textContent = `${what}. Drag, or use the arrow keys: with Shift larger steps, Home for the origin.`;
    };
    write();
    space.onPoints(write);
    return text;
  }

  show(): void {
    this.#visible = true;
    if ("forget" in this.#view) this.#view.forget();
    this.#show();
  }

  hide(): void {
    this.#visible = false;
    this.#morph.pause();
  }

  #show(): void {
    if (!this.#visible) return;
    this.#words ??= setTimeout(this.#describe, PAUSE);
    void this.#view.decode(this.scene.space.z);
  }

  readonly #describe = (): void => {
    clearTimeout(this.#words);
    this.#words = undefined;
    const place = this.#place();
    this.#caption.textContent = place;
    this.#view.label = `Decoded at ${this.#coordinates()}. ${place}`;
    if (!this.#morph.playing) this.scene.announcer.say(`${this.#coordinates()}. ${place}`);
  };

  #coordinates(): string {
    const { z, order } = this.scene.space;
    const seen = order.slice(0, 3).map((i) => `${dimensionName(i)} ${shown(z[i]!, 1)}`);
    return seen.join(", ");
  }

  /** Who lives around here. */
  #place(): string {
    const { points, z } = this.scene.space;
    if (!points?.labels) return "";
    const around = neighbourhood(z, points.mean, points.labels);
    if (!around) return "";
    const name = this.scene.space.nameOf(around.label);
    return around.count === around.of ? `Among ${name} only` : `Nearest: ${name}, ${around.count} of ${around.of}`;
  }

  dispose(): void {
    clearTimeout(this.#words);
    this.#morph.dispose();
    this.#view.dispose();
    this.#pad?.dispose();
    this.#legend?.dispose();
  }
}
