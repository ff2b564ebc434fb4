// Decoded points in the plane, for models whose examples are 2D points: draws from the prior in the background, the
// requested points in front. It replaces the picture that other models have.
import { element, shown } from "./dom.js";
import { normals } from "./normals.js";
import { Latest } from "./latest.js";
import type { Space } from "./space.js";
import type { Colours, Theme } from "./theme.js";

const CLOUD = 400;

export class Scatter {
  readonly element: HTMLElement;
  readonly #canvas = element("canvas", { part: "canvas", role: "img" });
  readonly #latest = new Latest();
  readonly #ends: (() => void)[] = [];
  #colours: Colours;
  #cloud: Float32Array = new Float32Array(0);
  #points: Float32Array = new Float32Array(0);
  /** If more than one, points are joined in rows of this many. */
  #columns = 1;

  constructor(
    private readonly space: Space,
    theme: Theme,
    label: string,
    private readonly fail: (error: unknown) => void,
  ) {
    this.element = element("div", { part: "picture", class: "scatter" }, this.#canvas);
    this.label = label;
    this.#colours = theme.colours;
    const observer = new ResizeObserver(() => this.#draw());
    observer.observe(this.element);
    this.#ends.push(
      () => observer.disconnect(),
      theme.follow((colours) => {
        this.#colours = colours;
        this.#draw();
      }),
    );
  }

  set label(text: string) {
    this.#canvas.setAttribute("aria-label", text);
  }

  /** Points take the same space however many there are. */
  setGrid(): void {}

  /** Decodes latents and shows their points; those in a row of `columns` are joined by a line. */
  async decode(z: Float32Array, columns = 1): Promise<void> {
    const run = async () => {
      if (this.#cloud.length === 0) {
        this.#cloud = await this.space.model.decode(normals(CLOUD * this.space.latent, 17));
      }
      this.#points = await this.space.model.decode(z);
      this.#columns = columns;
      this.#draw();
    };
    await this.#latest.run(run).catch(this.fail);
  }

  async show(x: Float32Array, columns = 1): Promise<void> {
    const run = async () => {
      this.#points = x;
      this.#columns = columns;
      this.#draw();
      return Promise.resolve();
    };
    await this.#latest.run(run).catch(this.fail);
  }

  /** Call when the weights have changed: the background is redrawn along with the next points. */
  forget(): void {
    this.#cloud = new Float32Array(0);
  }

  #draw(): void {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === 0) return;
    const unit = devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * unit), Math.round(clientHeight * unit)];
    Object.assign(this.#canvas, { width, height });
    const context = this.#canvas.getContext("2d")!;
    context.fillStyle = this.#colours.raised;
    context.fillRect(0, 0, width, height);
    const all = [this.space.images ?? this.#cloud, this.#cloud, this.#points];
    const { middle, reach } = frameOf(all);
    const scale = Math.min(width, height) / (2 * reach);
    const x = (value: number) => width / 2 + (value - middle[0]) * scale;
    const y = (value: number) => height / 2 - (value - middle[1]) * scale;
    this.#drawScale(context, { x, y, middle, reach, width, height, unit });
    const dots = (points: Float32Array, colour: string, radius: number, alpha: number) => {
      context.fillStyle = colour;
      context.globalAlpha = alpha;
      for (let i = 0; i + 1 < points.length; i += 2) {
        context.beginPath();
        context.arc(x(points[i]!), y(points[i + 1]!), radius * unit, 0, 2 * Math.PI);
        context.fill();
      }
      context.globalAlpha = 1;
    };
    dots(this.space.images ?? this.#cloud, this.#colours.muted, 1.8, 0.4);
    if (this.space.images) dots(this.#cloud, this.#colours.accent, 1.6, 0.35);
    if (this.#columns > 1) this.#drawRows(context, x, y, unit);
    const few = this.#points.length <= 2;
    dots(this.#points, this.#colours.accent, few ? 6 : this.#points.length > 60 ? 1.5 : 3, 1);
  }

  #drawRows(context: CanvasRenderingContext2D, x: (v: number) => number, y: (v: number) => number, unit: number): void {
    context.strokeStyle = this.#colours.accent;
    context.lineWidth = unit;
    context.beginPath();
    const count = this.#points.length / 2;
    const place = (i: number) => [x(this.#points[2 * i]!), y(this.#points[2 * i + 1]!)] as const;
    for (let i = 0; i < count; i++) {
      if (i % this.#columns === 0) context.moveTo(...place(i));
      else context.lineTo(...place(i));
    }
    // Several rows form a net.
    for (let column = 0; count > this.#columns && column < this.#columns; column++) {
      for (let i = column; i < count; i += this.#columns) {
        if (i === column) context.moveTo(...place(i));
        else context.lineTo(...place(i));
      }
    }
    context.stroke();
  }

  /** Draws a few round numbers along two edges. */
  #drawScale(
    context: CanvasRenderingContext2D,
    {
      x,
      y,
      middle,
      reach,
      width,
      height,
      unit,
    }: Record<"reach" | "width" | "height" | "unit", number> & {
      readonly x: (v: number) => number;
      readonly y: (v: number) => number;
      readonly middle: readonly [number, number];
    },
  ): void {
    const step = roundStep(reach / 2);
    context.font = `${11 * unit}px ${getComputedStyle(this.element).fontFamily}`;
    context.fillStyle = this.#colours.muted;
    context.strokeStyle = this.#colours.line;
    context.lineWidth = unit;
    context.textAlign = "left";
    const ticks = (from: number) =>
      Array.from({ length: 9 }, (_, i) => (Math.ceil((from - reach) / step) + i) * step).filter(
        (at) => at < from + reach,
      );
    for (const at of ticks(middle[0])) {
      line(context, [x(at), 0], [x(at), height]);
      context.fillText(shown(at, step < 1 ? 1 : 0), x(at) + 3 * unit, height - 5 * unit);
    }
    for (const at of ticks(middle[1])) {
      line(context, [0, y(at)], [width, y(at)]);
      context.fillText(shown(at, step < 1 ? 1 : 0), 4 * unit, y(at) - 3 * unit);
    }
  }

  snapshot(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      this.#canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("nothing has been drawn yet"))));
    });
  }

  dispose(): void {
    this.#latest.clear();
    for (const end of this.#ends) end();
  }
}

function line(context: CanvasRenderingContext2D, from: readonly [number, number], to: readonly [number, number]): void {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

/** 1, 2 or 5 times a power of ten, near `about`. */
export function roundStep(about: number): number {
  const power = 10 ** Math.floor(Math.log10(about));
  return power * ([5, 2].find((times) => times * power <= about) ?? 1);
}

/** A square that holds nearly all of the points. */
function frameOf(sets: readonly Float32Array[]): { middle: readonly [number, number]; reach: number } {
  const axis = (at: 0 | 1): [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (const points of sets) {
      const values = points.filter((_, i) => i % 2 === at).sort();
      if (values.length === 0) continue;
      const edge = values.length > 50 ? Math.floor(0.005 * values.length) : 0;
      low = Math.min(low, values[edge]!);
      high = Math.max(high, values[values.length - 1 - edge]!);
    }
    return low <= high ? [low, high] : [-1, 1];
  };
  const [[left, right], [bottom, top]] = [axis(0), axis(1)];
  const reach = Math.max(right - left, top - bottom, 1e-3) * 0.58;
  return { middle: [(left + right) / 2, (bottom + top) / 2], reach };
}
