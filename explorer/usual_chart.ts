// The examples' losses as a histogram, with a marker for the current example.
import { histogram } from "./usual.js";

const [WIDTH, HEIGHT, BINS] = [280, 56, 28];
const SVG = "http://www.w3.org/2000/svg";

export class UsualChart {
  readonly element = document.createElementNS(SVG, "svg");

  constructor() {
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("class", "usual");
    this.element.setAttribute("aria-hidden", "true");
    this.element.setAttribute("preserveAspectRatio", "none");
  }

  show(loss: number, losses: readonly number[]): void {
    // Half as wide again, so that an unusual one is visibly beyond the rest.
    const { counts, from, to } = histogram(losses, BINS);
    const room = Math.max(to + 0.15 * (to - from), Math.min(loss + 0.05 * (to - from), to + 0.5 * (to - from)));
    const x = (value: number) => (WIDTH * (Math.min(value, room) - from)) / Math.max(room - from, 1e-9);
    const most = Math.max(...counts);
    const bars = counts.map((count, i) => {
      const left = x(from + ((to - from) * i) / BINS);
      const tall = (count / most) * (HEIGHT - 12);
      const width = Math.max(1, x(from + (to - from) / BINS) - 1);
      return shape("rect", { x: left, y: HEIGHT - tall, width, height: tall });
    });
    const at = Math.min(WIDTH - 2, Math.max(2, x(loss)));
    const mark = shape("path", { d: `M ${at} ${HEIGHT} V 8 m -5 -8 h 10 l -5 8 z`, class: "mark" });
    this.element.replaceChildren(...bars, mark);
  }
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
