// webvae as a user would use it: VAE.create, a loop over vae.train, the speed from its reports.
import { VAE, type Dataset, type ModelSpec, type TrainingReport } from "webvae";
import type { Material, OpenPeer, Pace, Timed } from "../protocol.js";

/** Steps per epoch while measuring: about as for 60,000 digits, or as many large pictures as fit. */
const EPOCH_STEPS = 468;
const EPOCH_BYTES = 2 ** 28;
/** Submits after which their length has settled. */
const FIRST_REPORTS = 3;
/** Fewer are enough if a submit is one slow step. */
const LONG_MS = 6000;

export const open: OpenPeer = async (material) => {
  const { job } = material;
  const spec = job.spec as ModelSpec;
  const vae = await VAE.create(spec, { seed: job.seed });
  const options = { batchSize: job.batch, learningRate: job.learningRate, shuffle: false, ...precisionOf(material) };
  const one = batches(material, 1);
  const epochSteps = Math.max(1, Math.min(EPOCH_STEPS, Math.floor(EPOCH_BYTES / material.images.length)));
  let many: Dataset | undefined;
  return {
    detail: "",
    dataBytes: epochSteps * material.images.length,
    async losses(count) {
      const losses: number[] = [];
      // An epoch of one step, so that each step has its own report.
      for await (const report of vae.train(one, { ...options, epochs: count })) losses.push(-report.elbo);
      return losses;
    },
    async measure({ seconds }: Pace): Promise<Timed> {
      many ??= batches(material, epochSteps);
      const started = performance.now();
      let last: TrainingReport | undefined;
      let reports = 0;
      let counts = { steps: 0, submits: 0 };
      for await (const report of vae.train(many, { ...options, epochs: 100_000 })) {
        last = report;
        reports++;
        // Speeds are means over the last four submits, and the first submits are still adapting.
        if (reports === FIRST_REPORTS) counts = { ...counts, ...vae.counts };
        const spent = performance.now() - started;
        if (reports >= FIRST_REPORTS + 4 ? spent > 1000 * seconds : reports > FIRST_REPORTS && spent > LONG_MS) break;
      }
      // Steps in flight still run; the next library must have the device to itself.
      await vae.save();
      const { steps = 1, submits = 1 } = vae.counts ?? {};
      return {
        stepMs: 1000 / (last?.stepsPerSecond ?? NaN),
        steps,
        losses: [],
        submits: (submits - counts.submits) / (steps - counts.steps),
      };
    },
    dispose: () => vae.dispose(),
    async firstWeights() {
      const fresh = await VAE.create(spec, { seed: job.seed });
      try {
        return await fresh.save();
      } finally {
        fresh.dispose();
      }
    },
  };
};

const precisionOf = ({ precision }: Material) => (precision ? { precision } : {});

/** A data set that repeats the one batch `count` times. */
function batches({ job, images }: Material, count: number): Dataset {
  const values = new Uint8Array(images.length * count);
  for (let i = 0; i < count; i++) values.set(images, i * images.length);
  return { name: "batch", shape: job.spec.input, count: job.batch * count, values };
}
