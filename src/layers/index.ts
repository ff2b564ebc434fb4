// The types of layers by name, and lists of layers from JSON. The core has dense layers and changes of shape; the others
// are added once they are loaded (toolbox.ts).
import { invalid, LARGEST, objectAt, product, quoted, show } from "../checks.js";
import { meant } from "../words.js";
import type { LayerType, LayerTypes, ResolvedLayer } from "./definition.js";
import { denseType } from "./dense.js";
import type { Layer } from "./json.js";
import { flattenType, reshapeType } from "./reshape.js";

/** Of all that are loaded. */
export const layerTypes: LayerTypes = { dense: denseType, flatten: flattenType, reshape: reshapeType };

/** The type of a layer that has been resolved, or whose JSON has been checked. */
export const typeOf = ({ type }: { readonly type: Layer["type"] }): LayerType => layerTypes[type]!;

/** The deepest nesting of residual layers, so that untrusted JSON cannot exhaust the stack. */
const DEEPEST = 16;
/** The most layers in one list, since each is checked, planned and compiled. */
const MOST = 1000;

/** A list of layers from JSON. Throws INVALID_SPEC naming the place, what was found and what is allowed. */
export function layersAt(value: unknown, place: string, depth = 0): Layer[] {
  if (!Array.isArray(value)) invalid(`${place}: expected an array of layers, found ${quoted(value)}`);
  if (value.length > MOST) invalid(`${place}: has ${value.length} layers; the limit is ${MOST}`);
  if (depth > DEEPEST) invalid(`${place}: residual layers can be nested at most ${DEEPEST} deep`);
  return value.map((item: unknown, index): Layer => {
    const path = `${place}.${index}`;
    const type = item !== null && typeof item === "object" ? (item as { type?: unknown }).type : undefined;
    if (typeof type !== "string" || !Object.hasOwn(layerTypes, type)) {
      const known = Object.keys(layerTypes);
      const found = `${quoted(type ?? item)}${meant(type ?? item, known)}`;
      invalid(`${path}: expected a layer of type ${known.join(", ")}, found ${found}`);
    }
    const { needs, may = {} } = layerTypes[type as Layer["type"]]!;
    const given = objectAt(item, path, ["type", ...Object.keys(needs), ...Object.keys(may)]);
    const checked: Record<string, unknown> = { type };
    for (const [key, check] of Object.entries({ ...needs, ...may })) {
      if (given[key] === undefined && key in may) continue;
      checked[key] = check(given[key], key === "layers" ? path : `${path} (${type}): ${key}`, depth);
    }
    return checked as unknown as Layer;
  });
}

/**
 * Resolves `layers` for an input of shape `from`. Throws INVALID_SPEC naming the layer and the sizes that don't fit.
 */
export function resolveLayers(layers: readonly Layer[], place: string, from: readonly number[]): ResolvedLayer[] {
  let input = from;
  return layers.map((layer, index) => {
    const path = `${place}.${index}`;
    const named = `${path} (${layer.type})`;
    const activation = ("activation" in layer ? layer.activation : undefined) ?? "none";
    const whole = { path, input, activation };
    const resolved: ResolvedLayer = { ...whole, ...typeOf(layer).resolve(layer, { ...whole, place: named }) };
    if (product(resolved.output) > LARGEST) {
      invalid(`${named}: its output ${show(resolved.output)} has more than ${LARGEST} values`);
    }
    input = resolved.output;
    return resolved;
  });
}
