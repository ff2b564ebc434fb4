// Finds where a NaN or an infinity first appears, by running one step again a dispatch at a time.
import type { Device } from "./device.js";
import type { Executable, StepValues } from "./executable.js";
import { readRanges } from "./readback.js";

/**
 * The name of the first tensor that `step` makes with a value that isn't finite, and the op that made it. The step
 * must not change the weights: after a loss that wasn't finite, it doesn't.
 */
export async function firstNonFinite(
  device: Device,
  executable: Executable,
  step: StepValues,
): Promise<{ tensor: string; op: string } | undefined> {
  executable.writeSteps([{ ...step, slot: 0 }]);
  for (const [index, node] of executable.plan.nodes.entries()) {
    device.submit("debug", (encoder) => {
      const pass = encoder.beginComputePass();
      executable.encode(pass, 0, index, index + 1);
      pass.end();
    });
    for (const tensor of Object.values(node.outputs)) {
      if (tensor.role === "state" || tensor.role === "param") continue;
      const place = executable.locate(tensor.name);
      // Of a ring only the first row is this step's.
      const bytes = tensor.role === "ring" ? place.bytes / executable.plan.slots : place.bytes;
      const read = await readRanges(device, [{ ...place, bytes }]);
      const half = executable.plan.places[tensor.name]?.half;
      const finite = half ? new Uint16Array(read).every(halfIsFinite) : new Float32Array(read).every(Number.isFinite);
      if (!finite) return { tensor: tensor.name, op: node.op };
    }
  }
  return undefined;
}

/** Whether the bits of an f16 are neither a NaN's nor an infinity's. */
const halfIsFinite = (bits: number) => (bits & 0x7c00) !== 0x7c00;
