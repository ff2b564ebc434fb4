// A square part of a plane to move in, by pointer, touch or arrow keys. The background is drawn once (pad_ground.ts);
// dragging moves only the handle.
import { element, shown } from "./dom.js";
import { PadGround } from "./pad_ground.js";
import type { Point } from "./plane.js";
import type { Space } from "./space.js";
import type { Theme } from "./theme.js";

/** Fraction of the whole width that an arrow key moves; five times that with Shift. */
const STEP = 1 / 60;

export class Pad {
  readonly element: HTMLElement;
  readonly ground: PadGround;
  readonly #handle = element("div", { part: "handle", "aria-hidden": "true" });
  #at: Point = [0, 0];
  readonly #end: () => void;

  /** `move` is called with the visitor's new position. */
  constructor(
    private readonly space: Space,
    theme: Theme,
    private readonly move: (to: Point) => void,
  ) {
    this.ground = new PadGround(space, theme);
    // A screen reader passes arrow keys on to a slider, and reads aria-valuetext at each change.
    this.element = element(
      "div",
      {
        part: "pad",
        role: "slider",
        tabindex: 0,
        "aria-label": "Position in the latent space",
        "aria-roledescription": "two-dimensional slider",
      },
      this.ground.element,
      this.#handle,
    );
    this.element.addEventListener("pointerdown", this.#onPointer);
    this.element.addEventListener("pointermove", this.#onPointer);
    this.element.addEventListener("keydown", this.#onKey);
    const observer = new ResizeObserver(() => this.#place());
    observer.observe(this.element);
    this.#end = () => observer.disconnect();
    this.show([0, 0]);
  }

  /** Moves the handle without calling `move`. */
  show(at: Point): void {
    this.#at = at;
    const { range, plane } = this.space;
    const set = (name: string, value: string | number) => this.element.setAttribute(name, String(value));
    set("aria-valuemin", -range);
    set("aria-valuemax", range);
    set("aria-valuenow", at[0].toFixed(2));
    set("aria-valuetext", `${plane.names[0]} ${shown(at[0])}, ${plane.names[1]} ${shown(at[1])}`);
    this.#place();
  }

  #place(): void {
    const { clientWidth, clientHeight } = this.element;
    const { range } = this.space;
    const share = (value: number) => Math.min(1, Math.max(0, (value + range) / (2 * range)));
    const [x, y] = [share(this.#at[0]) * clientWidth, (1 - share(this.#at[1])) * clientHeight];
    this.#handle.style.transform = `translate(${x}px, ${y}px)`;
  }

  #go([x, y]: Point): void {
    const { range } = this.space;
    const inside = (value: number) => Math.min(range, Math.max(-range, value));
    this.move([inside(x), inside(y)]);
  }

  readonly #onPointer = (event: PointerEvent): void => {
    if (event.type === "pointerdown") {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId);
      this.element.focus({ preventScroll: true });
      event.preventDefault();
    } else if (!this.element.hasPointerCapture(event.pointerId)) return;
    const box = this.element.getBoundingClientRect();
    const { range } = this.space;
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    this.#go([(2 * x - 1) * range, (1 - 2 * y) * range]);
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = 2 * this.space.range * STEP * (event.shiftKey ? 5 : 1);
    const [x, y] = this.#at;
    const places: Record<string, Point> = {
      ArrowLeft: [x - step, y],
      ArrowRight: [x + step, y],
      ArrowDown: [x, y - step],
      ArrowUp: [x, y + step],
      Home: [0, 0],
    };
    const to = places[event.key];
    if (!to) return;
    event.preventDefault();
    this.#go(to);
  };

  dispose(): void {
    this.#end();
    this.ground.dispose();
  }
}
