// The explorer's colours as a canvas needs them: custom properties resolved, and told when the page's theme changes.
import { element } from "./dom.js";
import type { RGB } from "./model.js";

const roles = ["ink", "muted", "raised", "line", "accent"] as const;

export type Colours = Readonly<Record<(typeof roles)[number], string>> & {
  readonly pictureLow: RGB;
  readonly pictureHigh: RGB;
  /** Of the classes, in the order of their labels. */
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
    // Whatever changes the colours, a media query, an attribute, a stylesheet, starts the probe's transition.
    this.#probe.addEventListener("transitionrun", this.refresh);
  }

  get colours(): Colours {
    return (this.#colours ??= this.#read());
  }

  /** Calls now, and again at each change. Returns what ends it. */
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
    // The colours at the transition's end, not those on the way.
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
    // Settled before transitions are back: what was read above starts none.
    void getComputedStyle(this.#probe).color;
    style.transition = "";
    return colours;
  }

  /** Any colour that CSS can write, by a pixel of it. */
  #rgb(colour: string): RGB {
    this.#pixel.fillStyle = colour;
    this.#pixel.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0] = this.#pixel.getImageData(0, 0, 1, 1).data;
    return [r / 255, g / 255, b / 255];
  }
}
