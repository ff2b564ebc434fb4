// A round trip through the latent space that plays by itself; for visitors who prefer reduced motion, a button advances
// it.
import { button, element } from "./dom.js";
import { classMeans } from "./neighbours.js";
import { ClosedPath, roundTrip } from "./path.js";
import type { Point } from "./plane.js";
import type { Space } from "./space.js";

/** Speed, in standard deviations of the prior per second. */
const PACE = 0.9;
/** Number of stops if there are no classes to visit. */
const STATIONS = 6;
const STEPS = 48;

export class Morph {
  readonly element = element("div", { class: "buttons" });
  readonly #play = button("Play", () => this.#toggle(), { class: "primary" });
  readonly #step = button("Next step", () => this.#go(this.#share + 1 / STEPS), { class: "primary" });
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #path: ClosedPath | undefined;
  #share = 0;
  #frame: number | undefined;
  #lastAt = 0;
  /** Ends the trip when something else moves the position. */
  #moving = false;

  /** `showWay` draws the trip, or removes it. */
  constructor(
    private readonly space: Space,
    private readonly showWay: (way: readonly Point[]) => void,
  ) {
    this.element.append(this.#play, this.#step);
    this.#onStill();
    this.#still.addEventListener("change", this.#onStill);
    space.onMove(() => {
      if (!this.#moving) this.end();
    });
  }

  get playing(): boolean {
    return this.#frame !== undefined;
  }

  readonly #onStill = (): void => {
    const { matches } = this.#still;
    if (matches) this.pause();
    this.#play.hidden = matches;
    this.#step.hidden = !matches;
  };

  #toggle(): void {
    if (this.playing) this.pause();
    else {
      this.#prepare();
      this.#lastAt = performance.now();
      this.#play.textContent = "Pause";
      this.#frame = requestAnimationFrame(this.#onFrame);
    }
  }

  readonly #onFrame = (now: number): void => {
    this.#frame = requestAnimationFrame(this.#onFrame);
    // After the tab was hidden, it continues where it was.
    const seconds = Math.min(0.1, Math.max(0, (now - this.#lastAt) / 1000));
    this.#lastAt = now;
    this.#go(this.#share + (PACE * seconds) / Math.max(this.#path?.length ?? 1, 1e-3));
  };

  #go(share: number): void {
    const path = this.#prepare();
    this.#share = share % 1;
    this.#moving = true;
    this.space.move(path.at(this.#share));
    this.#moving = false;
  }

  #prepare(): ClosedPath {
    if (this.#path) return this.#path;
    this.#path = new ClosedPath(roundTrip(stationsOf(this.space)));
    this.#share = 0;
    const { path, plane } = { path: this.#path, plane: this.space.plane };
    this.showWay(Array.from({ length: 241 }, (_, i) => plane.project(path.at(i / 240))));
    return path;
  }

  pause(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#play.textContent = "Play";
  }

  /** Forgets the trip; the next one starts afresh. */
  end(): void {
    this.pause();
    if (!this.#path) return;
    this.#path = undefined;
    this.showWay([]);
  }

  dispose(): void {
    this.pause();
    this.#still.removeEventListener("change", this.#onStill);
  }
}

/** The class means if there are three or more, else draws from the prior; starts with the nearest one. */
function stationsOf(space: Space): Float32Array[] {
  const { points, latent, z } = space;
  const means = points?.labels ? [...classMeans(points.mean, latent, points.labels).values()] : [];
  const stations = means.length >= 3 ? means : Array.from({ length: STATIONS }, (_, i) => space.drawOf(1000 + i));
  const far = (station: Float32Array) => station.reduce((sum, value, i) => sum + (value - z[i]!) ** 2, 0);
  return stations.sort((a, b) => far(a) - far(b));
}
