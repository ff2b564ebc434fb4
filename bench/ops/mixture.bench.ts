import { mixture, mixtureSample } from "../../src/ops/mixture.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, minimised, tensor } from "../support/op_bench.js";

const z = tensor("z", "input", [128, 20]);

export const cases = [10, 100].flatMap((components) => {
  const heads = tensor("heads", "param", [components, 2, 20]);
  const forward = mixture(z, heads, 1);
  const [, ofHeads] = opNamed("mixture").gradient!(forward, { prior: { knob: "beta" } }, () => true).nodes;
  const name = `128x20, ${components} components`;
  return [
    memoryCase(name, forward),
    memoryCase(`${name} with its gradient`, minimised(forward, "prior")),
    memoryCase(name, ofHeads!),
    memoryCase(name, mixtureSample(heads, 128, "noise")),
  ];
});
