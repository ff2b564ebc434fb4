// Layers from JSON: checks every key and value, with errors that name the layer.
import { countAt, quoted, invalid, numberAt, objectAt, oneOf, shapeAt } from "./checks.js";
import { activations, type Layer, type Padding, type Size2d } from "./layers.js";
import { meant } from "./words.js";

/** The deepest nesting of residual layers, so that untrusted JSON cannot exhaust the stack. */
const DEEPEST = 16;
/** The most layers in one list, since each is checked, planned and compiled. */
const MOST = 1000;

type Check = (value: unknown, place: string, depth: number) => unknown;

const activation: Check = (value, place) => oneOf(value, activations, place);
const size2d =
  (least: number): Check =>
  (value, place): Size2d => {
    if (!Array.isArray(value)) return countAt(value, place, least);
    if (value.length !== 2) invalid(`${place}: expected a number or [down, across], found ${quoted(value)}`);
    return [countAt(value[0], `${place}[0]`, least), countAt(value[1], `${place}[1]`, least)];
  };
const padding: Check = (value, place): Padding => {
  if (value === "same" || value === "valid") return value;
  if (typeof value === "number") return countAt(value, place, 0);
  if (!Array.isArray(value) || value.length !== 4) {
    invalid(`${place}: expected "same", "valid", a number or [top, bottom, left, right], found ${quoted(value)}`);
  }
  const sides = value.map((n: unknown, i) => countAt(n, `${place}[${i}]`, 0));
  return sides as unknown as readonly [number, number, number, number];
};
const count: Check = (value, place) => countAt(value, place);
const epsilon: Check = (value, place) => numberAt(value, place, 1e-12, 1);
const share: Check = (value, place) => numberAt(value, place, 0, 1);
const layers: Check = (value, place, depth) => layersAt(value, place, depth + 1);
const positive = size2d(1);

/** Each layer type's required and optional keys. */
const kinds: Readonly<
  Record<Layer["type"], { readonly needs: Record<string, Check>; readonly may?: Record<string, Check> }>
> = {
  dense: { needs: { units: count }, may: { activation } },
  conv2d: { needs: { filters: count, kernel: positive }, may: { stride: positive, padding, activation } },
  conv_transpose2d: {
    needs: { filters: count, kernel: positive },
    may: { stride: positive, padding, outputPadding: size2d(0), activation },
  },
  max_pool2d: { needs: { window: positive }, may: { stride: positive, padding } },
  avg_pool2d: { needs: { window: positive }, may: { stride: positive, padding } },
  upsample2d: {
    needs: { factor: positive },
    may: { mode: (value, place) => oneOf(value, ["nearest", "bilinear"], place) },
  },
  batch_norm: { needs: {}, may: { momentum: share, epsilon, activation } },
  group_norm: { needs: { groups: count }, may: { epsilon, activation } },
  dropout: { needs: { rate: share } },
  residual: { needs: { layers }, may: { activation } },
  flatten: { needs: {} },
  reshape: { needs: { shape: shapeAt } },
};

/** Checks a list of layers. Throws INVALID_SPEC naming the place, what was found and what is allowed. */
export function layersAt(value: unknown, place: string, depth = 0): Layer[] {
  if (!Array.isArray(value)) invalid(`${place}: expected an array of layers, found ${quoted(value)}`);
  if (value.length > MOST) invalid(`${place}: has ${value.length} layers; the limit is ${MOST}`);
  if (depth > DEEPEST) invalid(`${place}: residual layers can be nested at most ${DEEPEST} deep`);
  return value.map((item: unknown, index): Layer => {
    const path = `${place}.${index}`;
    const type = item !== null && typeof item === "object" ? (item as { type?: unknown }).type : undefined;
    if (typeof type !== "string" || !Object.hasOwn(kinds, type)) {
      const known = Object.keys(kinds);
      const found = `${quoted(type ?? item)}${meant(type ?? item, known)}`;
      invalid(`${path}: expected a layer of type ${known.join(", ")}, found ${found}`);
    }
    const { needs, may = {} } = kinds[type as Layer["type"]];
    const given = objectAt(item, path, ["type", ...Object.keys(needs), ...Object.keys(may)]);
    const checked: Record<string, unknown> = { type };
    for (const [key, check] of Object.entries({ ...needs, ...may })) {
      if (given[key] === undefined && key in may) continue;
      checked[key] = check(given[key], key === "layers" ? path : `${path} (${type}): ${key}`, depth);
    }
    return checked as unknown as Layer;
  });
}
