// Changes of shape. Between dense layers they cost nothing, and have no nodes (spec.ts leaves them out).
import { invalid, product, shapeAt, show } from "../checks.js";
import type { LayerType } from "./definition.js";
import type { FlattenLayer, ReshapeLayer } from "./json.js";

export const flattenType: LayerType<FlattenLayer> = {
  needs: {},
  resolve: (_, { input }) => ({ type: "reshape", output: [product(input)] }),
};

export const reshapeType: LayerType<ReshapeLayer> = {
  needs: { shape: shapeAt },
  resolve({ type, shape }, { place, input }) {
    const [wanted, given] = [product(shape), product(input)];
    if (wanted !== given) {
      invalid(
        `${place}: cannot make shape ${show(shape)} (${wanted} values) of shape ` +
          `${show(input)} (${given} values)${input.length === 1 ? `; put a dense(${wanted}) before it` : ""}`,
      );
    }
    return { type, output: shape };
  },
};
