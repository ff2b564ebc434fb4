// Pooling, and its opposite.
import { invalid, oneOf } from "../checks.js";
import { avgPool2d as avgNode, maxPool2d as maxNode } from "../ops/pool.js";
import { upsample2d as upsampleNode } from "../ops/upsample.js";
import type { LayerType, ResolvedLayer } from "./definition.js";
import { along, imageAt, pair, sizeOf, type Pair } from "./image.js";
import type { Pool2dLayer, Upsample2dLayer } from "./json.js";
import { padding, positive } from "./keys.js";

interface ResolvedPool extends ResolvedLayer {
  readonly window: Pair;
  readonly stride: Pair;
  readonly pad: Pair;
}

const pooling = (make: typeof maxNode): LayerType<Pool2dLayer, ResolvedPool> => ({
  needs: { window: positive },
  may: { stride: positive, padding },
  resolve(json, { place, input }) {
    const [height, width, channels] = imageAt(place, input);
    const window = pair(json.window);
    const stride = pair(json.stride ?? json.window);
    const { size, pad, sides } = along(place, window, stride, json.padding ?? "valid", [height, width]);
    // A window entirely in the padding has neither a largest value nor a mean.
    sides.forEach(([before, after], axis) => {
      if (Math.max(before, after) >= (window[axis] ?? 1)) {
        invalid(`${place}: a padding of ${Math.max(before, after)} leaves windows of ${window[axis]} without a pixel`);
      }
    });
    return { type: json.type, window, stride, pad, output: [...size, channels] };
  },
  build(g, layer, x, name) {
    const { window, stride, pad } = layer;
    return g.output(make(name, x, { window, stride, pad, size: sizeOf(layer) }), "y");
  },
});

export const maxPool2d = pooling(maxNode);
export const avgPool2d = pooling(avgNode);

interface ResolvedUpsample extends ResolvedLayer {
  readonly factor: Pair;
  readonly mode: "nearest" | "bilinear";
}

export const upsample2d: LayerType<Upsample2dLayer, ResolvedUpsample> = {
  needs: { factor: positive },
  may: { mode: (value, place) => oneOf(value, ["nearest", "bilinear"], place) },
  resolve({ type, factor: given, mode = "nearest" }, { place, input }) {
    const [height, width, channels] = imageAt(place, input);
    const factor = pair(given);
    return { type, factor, mode, output: [height * factor[0], width * factor[1], channels] };
  },
  build: (g, { factor, mode }, x, name) => g.output(upsampleNode(name, x, factor, mode), "y"),
};
