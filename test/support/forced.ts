// One schedule for a whole graph.
import type { Node } from "../../src/graph.js";
import { schedulesOf } from "../../src/ops/index.js";
import type { Schedule } from "../../src/ops/op.js";

/** `schedule` for every node that can have it; `direct` for the others. */
export const forced =
  (schedule: Schedule) =>
  (node: Node): Schedule =>
    schedulesOf(node).includes(schedule) ? schedule : "direct";
