// Samples and reconstructions of points in the plane: dots among the data's points.
import type { ExplorerModel } from "webvae/explorer";
import type { Opened } from "../protocol.js";
import { find, say } from "./dom.js";
import type { Gallery } from "./gallery.js";
import { normals } from "./normals.js";

const SAMPLES = 400;

interface Cloud {
  readonly points: Float32Array;
  /** A custom property's name. */
  readonly colour: string;
}

export class PointGallery implements Gallery {
  readonly #samples = new Plot(find("samples"), "Points decoded from random latents, among the data's points");
  readonly #originals = new Plot(find("originals"), "Test points");
  readonly #reconstructions = new Plot(find("reconstructions"), "The model's reconstruction of each test point");
  readonly #data: Float32Array;
  readonly #bounds: Bounds;
  #latents: Float32Array;
  #seed = 7;

  constructor(
    private readonly model: ExplorerModel,
    { data, spec }: Opened,
  ) {
    this.#data = data.examples;
    this.#bounds = boundsOf(this.#data);
    this.#latents = normals(SAMPLES * spec.latent, this.#seed);
    say("samples-caption", `${SAMPLES} random latents, decoded, among ${this.#data.length / 2} test points.`);
    say("reconstructions-caption", "Test points that are never trained on, and the model's reconstructions.");
  }

  async draw(): Promise<void> {
    const made = await this.model.decode(this.#latents);
    const back = await this.model.reconstruct(this.#data);
    const data: Cloud = { points: this.#data, colour: "--edge" };
    this.#samples.show([data, { points: made, colour: "--accent" }], this.#bounds);
    this.#originals.show([data], this.#bounds);
    this.#reconstructions.show([{ points: back, colour: "--accent" }], this.#bounds);
  }

  async redraw(): Promise<void> {
    this.#latents = normals(this.#latents.length, ++this.#seed);
    await this.draw();
  }

  samplesPng(): Promise<Blob> {
    return this.#samples.png();
  }

  reconstructionsPng(): Promise<Blob> {
    return this.#reconstructions.png();
  }

  dispose(): void {
    for (const plot of [this.#samples, this.#originals, this.#reconstructions]) plot.dispose();
  }
}

interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** A square around most of the points. */
function boundsOf(points: Float32Array): Bounds {
  const axis = (offset: number) => points.filter((_, i) => i % 2 === offset);
  const [xs, ys] = [axis(0), axis(1)];
  const edges = (all: Float32Array): [number, number] => [Math.min(...all), Math.max(...all)];
  const [[left, right], [bottom, top]] = [edges(xs), edges(ys)];
  const side = 1.2 * Math.max(right - left, top - bottom, 1e-6);
  return { left: (left + right - side) / 2, top: (top + bottom + side) / 2, side };
}

class Plot {
  readonly #canvas = document.createElement("canvas");
  readonly #observer = new ResizeObserver(() => this.#draw());
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  readonly #again = () => this.#draw();
  #clouds: readonly Cloud[] = [];
  #bounds: Bounds = { left: 0, top: 1, side: 1 };

  constructor(
    private readonly frame: HTMLElement,
    label: string,
  ) {
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", label);
    this.#scheme.addEventListener("change", this.#again);
  }

  show(clouds: readonly Cloud[], bounds: Bounds): void {
    this.#clouds = clouds;
    this.#bounds = bounds;
    if (this.#canvas.parentElement !== this.frame) {
      this.frame.replaceChildren(this.#canvas);
      this.#observer.observe(this.frame);
    }
    this.#draw();
  }

  #draw(): void {
    const { frame } = this;
    const width = Math.max(1, Math.round(frame.clientWidth * devicePixelRatio));
    if (this.#canvas.width !== width) Object.assign(this.#canvas, { width, height: width });
    const context = this.#canvas.getContext("2d")!;
    const style = getComputedStyle(document.documentElement);
    context.fillStyle = style.getPropertyValue("--paper");
    context.fillRect(0, 0, width, width);
    const { left, top, side } = this.#bounds;
    const scale = width / side;
    const radius = Math.max(1.2, width / 420) * (devicePixelRatio > 1 ? 1.4 : 1.6);
    for (const { points, colour } of this.#clouds) {
      context.fillStyle = style.getPropertyValue(colour);
      context.globalAlpha = 0.75;
      context.beginPath();
      for (let i = 0; i + 1 < points.length; i += 2) {
        const x = (points[i]! - left) * scale;
        const y = (top - points[i + 1]!) * scale;
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }

  png(): Promise<Blob> {
    return new Promise((done, failed) => {
      this.#canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture could not be made"))));
    });
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#scheme.removeEventListener("change", this.#again);
  }
}
