// Searches for a change to a decoder's layers that makes it end in the input's shape.
import { product, show } from "./checks.js";
import type { ResolvedLayer } from "./layers/definition.js";
import { resolveLayers } from "./layers/index.js";
import { pair } from "./layers/image.js";
import type { Conv2dLayer, ConvTranspose2dLayer, Layer } from "./layers/json.js";

type Conv = Conv2dLayer | ConvTranspose2dLayer;
/** New values for layers, by index. */
type Changes = Readonly<Record<number, object>>;

/** Longer decoders are not searched, because an untrusted file must not cost seconds. */
const MOST_LAYERS = 40;

const isConv = (layer: Layer | undefined): layer is Conv =>
  layer?.type === "conv2d" || layer?.type === "conv_transpose2d";
const upTo = (n: number) => [...Array(Math.min(n, 64)).keys()];

/** A list of layers in a spec, which are resolved from an input of shape `from`. */
export interface Listed {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly resolved: readonly ResolvedLayer[];
  readonly from: readonly number[];
}

/**
 * The end of a message on a decoder that does not end in the input's shape: a change that makes it fit, if there is a simple
 * one, and the shapes along both lists: "[28, 28, 1] -> conv2d [14, 14, 32] -> flatten [6272]".
 */
export function mismatch(lists: readonly Listed[], input: readonly number[]): string {
  const { layers, from } = lists.at(-1)!;
  const remedy = fitting(layers, from, input);
  const chain = ({ name, layers, resolved, from }: Listed) =>
    `\n${name}: ${[show(from), ...resolved.map(({ output }, i) => `${layers[i]?.type} ${show(output)}`)].join(" -> ")}`;
  return (remedy ? `; it fits with ${remedy}` : "") + lists.map(chain).join("");
}

/**
 * A change that makes the decoder `layers`, with an input of shape `from`, end in shape `target`, as text like
 * `decoder.2: {"padding":1}`. Undefined if no simple change does.
 */
export function fitting(
  layers: readonly Layer[],
  from: readonly number[],
  target: readonly number[],
): string | undefined {
  if (layers.length > MOST_LAYERS) return undefined;
  const last = layers.findLastIndex(({ type }) => type !== "reshape" && type !== "flatten");
  const final = layers[last];
  // The last convolution sets the number of channels, independent of the sizes.
  const filters = target[2] ?? 1;
  const always: Changes = isConv(final) && final.filters !== filters ? { [last]: { filters } } : {};
  const merged = (changes: Changes, i: number) => ({ ...always[i], ...changes[i] });
  /** The final shape of the changed layers; undefined if they do not fit together. */
  const end = (changes: Changes) => {
    try {
      const changed = layers.map((layer, i) => ({ ...layer, ...merged(changes, i) }));
      return resolveLayers(changed, "decoder", from).at(-1)?.output;
    } catch {
      return undefined;
    }
  };
  for (const changes of candidates(layers, last, target, end)) {
    if (![target, [product(target)]].map(String).includes(String(end(changes)))) continue;
    return Object.keys({ ...always, ...changes })
      .map((i) => `decoder.${i}: ${JSON.stringify(merged(changes, +i))}`)
      .join(" and ");
  }
  return undefined;
}

/** Changes to try, simplest first. */
function* candidates(
  layers: readonly Layer[],
  last: number,
  target: readonly number[],
  end: (changes: Changes) => readonly number[] | undefined,
): Generator<Changes> {
  yield layers[last]?.type === "dense" ? { [last]: { units: product(target) } } : {};
  /**
   * Height and width are independent in all layers, so this tries each size for both, and combines the matches per
   * axis.
   */
  const apart = (sizes: readonly number[], of: (height: number, width: number) => Changes): Changes[] => {
    const found = sizes.map((n) => end(of(n, n)));
    const [height, width] = [0, 1].map((axis) => found.findIndex((shape) => shape?.[axis] === target[axis]));
    return [of(sizes[height!] ?? 1, sizes[width!] ?? 1)];
  };
  // One convolution at a time, from the end, enlarging ones first; then all enlarging ones together.
  const convs = layers.flatMap((layer, i) => (isConv(layer) ? [i] : [])).reverse();
  const enlarging = convs.filter((i) => product(pair((layers[i] as Conv).stride ?? 1)) > 1);
  const sets = [...[...new Set([...enlarging, ...convs])].map((i) => [i]), ...(enlarging[1] ? [enlarging] : [])];
  const kernel = ([first = 0]: readonly number[]) => Math.min(...pair((layers[first] as Conv).kernel));
  const padded = (places: readonly number[], padding: unknown): Changes =>
    Object.fromEntries(places.map((i) => [i, { padding, outputPadding: undefined }]));
  for (const places of sets) {
    for (const padding of ["same", ...upTo(kernel(places))]) yield padded(places, padding);
  }
  // Another image size at the decoder's reshape.
  const start = layers.findIndex(({ type }) => type === "reshape");
  const image = layers[start];
  if (image?.type === "reshape" && layers[start - 1]?.type === "dense") {
    yield* apart(upTo(64).slice(1), (height, width) => {
      const shape = [height, width, image.shape[2] ?? 1];
      return { [start - 1]: { units: product(shape) }, [start]: { shape } };
    });
  }
  // A different padding on each side.
  for (const places of sets) {
    yield* apart(upTo(2 * kernel(places) - 1), (down, across) =>
      padded(
        places,
        [down, across].flatMap((n) => [Math.floor(n / 2), Math.ceil(n / 2)]),
      ),
    );
  }
}
