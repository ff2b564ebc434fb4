// Square products in every schedule, each measured separately as the tuner does, to find the share of the device's
// peak.
import { Device } from "../../src/device.js";
import { createStopwatch } from "../../src/stopwatch.js";
import { alone, runnable } from "../../src/products.js";
import { spreadOf } from "../browser/statistics.js";
import { measure } from "../support/measure.js";
import { layerCases } from "../ops/linear.bench.js";

export interface ProductResult {
  readonly op: string;
  readonly size: number;
  readonly precision: "f32" | "f16";
  readonly schedule: string;
  readonly medianMs: number | null;
  readonly fastestMs: number | null;
  readonly slowestMs: number | null;
  readonly gflops: number | null;
  /** Share of the given peak. */
  readonly share: number | null;
  readonly error: string | null;
}

export interface ProductOptions {
  readonly gpu: GPU;
  readonly sizes: readonly number[];
  readonly precisions: readonly ("f32" | "f16")[];
  readonly repeats: number;
  /** GFLOP/s of the device in f32. */
  readonly peak: number | undefined;
  readonly progress: (result: ProductResult) => void;
}

export async function measureProducts(options: ProductOptions): Promise<ProductResult[]> {
  const { gpu, sizes, precisions, repeats, peak } = options;
  const device = await Device.open({ gpu });
  const stopwatch = await createStopwatch(device);
  const results: ProductResult[] = [];
  try {
    for (const size of sizes) {
      for (const { node, flop = NaN } of layerCases(size, size, size)) {
        for (const precision of precisions) {
          for (const schedule of runnable(device, node)) {
            const times: number[] = [];
            let error: string | null = null;
            try {
              const planned = alone(node, schedule, precision === "f16");
              while (times.length < repeats) times.push(await measure(device, planned, stopwatch));
            } catch (fault) {
              // If the device cannot compile or allocate a schedule, that is a result; if the device is lost, there is
              // none.
              if (device.life.ended) throw fault;
              error = fault instanceof Error ? fault.message : String(fault);
            }
            const spread = error === null ? spreadOf(times) : undefined;
            const gflops = spread ? flop / spread.median / 1e6 : null;
            const result: ProductResult = {
              op: node.op,
              size,
              precision,
              schedule,
              medianMs: spread?.median ?? null,
              fastestMs: spread?.fastest ?? null,
              slowestMs: spread?.slowest ?? null,
              gflops,
              share: gflops !== null && peak !== undefined ? gflops / peak : null,
              error,
            };
            results.push(result);
            options.progress(result);
          }
        }
      }
    }
  } finally {
    stopwatch.dispose();
    device.dispose();
  }
  return results;
}
