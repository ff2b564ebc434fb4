// A mixture of normal distributions.
import { countAt, invalid } from "../checks.js";
import { mixture, mixtureSample } from "../ops/mixture.js";
import { tensor } from "../tensor.js";
import type { PriorType } from "./definition.js";
import type { MixturePrior } from "./json.js";

/** Each example's density is a sum over all of them. */
const MOST = 4096;

export const mixtureType: PriorType<MixturePrior> = {
  example: '{ type: "mixture", components }',
  words: [[/gmm|gauss|mog|mix/i, '{ type: "mixture", components: 10 }']],
  needs: {
    components(value, place) {
      const count = countAt(value, place);
      if (count > MOST) invalid(`${place}: at most ${MOST}, found ${count}`);
      return count;
    },
  },
  parameters({ components }, latents, declare) {
    const heads = tensor("prior.components", "param", [components, 2, latents]);
    const shape = [components, latents];
    const files = ["mean", "log_variance"].map((name) => ({ name: `prior.${name}`, shape }));
    declare(heads, { kind: "noise", files });
    return heads;
  },
  loss: mixture,
  draw: mixtureSample,
};
