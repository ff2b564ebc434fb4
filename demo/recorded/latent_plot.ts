// Where the test digits lie in the latent space: each is written at its position in the colour of its class, so that no
// legend or colour vision is needed.
import { svgElement } from "./dom.js";
import { REACH, unpackPoints, type Recording } from "./recording.js";

/** In latent units. */
const SIZE = 0.3;

export class LatentPlot {
  readonly svg: SVGSVGElement;
  readonly #digits: SVGTextElement[];
  readonly #places: Float32Array[];

  constructor({ moments, labels }: Recording) {
    this.#places = moments.map(({ points }) => unpackPoints(points));
    this.#digits = [...labels].map((label) =>
      svgElement("text", { class: `digit class-${label}`, y: SIZE * 0.35 }, label),
    );
    const reach = REACH + SIZE;
    this.svg = svgElement(
      "svg",
      { viewBox: `${-reach} ${-reach} ${2 * reach} ${2 * reach}`, role: "img" },
      svgElement("line", { class: "grid", x1: -reach, x2: reach, y1: 0, y2: 0 }),
      svgElement("line", { class: "grid", y1: -reach, y2: reach, x1: 0, x2: 0 }),
      ...this.#digits,
    );
  }

  show(moment: number, description: string): void {
    const places = this.#places[moment]!;
    this.svg.setAttribute("aria-label", description);
    this.#digits.forEach((digit, i) => {
      // The second latent grows upwards, as it does in the manifold.
      digit.style.transform = `translate(${places[2 * i]}px, ${-places[2 * i + 1]!}px)`;
    });
  }
}
