import { gatherLabels, labelsTensor } from "../../src/ops/labels.js";
import { memoryCase } from "../support/op_bench.js";

export const cases = [memoryCase("128x10 of 60000, shuffled", gatherLabels(labelsTensor(60_000), 128, 10, true))];
