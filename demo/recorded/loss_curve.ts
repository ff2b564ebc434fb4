// The recorded losses as a small SVG, with a mark at the moment shown. Its scale is logarithmic: most of the drop
// happens in the first steps.
import { svgElement } from "./dom.js";
import type { Loss, Recording } from "./recording.js";

const [WIDTH, HEIGHT] = [320, 190];
const edge = { left: 34, right: 8, top: 8, bottom: 24 };
/** Those between the smallest and the largest loss are labelled. */
const ROUND = [50, 70, 100, 120, 150, 200, 300, 400, 500, 700, 1000];

export class LossCurve {
  readonly svg: SVGSVGElement;
  readonly #mark = svgElement("line", { class: "mark", y1: edge.top, y2: HEIGHT - edge.bottom });
  readonly #x: (epoch: number) => number;

  constructor({ losses, epochs }: Recording) {
    const all = [...losses.train, ...losses.test].map(([, loss]) => loss);
    const [low, high] = [Math.min(...all) * 0.97, Math.max(...all) * 1.03];
    const y = (loss: number) =>
      edge.top + (1 - Math.log(loss / low) / Math.log(high / low)) * (HEIGHT - edge.top - edge.bottom);
    this.#x = (epoch) => edge.left + (epoch / epochs) * (WIDTH - edge.left - edge.right);
    const place = ([epoch, loss]: Loss) => `${this.#x(epoch).toFixed(1)},${y(loss).toFixed(1)}`;
    const line = (kind: string, of: readonly Loss[]) =>
      svgElement("polyline", { class: kind, points: of.map(place).join(" ") });
    const parts: SVGElement[] = [];
    for (const tick of ROUND.filter((loss) => loss > low && loss < high)) {
      parts.push(
        svgElement("line", { class: "grid", x1: edge.left, x2: WIDTH - edge.right, y1: y(tick), y2: y(tick) }),
      );
      parts.push(svgElement("text", { class: "end", x: edge.left - 6, y: y(tick) + 4 }, String(tick)));
    }
    const stride = Math.ceil(epochs / 6);
    for (let epoch = 0; epoch <= epochs; epoch += stride) {
      parts.push(svgElement("text", { class: "middle", x: this.#x(epoch), y: HEIGHT - 8 }, String(epoch)));
    }
    const description =
      `Loss over ${epochs} epochs: the training loss fell from ${losses.train[0]?.[1].toFixed(0)} to ` +
      `${losses.train.at(-1)?.[1].toFixed(1)} nats, the test loss to ${losses.test.at(-1)?.[1].toFixed(1)}.`;
    this.svg = svgElement(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": description },
      ...parts,
      this.#mark,
      line("train", losses.train),
      line("test", losses.test),
    );
  }

  show(epoch: number): void {
    this.#mark.setAttribute("x1", String(this.#x(epoch)));
    this.#mark.setAttribute("x2", String(this.#x(epoch)));
  }
}
