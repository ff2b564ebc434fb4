// One model in training: played, paused and stepped. While paused, it is held between two reports, with everything it
// needs on the GPU.
import type { TrainingReport, VAE } from "webvae";
import type { Loaded } from "../data/loaded.js";
import { describeFault, type Fault } from "../faults.js";
import type { Standing } from "../protocol.js";
import type { Live, Settings } from "../settings.js";
import { Gate } from "./gate.js";
import { Losses } from "../losses.js";

/** Target GPU time of a submit: pictures wait for up to two of them. */
const SUBMIT_MS = 20;
/** The run never ends by itself: it is held at the goal, which may move. */
const ENDLESS = 1_000_000;

export class Trainer {
  readonly losses: Losses;
  readonly gate = new Gate();
  #live: Live;
  #goal: number;
  #state: Standing["state"];
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  /** Waits between two reports until nothing holds the gate. */
  #waiting = false;
  #speed: Pick<Standing, "stepsPerSecond" | "clamped"> = {};

  constructor(
    readonly vae: VAE,
    readonly loaded: Loaded,
    /** The current settings, including live values and the goal. */
    public settings: Settings,
    /** Called after every report and change of state, with the error that ended training, if one did. */
    private readonly changed: (fault?: Fault) => void,
    losses: Losses = new Losses(),
  ) {
    this.losses = losses;
    this.#live = settings;
    this.#goal = settings.epochs;
    this.#state = vae.trained.steps === 0 ? "ready" : vae.trained.epochs >= this.#goal ? "done" : "paused";
  }

  get stepsPerEpoch(): number {
    return Math.floor(this.loaded.train.count / this.settings.batch);
  }

  get standing(): Standing {
    const { steps, epochs } = this.vae.trained;
    return {
      state: this.#state,
      still: this.still,
      steps,
      epochs,
      epochStep: this.#epochStep,
      goal: this.#goal,
      ...this.#speed,
    };
  }

  /** For a model trained with another batch size or data set, the place in the epoch follows from the steps. */
  get #epochStep(): number {
    const { steps, epochs } = this.vae.trained;
    return Math.max(0, Math.min(steps - epochs * this.stepsPerEpoch, this.stepsPerEpoch));
  }

  /** Nothing is under way: the weights match the steps counted. */
  get still(): boolean {
    // It may already have been waiting for a picture when the visitor paused.
    return !this.#running || (this.#waiting && this.gate.holds("visitor"));
  }

  set live(values: Live) {
    this.#live = values;
    this.settings = { ...this.settings, ...values };
  }

  set goal(epochs: number) {
    this.#goal = epochs;
    this.settings = { ...this.settings, epochs };
    if (this.#state === "done" && this.vae.trained.epochs < epochs) this.#enter("paused");
    else this.changed();
  }

  play(): void {
    if (this.#state === "running") return;
    const { epochs } = this.vae.trained;
    if (epochs >= this.#goal) this.#goal = epochs + this.settings.epochs;
    this.gate.release("visitor");
    const idle = !this.#running;
    this.#enter("running");
    if (idle) this.#start();
  }

  pause(): void {
    if (this.#state !== "running") return;
    this.gate.hold("visitor");
    this.#enter("paused");
  }

  /** One step, after everything under way has ended. */
  async step(): Promise<void> {
    this.pause();
    await this.stop();
    this.gate.release("visitor");
    const stop = new AbortController();
    const ended = this.#train(stop, { steps: 1 });
    this.#running = { stop, ended };
    await ended;
    // Meanwhile the visitor may have pressed play.
    if (this.#state === "running") this.#start();
    else if (this.#state !== "failed") this.#enter("paused");
  }

  /** Ends what is under way and keeps the weights. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.stop.abort();
    this.gate.release("visitor");
    await running?.ended;
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.vae.dispose();
  }

  #start(): void {
    const stop = new AbortController();
    this.#running = { stop, ended: this.#train(stop, {}) };
  }

  async #train(stop: AbortController, extent: { readonly steps?: number }): Promise<void> {
    const { vae, loaded, settings } = this;
    const before = vae.trained;
    try {
      const run = vae.train(loaded.train, {
        epochs: ENDLESS,
        ...extent,
        batchSize: settings.batch,
        learningRate: () => this.#live.learningRate,
        beta: () => this.#live.beta,
        noise: () => this.#live.noise,
        submitMs: SUBMIT_MS,
        test: loaded.test,
        signal: stop.signal,
      });
      for await (const report of run) {
        this.#note(before, report);
        // Steps under way count as trained, so the number of epochs matches this report only at the end of an epoch.
        if (this.#state === "running" && report.epochEnd && vae.trained.epochs >= this.#goal) {
          this.gate.hold("visitor");
          this.#enter("done");
        } else this.changed();
        this.#waiting = true;
        if (this.still) this.changed();
        await this.gate.pass();
        this.#waiting = false;
        if (stop.signal.aborted) break;
      }
    } catch (error) {
      if (!stop.signal.aborted) this.fail(error);
    } finally {
      this.#waiting = false;
      if (this.#running?.stop === stop) this.#running = undefined;
    }
  }

  #note(before: VAE["trained"], report: TrainingReport): void {
    const step = before.steps + report.step;
    const { reconstruction, kl } = report;
    this.losses.addTrain({ step, loss: -report.elbo, reconstruction, kl });
    this.#speed = { stepsPerSecond: report.stepsPerSecond, clamped: report.clamped };
    const { train, test } = report.epochEnd ?? {};
    if (!train || !test) return;
    const { trained } = this.vae;
    this.losses.addTest({
      epoch: trained.epochs,
      step,
      loss: -test.elbo,
      reconstruction: test.reconstruction,
      kl: test.kl,
      train: -train.elbo,
    });
  }

  #enter(state: Standing["state"]): void {
    this.#state = state;
    this.changed();
  }

  /**
   * Pauses after errors that leave good weights, so that the visitor can try again: a non-finite loss may go away with
   * another learning rate, and a file that could not be downloaded may be there next time. Other errors end training.
   */
  fail(error: unknown): void {
    if (this.#state === "failed") return;
    const fault = describeFault(error);
    this.#state = ["NON_FINITE", "INVALID_OPTION", "OUT_OF_MEMORY", "DOWNLOAD_FAILED"].includes(fault.code)
      ? "paused"
      : "failed";
    this.changed(fault);
  }
}
