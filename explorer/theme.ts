// The explorer's colours for use on a canvas: resolves custom properties, and reports when the page's theme changes.
import { element } from "./dom.js";
import type { RGB } from "./model.js";

const roles = ["ink", "muted", "raised", "line", "accent"] as const;

export type Colours = Readonly<Record<(typeof roles)[number], string>> & {
  readonly pictureLow: RGB;
  readonly pictureHigh: RGB;
  /** Class colours, in the order of their labels. */
  readonly classes: readonly string[];
};

export const CLASSES = 10;

export class Theme {
  readonly #probe = element("span", { class: "probe", "aria-hidden": "true" });
  readonly #pixel: OffscreenCanvasRenderingContext2D;
  readonly #listeners = new Set<(colours: Colours) => void>();
  #colours: Colours | undefined;

  constructor(container: HTMLElement) {
    container.append(this.#probe);
    this.#pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
    // Any change of colours, by media query, attribute or stylesheet, starts the probe's transition.
    this.#probe.addEventListener("transitionrun", this.refresh);
  }

  get colours(): Colours {
    return (this.#colours ??= this.#read());
  }

  /** Calls the listener now and at each change. Returns a function that removes it. */
  follow(listener: (colours: Colours) => void): () => void {
    this.#listeners.add(listener);
    listener(this.colours);
    return () => void this.#listeners.delete(listener);
  }

  readonly refresh = (): void => {
    this.#colours = this.#read();
    for (const listener of this.#listeners) listener(this.#colours);
  };

  #read(): Colours {
    // The colours at the end of the transition, not during it.
    const { style } = this.#probe;
    style.transition = "none";
    const resolved = (name: string) => {
      style.color = `var(--${name})`;
      return getComputedStyle(this.#probe).color;
    };
    const plain = Object.fromEntries(roles.map((role) => [role, resolved(role)])) as Record<
      (typeof roles)[number],
      string
    >;
    const colours: Colours = {
      ...plain,
      pictureLow: this.#rgb(resolved("picture-low")),
      pictureHigh: this.#rgb(resolved("picture-high")),
      classes: Array.from({ length: CLASSES }, (_, i) => resolved(`class-${i}`)),
    };
    style.color = "";
    // Styles are settled before transitions are turned back on, so that the reads above start none.
    void getComputedStyle(this.#probe).color;
    style.transition = "";
    return colours;
  }

  /** Resolves any CSS colour by drawing a pixel of it. */
  #rgb(colour: string): RGB {
    this.#pixel.fillStyle = colour;
    this.#pixel.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0] = this.#pixel.getImageData(0, 0, 1, 1).data;
    return [r / 255, g / 255, b / 255];
  }
}
