// A grid of pictures on the page, drawn by the worker on a canvas that was transferred to it. Each model gets its own
// canvas, which replaces the previous one once it shows something.
import type { ExplorerModel, Surface } from "webvae/explorer";
import { colour } from "./dom.js";

export class Frame {
  readonly surface: Surface;
  readonly #canvas = document.createElement("canvas");
  readonly #observer = new ResizeObserver(() => this.fit());
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  readonly #recolour = () => this.surface.colours(colour("--paper"), colour("--stroke"));
  #shown = false;
  #size = "";

  /** Rows of `columns` pictures of shape [height, width, ...]. */
  constructor(
    private readonly frame: HTMLElement,
    model: ExplorerModel,
    readonly columns: number,
    rows: number,
    label: string,
  ) {
    const [height = 1, width = 1] = model.spec.input;
    this.#canvas.style.aspectRatio = `${columns * width} / ${rows * height}`;
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", label);
    const pixels = frame.clientWidth * devicePixelRatio;
    this.#canvas.width = Math.max(1, Math.round(pixels));
    this.#canvas.height = Math.max(1, Math.round((pixels * rows * height) / (columns * width)));
    this.surface = model.attach(this.#canvas);
    this.#recolour();
    this.#scheme.addEventListener("change", this.#recolour);
  }

  /** Swaps the canvas in once the worker has drawn on it. */
  reveal(): void {
    if (this.#shown) return;
    this.#shown = true;
    this.frame.replaceChildren(this.#canvas);
    this.#observer.observe(this.frame);
  }

  describe(label: string): void {
    this.#canvas.setAttribute("aria-label", label);
  }

  /** Sizes the canvas to the screen's pixels. */
  fit(): void {
    const { width, height } = this.#canvas.getBoundingClientRect();
    const size = [width, height].map((length) => Math.round(length * devicePixelRatio)) as [number, number];
    if (width < 1 || String(size) === this.#size) return;
    this.#size = String(size);
    this.surface.resize(...size);
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#scheme.removeEventListener("change", this.#recolour);
    this.surface.dispose();
  }
}
