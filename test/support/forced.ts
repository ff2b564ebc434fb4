// One schedule for a whole graph.
import type { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import type { Schedule } from "../../src/ops/op.js";
import { runnable } from "../../src/products.js";

/** `schedule` for every node that supports it on this device; `direct` for the others. */
export const forced =
  (device: Device, schedule: Schedule) =>
  (node: Node): Schedule =>
    runnable(device, node).includes(schedule) ? schedule : "direct";
