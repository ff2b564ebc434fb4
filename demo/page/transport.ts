// Play, pause, step, reset, and training's speed and progress.
import type { Opened, Standing } from "../protocol.js";
import { find, say } from "./dom.js";
import { count, duration, rounded } from "./figures.js";

const icons = { play: "M4 2.5v11l9-5.5z", pause: "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z" };

export type Pressed = "play" | "pause" | "step" | "reset";
/** The page's state: one of a Standing's, or one before or after them. */
export type State = "loading" | Standing["state"] | "closed";

export class Transport {
  #state: State = "loading";

  constructor(private readonly pressed: (button: Pressed) => void) {
    find("play").addEventListener("click", () => this.pressed(this.#state === "running" ? "pause" : "play"));
    find("step").addEventListener("click", () => this.pressed("step"));
    find("reset").addEventListener("click", () => this.pressed("reset"));
  }

  enter(state: State, standing?: Standing): void {
    this.#state = state;
    document.body.dataset["state"] = state;
    const free = ["ready", "running", "paused", "done"].includes(state);
    find<HTMLButtonElement>("play").disabled = !free;
    find<HTMLButtonElement>("step").disabled = !free;
    find<HTMLButtonElement>("reset").disabled = !free && state !== "failed";
    const begun = (standing?.steps ?? 0) > 0;
    say("play-text", state === "running" ? "Pause" : state === "done" ? "Train more" : begun ? "Continue" : "Train");
    find<SVGPathElement>("play-icon").setAttribute("d", state === "running" ? icons.pause : icons.play);
  }

  show(standing: Standing, { stepsPerEpoch, settings }: Opened, flopsPerStep?: number): void {
    const { state, steps, epochs, epochStep, goal, stepsPerSecond } = standing;
    this.enter(state, standing);
    document.body.dataset["still"] = String(standing.still);
    say("position", where(standing, stepsPerEpoch));
    const done = Math.min(1, (epochs + epochStep / stepsPerEpoch) / goal);
    const bar = find<HTMLProgressElement>("progress");
    if (Math.abs(bar.value - done) > 0.0005 || done === 1) bar.value = done;
    if (stepsPerSecond === undefined || steps === 0) {
      for (const id of ["images-per-second", "ms-per-step", "gflops", "time-left"]) say(id, "–");
      return;
    }
    say("images-per-second", rounded(stepsPerSecond * settings.batch));
    say("ms-per-step", rounded(1000 / stepsPerSecond));
    say("gflops", flopsPerStep === undefined ? "–" : rounded((stepsPerSecond * flopsPerStep) / 1e9));
    const left = Math.max(0, (goal - epochs) * stepsPerEpoch - epochStep);
    say("time-left", state === "done" ? "done" : duration(left / stepsPerSecond));
  }

  wait(what: string): void {
    say("position", what);
  }
}

function where({ state, steps, epochs, epochStep, goal }: Standing, stepsPerEpoch: number): string {
  if (state === "ready") return "Ready: the model is not trained yet.";
  if (state === "failed") return "Stopped.";
  if (state === "done") return `Done: ${count(epochs, "epoch")}, ${count(steps, "step")}.`;
  if (state === "running" && steps === 0) return "Preparing the GPU…";
  const at = `epoch ${epochs + 1} of ${Math.max(goal, epochs + 1)}, step ${epochStep} of ${stepsPerEpoch}`;
  return state === "running" ? `E${at.slice(1)}` : `Paused in ${at}`;
}
