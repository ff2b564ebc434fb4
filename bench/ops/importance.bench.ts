import { importance } from "../../src/ops/importance.js";
import { memoryCase, tensor } from "../support/op_bench.js";

/** As of 784 pixels and 20 latents. */
const losses = (examples: number, draws: number) => [
  tensor("reconstruction", "input", [examples * draws, 13]),
  tensor("ratio", "input", [examples * draws, 20]),
];

export const cases = [
  memoryCase("128x5 draws", importance(losses(128, 5), 128)),
  memoryCase("64x50 draws", importance(losses(64, 50), 64)),
];
