// A canvas of the model's on the page: it keeps the canvas as sharp as the screen, and in the page's colours.
import { element } from "./dom.js";
import { GAP } from "./flat_painter.js";
import type { Surface } from "./model.js";
import { pictureShape } from "./shapes.js";
import type { Space } from "./space.js";
import type { Theme } from "./theme.js";

export class Picture {
  readonly element: HTMLElement;
  readonly #canvas = element("canvas", { part: "canvas", role: "img" });
  readonly #surface: Surface;
  readonly #ends: (() => void)[] = [];

  constructor(
    private readonly space: Space,
    theme: Theme,
    label: string,
    private readonly fail: (error: unknown) => void,
  ) {
    this.element = element("div", { part: "picture" }, this.#canvas);
    this.label = label;
    this.#surface = space.model.attach(this.#canvas);
    this.#ends.push(theme.follow(({ pictureLow, pictureHigh }) => this.#surface.colours(pictureLow, pictureHigh)));
    const observer = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = this.element;
      const pixels = (length: number) => Math.max(1, Math.round(length * devicePixelRatio));
      if (clientWidth > 0) this.#surface.resize(pixels(clientWidth), pixels(clientHeight));
    });
    observer.observe(this.element);
    this.#ends.push(() => observer.disconnect());
    this.setGrid(1, 1);
  }

  set label(text: string) {
    this.#canvas.setAttribute("aria-label", text);
  }

  /** Width and height in pictures' widths. */
  ratio = { across: 1, down: 1 };

  /** Gives the canvas the proportions of so many pictures. */
  setGrid(columns: number, rows: number): void {
    const [height, width] = pictureShape(this.space.model.spec);
    const across = columns + GAP * (columns - 1);
    const down = (rows * height) / width + GAP * (rows - 1);
    this.ratio = { across, down };
    this.element.style.aspectRatio = `${across} / ${down}`;
  }

  async decode(z: Float32Array, columns = 1): Promise<void> {
    await this.#surface.decode(z, columns).catch(this.fail);
  }

  async show(x: Float32Array, columns = 1): Promise<void> {
    await this.#surface.show(x, columns).catch(this.fail);
  }

  snapshot(): Promise<Blob> {
    return this.#surface.snapshot();
  }

  dispose(): void {
    for (const end of this.#ends) end();
    this.#surface.dispose();
  }
}
