// How long one plan takes, by the tuner's clock.
import type { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import type { plan } from "../../src/plan.js";
import type { Stopwatch } from "../../src/stopwatch.js";

/** The most runs in one measurement. */
const MOST_TIMES = 1024;

/** Milliseconds of one run of a plan, on buffers of its own, after another that sets them up. */
export async function measure(device: Device, planned: ReturnType<typeof plan>, stopwatch: Stopwatch): Promise<number> {
  const executable = await Executable.create(device, planned);
  const run = (times: number) => stopwatch.time((pass) => executable.encode(pass, 0), times);
  try {
    await run(1);
    let times = 1;
    let ms = await run(1);
    while (ms < 2 * stopwatch.spanMs && times < MOST_TIMES) ms = await run((times *= 2));
    return ms / times;
  } finally {
    executable.dispose();
  }
}
