// The first section: a pad and sliders to move with, and the picture decoded at the current position.
import { button, element, shown } from "./dom.js";
import { Legend } from "./legend.js";
import { Morph } from "./morph.js";
import { neighbourhood } from "./neighbours.js";
import { Pad } from "./pad.js";
import { dimensionName } from "./plane.js";
import { isPlanar } from "./shapes.js";
import { Sliders } from "./sliders.js";
import { viewOf, type Scene, type Section, type View } from "./view.js";

/** Minimum milliseconds between descriptions, since laying out text would slow down a drag. */
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
      what.append(element("p", { class: "hint" }, `${examples} The large dot is decoded from your position.`));
    }
    const where = element("div", { class: "where" });
    if (space.latent > 1) {
      this.#pad = new Pad(space, theme, (to) => space.move(space.plane.lift(to, space.z)));
      this.#legend = new Legend(space, theme, this.#pad.ground);
      where.append(this.#pad.element, this.#legend.element, this.#about());
    }
    const sliders = new Sliders(space).element;
    // A few sliders fit under the picture.
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

  /** What the pad shows. */
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
            : `The plane in which the examples vary most (${Math.round(100 * share)}% of their variance)`;
      text.textContent = `${what}. Drag, or use the arrow keys: Shift takes larger steps, Home returns to the origin.`;
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

  /** Describes the examples nearby. */
  #place(): string {
    const { points, z } = this.scene.space;
    if (!points?.labels) return "";
    const around = neighbourhood(z, points.mean, points.labels);
    if (!around) return "";
    const name = this.scene.space.nameOf(around.label);
    const most = around.count === around.of ? `All ${around.of}` : `${around.count} of the ${around.of}`;
    return `${most} nearest examples are labelled ${name}`;
  }

  dispose(): void {
    clearTimeout(this.#words);
    this.#morph.dispose();
    this.#view.dispose();
    this.#pad?.dispose();
    this.#legend?.dispose();
  }
}
