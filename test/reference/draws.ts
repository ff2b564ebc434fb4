// Twin of shaders/draws.wgsl.
import { dheadsBy, drawsOf, reparameterize, reparameterizeGrad } from "./reparameterize.js";
import { weightAt, type Twin } from "./twin.js";

/** z = mu + exp(s/2) e moves with mu and s; -s/2 of log q is all that does so by itself, for e stays. */
const drawsGradRatio: Twin = (node, values, step) =>
  dheadsBy(node, values, (example, j, mean) => {
    let [dmean, ds] = [0, 0];
    for (const { row, z, g } of drawsOf(node, values, example, j)) {
      const weight = weightAt(node, values, step, row);
      const through = g + (node.attributes.standard === false ? 0 : weight * z);
      dmean += through;
      ds += (through * (z - mean)) / 2 - weight / 2;
    }
    return [dmean, ds];
  });

export const drawsTwins: Readonly<Record<string, Twin>> = {
  draws: reparameterize,
  draws_grad: reparameterizeGrad,
  draws_grad_over: reparameterizeGrad,
  draws_grad_ratio: drawsGradRatio,
  draws_grad_ratio_over: drawsGradRatio,
};
