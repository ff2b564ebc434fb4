// A stopwatch's time for a dispatch, compared with wall time.
import { vi } from "vitest";
import { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import { linear } from "../../src/ops/linear.js";
import { plan } from "../../src/plan.js";
import { createStopwatch } from "../../src/stopwatch.js";
import { tensor, weightTensor } from "../../src/tensor.js";

/** 134 million multiply-adds: tens of milliseconds on a CPU. */
const node = linear(
  "y",
  tensor("x", "input", [512, 512]),
  weightTensor("W", "param", [512], [512]),
  tensor("b", "param", [512]),
);

/** The stopwatch's milliseconds while the host's clock runs `pace` times as fast, and the wall time. */
export async function timed(gpu: GPUDevice, pace: number): Promise<{ ms: number; wallMs: number }> {
  const device = await Device.open({ device: gpu });
  const executable = await Executable.create(device, plan({ nodes: [node] }));
  const stopwatch = await createStopwatch(device);
  const now = performance.now.bind(performance);
  try {
    await stopwatch.time((pass) => executable.encode(pass, 0));
    const began = now();
    vi.spyOn(performance, "now").mockImplementation(() => pace * now());
    const ms = await stopwatch.time((pass) => executable.encode(pass, 0));
    return { ms, wallMs: now() - began };
  } finally {
    vi.restoreAllMocks();
    stopwatch.dispose();
    executable.dispose();
  }
}
