// What lies behind a pad's handle: the prior's circles, the examples by their colours, and the name of each class
// where it has its middle, for colours alone do not tell ten classes apart.
import { element } from "./dom.js";
import { classMeans } from "./neighbours.js";
import type { Point } from "./plane.js";
import type { Space } from "./space.js";
import { CLASSES, type Colours, type Theme } from "./theme.js";

/** More points than these are no clearer. */
const MOST = 6000;

export class PadGround {
  readonly element = element("canvas", { class: "ground", "aria-hidden": "true" });
  #colours: Colours;
  /** The one class that is shown in full, if a visitor chose one. */
  #chosen: number | undefined;
  /** Drawn over the points. */
  #way: readonly Point[] = [];
  #mark: Point | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(
    private readonly space: Space,
    theme: Theme,
  ) {
    this.#colours = theme.colours;
    this.#ends.push(
      theme.follow((colours) => {
        this.#colours = colours;
        this.draw();
      }),
    );
    const observer = new ResizeObserver(() => this.draw());
    observer.observe(this.element);
    this.#ends.push(() => observer.disconnect());
    space.onPoints(() => this.draw());
  }

  choose(label: number | undefined): void {
    this.#chosen = label;
    this.draw();
  }

  showWay(points: readonly Point[]): void {
    this.#way = points;
    this.draw();
  }

  mark(at: Point | undefined): void {
    this.#mark = at;
    this.draw();
  }

  draw(): void {
    const { element: canvas, space } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (side === 0) return;
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d")!;
    const scale = side / (2 * space.range);
    const unit = devicePixelRatio;
    const x = (value: number) => side / 2 + value * scale;
    const y = (value: number) => side / 2 - value * scale;
    context.fillStyle = this.#colours.raised;
    context.fillRect(0, 0, side, side);
    this.#drawPrior(context, side, scale, unit);
    const points = space.points && space.plane.projectAll(space.points.mean);
    if (points) this.#drawPoints(context, points, x, y, unit);
    if (this.#way.length > 0) {
      context.beginPath();
      for (const [px, py] of this.#way) context.lineTo(x(px), y(py));
      context.strokeStyle = this.#colours.ink;
      context.lineWidth = 1.5 * unit;
      context.setLineDash([5 * unit, 4 * unit]);
      context.stroke();
      context.setLineDash([]);
    }
    if (points && space.points?.labels) this.#drawNames(context, points, space.points.labels, x, y, unit);
    if (this.#mark) {
      const inside = (value: number) => Math.min(space.range, Math.max(-space.range, value));
      context.beginPath();
      context.arc(x(inside(this.#mark[0])), y(inside(this.#mark[1])), 8 * unit, 0, 2 * Math.PI);
      for (const [colour, width] of [
        [this.#colours.raised, 7],
        [this.#colours.accent, 3],
      ] as const) {
        context.strokeStyle = colour;
        context.lineWidth = width * unit;
        context.stroke();
      }
    }
  }

  /** Axes through the origin, and circles of one, two and three standard deviations. */
  #drawPrior(context: CanvasRenderingContext2D, side: number, scale: number, unit: number): void {
    const middle = side / 2;
    context.strokeStyle = this.#colours.line;
    context.lineWidth = unit;
    context.beginPath();
    context.moveTo(0, middle);
    context.lineTo(side, middle);
    context.moveTo(middle, 0);
    context.lineTo(middle, side);
    context.stroke();
    context.fillStyle = this.#colours.muted;
    context.font = `${11 * unit}px ${this.#font()}`;
    context.textAlign = "left";
    for (const deviations of [1, 2, 3]) {
      context.beginPath();
      context.arc(middle, middle, deviations * scale, 0, 2 * Math.PI);
      context.stroke();
      const at = middle + deviations * scale * Math.SQRT1_2;
      if (at < side - 22 * unit) context.fillText(`${deviations}σ`, at + 2 * unit, middle * 2 - at - 2 * unit);
    }
  }

  #drawPoints(
    context: CanvasRenderingContext2D,
    points: Float32Array,
    x: (value: number) => number,
    y: (value: number) => number,
    unit: number,
  ): void {
    const count = points.length / 2;
    const { labels } = this.space.points!;
    const every = Math.max(1, Math.ceil(count / MOST));
    const radius = unit * (count > 1500 ? 1.6 : count > 400 ? 2.1 : 2.8);
    for (let i = 0; i < count; i += every) {
      const label = labels?.[i];
      const faint = this.#chosen !== undefined && label !== this.#chosen;
      context.globalAlpha = faint ? 0.08 : 0.75;
      context.fillStyle = label === undefined ? this.#colours.muted : this.#colours.classes[label % CLASSES]!;
      context.beginPath();
      context.arc(x(points[2 * i]!), y(points[2 * i + 1]!), radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  #drawNames(
    context: CanvasRenderingContext2D,
    points: Float32Array,
    labels: Uint8Array,
    x: (value: number) => number,
    y: (value: number) => number,
    unit: number,
  ): void {
    context.font = `600 ${15 * unit}px ${this.#font()}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4 * unit;
    context.strokeStyle = this.#colours.raised;
    context.fillStyle = this.#colours.ink;
    for (const [label, [px = 0, py = 0]] of classMeans(points, 2, labels)) {
      if (this.#chosen !== undefined && label !== this.#chosen) continue;
      const name = this.space.nameOf(label);
      context.strokeText(name, x(px), y(py));
      context.fillText(name, x(px), y(py));
    }
    context.textBaseline = "alphabetic";
  }

  #font(): string {
    return getComputedStyle(this.element).fontFamily;
  }

  dispose(): void {
    for (const end of this.#ends) end();
  }
}
