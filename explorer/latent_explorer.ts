// The whole explorer in one element of a page. It lives in a shadow root, so the page's styles and its own do not mix;
// custom properties (explorer/README.md) give it the page's colours.
import { Announcer } from "./announcer.js";
import { element } from "./dom.js";
import { BetweenSection } from "./between_section.js";
import { DrawSection } from "./draw_section.js";
import { ExploreSection } from "./explore_section.js";
import { MapSection } from "./map_section.js";
import type { ExplorerModel } from "./model.js";
import { Sections } from "./sections.js";
import { messageOf } from "./fault_card.js";
import { isPlanar } from "./shapes.js";
import { Space, type ExplorerOptions, type Points } from "./space.js";
import { adoptStyles } from "./styles.js";
import { Theme } from "./theme.js";
import { TraverseSection } from "./traverse_section.js";
import type { Scene, Section } from "./view.js";

/** Shows a VAE's latent space in an element of a page. */
export class LatentExplorer {
  readonly #container = element("div", { class: "webvae", part: "explorer" });
  readonly #fault = element("p", { part: "fault", role: "alert" });
  readonly #host: HTMLElement | undefined;
  readonly #space: Space;
  readonly #sections: Sections;
  readonly #announcer = new Announcer();
  /** The points are the means of the given images, and are recomputed when the weights change. */
  readonly #ownPoints: boolean;
  #encoding = false;
  #encodeAgain = false;
  #disposed = false;

  /** Uses `root` if it is a shadow root, else creates one inside it. */
  constructor(
    root: HTMLElement | ShadowRoot,
    readonly model: ExplorerModel,
    private readonly options: ExplorerOptions = {},
  ) {
    let inner: ShadowRoot;
    if (root instanceof ShadowRoot) inner = root;
    else {
      this.#host = element("div", { exportparts: parts.join(", ") });
      inner = this.#host.attachShadow({ mode: "open" });
      root.append(this.#host);
    }
    adoptStyles(inner);
    inner.append(this.#container);
    this.#fault.hidden = true;
    this.#space = new Space(model, options);
    const theme = new Theme(this.#container);
    const scene: Scene = {
      space: this.#space,
      theme,
      announcer: this.#announcer,
      fail: this.#fail,
      visit: (z) => {
        this.#space.move(z);
        this.#sections.open(0);
      },
    };
    this.#sections = new Sections(sectionsOf(scene));
    this.#container.append(this.#fault, this.#sections.element, this.#announcer.element);
    this.#ownPoints = !options.points && options.images !== undefined;
    void this.#encode();
  }

  /** The position in the latent space. */
  get latent(): Float32Array {
    return this.#space.z.slice();
  }

  set latent(z: Float32Array) {
    const { latent } = this.model.spec;
    if (z.length !== latent || !z.every(Number.isFinite)) {
      throw new RangeError(`a position in this latent space must be ${latent} finite numbers`);
    }
    this.#space.move(Float32Array.from(z));
  }

  /** Calls the listener at each move. Returns a function that removes it. */
  onMove(listener: (z: Float32Array) => void): void {
    this.#space.onMove((z) => listener(z.slice()));
  }

  /** Opens a section by name. Returns whether there is one. */
  open(name: string): boolean {
    return this.#sections.openNamed(name);
  }

  /** Redraws what is visible after the weights have changed. Cheap to call often. */
  refresh(): void {
    if (this.#disposed) return;
    this.#fault.hidden = true;
    this.#sections.current.show();
    void this.#encode();
  }

  setPoints(points: Points): void {
    if (!this.#disposed) this.#space.setPoints(points);
  }

  async #encode(): Promise<void> {
    const { images, imageLabels } = this.options;
    if (!this.#ownPoints || !images) return;
    this.#encodeAgain = this.#encoding;
    if (this.#encoding) return;
    this.#encoding = true;
    try {
      const { mean } = await this.model.encode(images);
      if (!this.#disposed) this.#space.setPoints({ mean, ...(imageLabels ? { labels: imageLabels } : {}) });
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#encoding = false;
    }
    if (this.#encodeAgain && !this.#disposed) void this.#encode();
  }

  readonly #fail = (error: unknown): void => {
    if (this.#disposed) return;
    this.options.onError?.(error);
    this.#fault.textContent = `The model does not respond: ${messageOf(error)}`;
    this.#fault.hidden = false;
  };

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#sections.dispose();
    this.#announcer.dispose();
    this.#container.remove();
    this.#host?.remove();
  }
}

function sectionsOf(scene: Scene): Section[] {
  const { spec } = scene.space.model;
  const sections: Section[] = [new ExploreSection(scene)];
  // A map shows two dimensions at once.
  if (spec.latent > 2) sections.push(new TraverseSection(scene));
  sections.push(new BetweenSection(scene));
  if (spec.latent > 1) sections.push(new MapSection(scene));
  if (!isPlanar(spec)) sections.push(new DrawSection(scene));
  return sections;
}

/** The parts that a page may style with ::part(). */
const parts = [
  ...["explorer", "tabs", "tab", "section", "fault", "pad", "handle", "picture", "canvas", "caption"],
  ...["legend", "sliders", "slider", "button", "select", "cells", "cell", "ink", "verdict", "loading"],
];
