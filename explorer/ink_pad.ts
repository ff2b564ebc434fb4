// A sheet to draw on by mouse, touch or pen; a pen's pressure makes its line thicker.
import { element } from "./dom.js";
import { smoothed, type Stroke } from "./strokes.js";
import type { Colours, Theme } from "./theme.js";

/** The pen's radius as a fraction of the sheet. */
const PEN = 0.042;
/** Points closer together than this fraction of the sheet only reflect the hand's tremor. */
const NEAR = 0.006;

export class InkPad {
  readonly element = element("canvas", { part: "ink", role: "img", "aria-label": "Drawing sheet, empty" });
  #strokes: { x: number[]; y: number[]; radius: number[] }[] = [];
  #colours: Colours;
  readonly #ends: (() => void)[] = [];

  /** Stroke coordinates range from 0 to 1. */
  constructor(
    theme: Theme,
    private readonly changed: (strokes: readonly Stroke[]) => void,
  ) {
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
    this.element.addEventListener("pointerdown", this.#onPointer);
    this.element.addEventListener("pointermove", this.#onPointer);
  }

  clear(): void {
    this.#strokes = [];
    this.#draw();
    this.changed(this.#strokes);
  }

  undo(): void {
    this.#strokes.pop();
    this.#draw();
    this.changed(this.#strokes);
  }

  readonly #onPointer = (event: PointerEvent): void => {
    if (event.type === "pointerdown") {
      if (event.button !== 0) return;
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      this.#strokes.push({ x: [], y: [], radius: [] });
    } else if (!this.element.hasPointerCapture(event.pointerId)) return;
    const stroke = this.#strokes.at(-1);
    if (!stroke) return;
    const box = this.element.getBoundingClientRect();
    // All pointer movements since the last frame; otherwise fast curves would become polygons.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) {
      const [x, y] = [(one.clientX - box.left) / box.width, (one.clientY - box.top) / box.height];
      const far = Math.hypot(x - (stroke.x.at(-1) ?? -1), y - (stroke.y.at(-1) ?? -1));
      if (far < NEAR) continue;
      stroke.x.push(x);
      stroke.y.push(y);
      stroke.radius.push(one.pointerType === "pen" ? 0.6 + 0.8 * one.pressure : 1);
    }
    this.#draw();
    this.changed(this.#strokes);
  };

  #draw(): void {
    const { element: canvas } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (side === 0) return;
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d")!;
    const css = ([r, g, b]: Colours["pictureLow"]) => `rgb(${255 * r} ${255 * g} ${255 * b})`;
    context.fillStyle = css(this.#colours.pictureLow);
    context.fillRect(0, 0, side, side);
    context.strokeStyle = context.fillStyle = css(this.#colours.pictureHigh);
    context.lineCap = context.lineJoin = "round";
    const count = this.#strokes.length;
    const drawn = count === 0 ? "empty" : `${count} ${count === 1 ? "stroke" : "strokes"}`;
    canvas.setAttribute("aria-label", `Drawing sheet, ${drawn}`);
    for (const stroke of this.#strokes) {
      const { x, y, radius } = smoothed(stroke);
      if (x.length === 1) {
        context.beginPath();
        context.arc(x[0]! * side, y[0]! * side, radius[0]! * PEN * side, 0, 2 * Math.PI);
        context.fill();
      }
      for (let i = 1; i < x.length; i++) {
        context.lineWidth = (radius[i - 1]! + radius[i]!) * PEN * side;
        context.beginPath();
        context.moveTo(x[i - 1]! * side, y[i - 1]! * side);
        context.lineTo(x[i]! * side, y[i]! * side);
        context.stroke();
      }
    }
  }

  dispose(): void {
    for (const end of this.#ends) end();
  }
}
