// One VAE's training runs, one at a time: the state they leave, and what can be saved at any moment.
import { abortable } from "./abort.js";
import type { Dataset } from "./data/dataset.js";
import { WebvaeError } from "./errors.js";
import type { RunParts } from "./evaluation.js";
import type { Snapshot } from "./model_buffers.js";
import type { Schedule } from "./ops/op.js";
import { checkPart } from "./part.js";
import type { Progress } from "./progress.js";
import type { SchedulerCounts } from "./scheduler.js";
import { trainingOptions, type TrainingOptions } from "./training_options.js";
import type { TrainingReport } from "./training_report.js";
import { TrainingRun } from "./training_run.js";
import type { Standing } from "./training_steps.js";
import type { MemoryReport } from "./vae_options.js";

export class Runs {
  #run: TrainingRun | undefined;
  /** Whether there is a run. */
  busy = false;
  #preparing: Promise<unknown> = Promise.resolve();
  /** The schedule that each product has used so far. */
  schedules: Readonly<Record<string, Schedule>> = {};
  /** From the last run, like `counts`. */
  memory: Pick<MemoryReport, "activationBytes" | "activationBytesUnshared"> = {};
  counts: SchedulerCounts | undefined;

  constructor(
    readonly parts: RunParts,
    readonly standing: Standing,
  ) {}

  async *reports(data: Dataset, options: TrainingOptions): AsyncGenerator<TrainingReport, void, undefined> {
    const { device } = this.parts;
    device.assertAlive();
    checkPart(this.parts.model.only, "train");
    const own = trainingOptions(options);
    const { signal } = own;
    if (this.busy) {
      throw new WebvaeError(
        "BUSY",
        "this VAE is already being trained, and can do one run at a time. Break out of the other run's loop, call its " +
          "return(), or abort its signal",
      );
    }
    this.busy = true;
    let failed = false;
    try {
      // A run aborted during its preparation is discarded once it is ready.
      await abortable(signal, this.#preparing);
      const prepared = device.working(() => TrainingRun.create(this.parts, data, own, this.standing, this.schedules));
      this.#preparing = prepared.catch(() => {});
      const run = await abortable(signal, prepared, (late) => late.dispose());
      this.#run = run;
      device.assertAlive();
      this.schedules = { ...this.schedules, ...run.schedules };
      this.counts = run.counts;
      this.memory = {
        activationBytes: Object.values(run.plan.buffers).reduce(
          (sum, { kind, bytes }) => sum + (kind === "slot" ? bytes : 0),
          0,
        ),
        activationBytesUnshared: run.plan.activationBytes,
      };
      const reports = run.reports();
      try {
        for (;;) {
          const { done, value } = await device.working(() => reports.next());
          if (done) break;
          yield value;
          device.assertAlive();
        }
      } catch (error) {
        failed = !signal?.aborted;
        throw error;
      } finally {
        // Not awaited, because it may wait for something that never comes.
        void reports.return().catch(() => {});
      }
    } catch (error) {
      throw this.#afterLoss(error);
    } finally {
      const { safe } = this.standing;
      if (this.#run && !failed) void safe.take(() => this.standing.progress, true);
      this.#run?.dispose();
      this.#run = undefined;
      this.busy = false;
    }
  }

  /** Adds to a DEVICE_LOST error what can still be saved, and returns to that state. Other errors are unchanged. */
  #afterLoss(error: unknown): unknown {
    const kept = this.standing.safe.kept;
    if (!(error instanceof WebvaeError) || error.code !== "DEVICE_LOST" || !kept) return error;
    this.standing.progress = kept.progress;
    const message = `${error.message}. save() still returns the last copy of the model, made after ${kept.progress.step} steps`;
    return new WebvaeError("DEVICE_LOST", message, { cause: error });
  }

  /** The model between two steps, or its last copy if the device was lost. */
  async snapshot(moments: boolean): Promise<{ snapshot: Snapshot; progress: Progress }> {
    const { device, buffers } = this.parts;
    const { safe } = this.standing;
    try {
      return await device.working(async () => {
        let progress = this.standing.progress;
        const snapshot = await buffers.snapshot(moments, () => (progress = this.standing.progress));
        // After a non-finite loss, steps change nothing but are still counted until the host reads that loss.
        return snapshot.halted && this.#run && safe.kept ? safe.kept : { snapshot, progress };
      });
    } catch (error) {
      if (!(error instanceof WebvaeError) || error.code !== "DEVICE_LOST" || !safe.kept) throw error;
      return safe.kept;
    }
  }
}
