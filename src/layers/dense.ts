// Dense layers.
import { countAt, oneOf, product } from "../checks.js";
import { linear } from "../ops/linear.js";
import { activations, tensor, weightTensor } from "../tensor.js";
import { weightsAt, type LayerType } from "./definition.js";
import type { DenseLayer } from "./json.js";

export const denseType: LayerType<DenseLayer> = {
  needs: { units: (value, place) => countAt(value, place) },
  may: { activation: (value, place) => oneOf(value, activations, place) },
  resolve({ type, units }, { path, input }) {
    weightsAt(path, product(input), units);
    return { type, output: [units] };
  },
  parameters({ path, input, output }, declare) {
    const [fanIn, fanOut] = [product(input), product(output)];
    const fans = { fanIn, fanOut };
    declare(weightTensor(`${path}.weight`, "param", input, output), { kind: "weight", fans, shape: [fanIn, fanOut] });
    declare(tensor(`${path}.bias`, "param", output), { kind: "bias", fans, shape: [fanOut] });
  },
  build(g, { path }, x, name, activation) {
    return g.output(linear(name, x, g.parameter(`${path}.weight`), g.parameter(`${path}.bias`), activation), "y");
  },
};
