// The pad's background: the prior's circles, the examples in their class colours, and each class's name at its mean,
// because colours alone cannot distinguish ten classes.
import { element } from "./dom.js";
import { classMeans } from "./neighbours.js";
import type { Point } from "./plane.js";
import type { Space } from "./space.js";
import { CLASSES, type Colours, type Theme } from "./theme.js";

/** More points than this would not be clearer. */
const MOST = 6000;

export class PadGround {
  readonly element = element("canvas", { class: "ground", "aria-hidden": "true" });
  #colours: Colours;
  /** The only class shown in full colour, if a visitor chose one. */
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
    this.#drawScale(context, side, scale, unit);
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
    for (const deviations of [1, 2, 3]) {
      context.beginPath();
      context.arc(middle, middle, deviations * scale, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** Labels the circles with their radii. */
  #drawScale(context: CanvasRenderingContext2D, side: number, scale: number, unit: number): void {
    context.font = `${11 * unit}px ${this.#font()}`;
    context.textAlign = "left";
    context.lineJoin = "round";
    context.lineWidth = 3 * unit;
    context.strokeStyle = this.#colours.raised;
    context.fillStyle = this.#colours.muted;
    for (const deviations of [1, 2, 3]) {
      const at = deviations * scale * Math.SQRT1_2;
      const place = [side / 2 + at + 2 * unit, side / 2 - at - 2 * unit] as const;
      if (place[1] < 14 * unit) continue;
      context.strokeText(`${deviations}σ`, ...place);
      context.fillText(`${deviations}σ`, ...place);
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
    const names = [...classMeans(points, 2, labels)]
      .filter(([label]) => this.#chosen === undefined || label === this.#chosen)
      .map(([label, [px = 0, py = 0]]) => ({ text: this.space.nameOf(label), x: x(px), y: y(py) }));
    keepApart(names, (text) => context.measureText(text).width, 17 * unit);
    for (const { text, ...place } of names) {
      context.strokeText(text, place.x, place.y);
      context.fillText(text, place.x, place.y);
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

/** Moves overlapping names apart, a little at a time, until none overlap or it gives up. */
function keepApart(
  names: { readonly text: string; x: number; y: number }[],
  widthOf: (text: string) => number,
  height: number,
): void {
  for (let tries = 0; tries < 40; tries++) {
    let moved = false;
    names.forEach((a, i) => {
      for (const b of names.slice(i + 1)) {
        const wide = (widthOf(a.text) + widthOf(b.text)) / 2 + 0.2 * height;
        const [dx, dy] = [b.x - a.x, b.y - a.y];
        const [overX, overY] = [wide - Math.abs(dx), height - Math.abs(dy)];
        if (overX <= 0 || overY <= 0) continue;
        moved = true;
        // Along the direction with the smaller overlap.
        if (overX < overY) {
          const step = (overX / 2) * (dx < 0 ? -1 : 1);
          a.x -= step;
          b.x += step;
        } else {
          const step = (overY / 2) * (dy < 0 ? -1 : 1);
          a.y -= step;
          b.y += step;
        }
      }
    });
    if (!moved) return;
  }
}
