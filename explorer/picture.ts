// A model's canvas on the page: keeps it at the screen's resolution and in the page's colours.
import { element } from "./dom.js";
import type { Surface } from "./model.js";
import { layoutOf, pictureShape, type Layout } from "./shapes.js";
import type { Space } from "./space.js";
import type { Theme } from "./theme.js";

export class Picture {
  readonly element: HTMLElement;
  readonly #canvas = element("canvas", { part: "canvas", role: "img" });
  readonly #surface: Surface;
  readonly #ends: (() => void)[] = [];
  #grid = { columns: 1, rows: 1 };
  /** Called with the positions of the pictures, in CSS pixels. */
  onLayout: (layout: Layout) => void = () => {};

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
    const observer = new ResizeObserver(() => this.#fit());
    observer.observe(this.element);
    this.#ends.push(() => observer.disconnect());
    this.setGrid(1, 1);
  }

  set label(text: string) {
    this.#canvas.setAttribute("aria-label", text);
  }

  /** Makes room for this many pictures. */
  setGrid(columns: number, rows: number): void {
    this.#grid = { columns, rows };
    this.#fit();
  }

  /** Makes the canvas as wide as whole pixels allow. */
  #fit(): void {
    const width = Math.round(this.element.clientWidth * devicePixelRatio);
    if (width === 0) return;
    const { columns, rows } = this.#grid;
    const layout = layoutOf({ width, height: Infinity }, pictureShape(this.space.model.spec), columns, rows);
    this.#surface.resize(layout.width, layout.height);
    const css = (pixels: number) => pixels / devicePixelRatio;
    this.#canvas.style.width = `${css(layout.width)}px`;
    this.#canvas.style.height = `${css(layout.height)}px`;
    this.onLayout({
      cell: { width: css(layout.cell.width), height: css(layout.cell.height) },
      gap: css(layout.gap),
      width: css(layout.width),
      height: css(layout.height),
    });
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
