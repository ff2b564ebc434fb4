// A decoder with the wrong final shape: the chain of shapes, and a suggested change, which is then tried.
import { describe, expect, it } from "vitest";
import { WebvaeError } from "../../src/errors.js";
import { conv2d, convTranspose2d, dense, flatten, reshape, upsample2d, type Layer } from "../../src/layers/json.js";
import { mismatch } from "../../src/fitting.js";
import { resolveSpec } from "../../src/spec.js";

const messageOf = (spec: unknown): string => {
  try {
    resolveSpec(spec, mismatch);
  } catch (error) {
    expect(error).toBeInstanceOf(WebvaeError);
    expect((error as WebvaeError).code).toBe("INVALID_SPEC");
    return (error as WebvaeError).message;
  }
  throw new Error("it was accepted");
};

/** Applies the changes that a message suggests. */
function repaired(decoder: readonly Layer[], message: string): Layer[] | undefined {
  const [, remedy] = /; it fits with (.*)$/m.exec(message) ?? [];
  if (!remedy) return undefined;
  const changes = new Map(
    remedy.split(" and ").map((text) => {
      const [, place, json] = /^decoder\.(\d+): (\{.*\})$/.exec(text)!;
      return [Number(place), JSON.parse(json!) as object];
    }),
  );
  return decoder.map((layer, i) => ({ ...layer, ...changes.get(i) }));
}

const common = { encoder: [], latent: 2, likelihood: "bernoulli" };
const from = (height: number, width: number, ...layers: Layer[]) => [
  dense(height * width * 8),
  reshape(height, width, 8),
  ...layers,
];
const double = convTranspose2d(8, 3, { stride: 2 });
const triple = convTranspose2d(8, 3, { stride: 3 });
const half = convTranspose2d(8, 4, { stride: 2 });
const end = convTranspose2d(1, 3);

describe("the suggested change makes the decoder fit", () => {
  it.each<[string, number[], Layer[], string]>([
    ["30x30", [30, 30, 1], from(8, 8, double, double, end), 'decoder.2: {"padding":1}'],
    ["63x63", [63, 63, 1], from(16, 16, double, double, end), 'decoder.3: {"padding":1}'],
    ["stride 3", [28, 28, 1], from(4, 4, triple, triple, end), 'decoder.2: {"padding":1} and decoder.3: {"padding":1}'],
    ["channels", [28, 28, 3], from(7, 7, double, double, end), 'decoder.4: {"filters":3}'],
    [
      "channels and sizes",
      [30, 30, 3],
      from(8, 8, double, double, end),
      'decoder.2: {"padding":1} and decoder.4: {"filters":3}',
    ],
    [
      "too small a beginning",
      [32, 32, 1],
      from(7, 7, double, double, end),
      'decoder.0: {"units":512} and decoder.1: {"shape":[8,8,8]}',
    ],
    ["height and width of their own", [30, 28, 1], from(8, 7, double, double, end), 'decoder.3: {"padding":[1,2,0,1]}'],
    ["even kernels", [31, 31, 1], from(8, 8, half, half, end), 'decoder.3: {"padding":[1,2,1,2]}'],
    [
      "upsampling",
      [28, 28, 1],
      from(8, 8, upsample2d(2), conv2d(8, 3), upsample2d(2), conv2d(1, 5)),
      'decoder.5: {"padding":0}',
    ],
    ["a dense end", [5, 5, 1], [dense(9), dense(24), reshape(4, 6, 1), flatten()], ""],
    ["a dense end, flat", [5, 5, 1], [dense(9), dense(24)], 'decoder.1: {"units":25}'],
  ])("%s", (_, input, decoder, remedy) => {
    const message = messageOf({ ...common, input, decoder });
    if (remedy) expect(message).toContain(`; it fits with ${remedy}\n`);
    const layers = repaired(decoder, message);
    expect(layers !== undefined).toBe(remedy !== "");
    if (layers) expect(resolveSpec({ ...common, input, decoder: layers }).spec.decoder).toEqual(layers);
  });

  it("for all sizes up to 40 that two convolutions of stride 2 make, and for most with stride 3", () => {
    const found = { 2: [0, 0], 3: [0, 0] };
    for (const [kernel, stride] of [
      [3, 2],
      [4, 2],
      [5, 2],
      [3, 3],
      [5, 3],
    ] as const) {
      for (let n = 8; n <= 40; n++) {
        const layers = [conv2d(8, kernel, { stride }), conv2d(8, kernel, { stride })];
        const small = Math.ceil(Math.ceil(n / stride) / stride);
        const enlarge = convTranspose2d(8, kernel, { stride });
        const decoder = from(small, small, enlarge, enlarge, end);
        const spec = { ...common, input: [n, n, 1], encoder: layers, decoder };
        if (small * stride * stride === n) {
          resolveSpec(spec);
          continue;
        }
        const changed = repaired(decoder, messageOf(spec));
        if (changed) resolveSpec({ ...spec, decoder: changed });
        found[stride][changed ? 0 : 1]!++;
      }
    }
    // With stride 3, some need different changes in two layers.
    expect(found[2][0]).toBeGreaterThan(60);
    expect(found[2][1]).toBe(0);
    expect(found[3][0]).toBeGreaterThan(2 * found[3][1]!);
  });
});

it("prints the chain of both halves, layer by layer", () => {
  const decoder = from(8, 8, double, double, end);
  const message = messageOf({
    ...common,
    input: [28, 28, 1],
    encoder: [conv2d(4, 3, { stride: 2 }), flatten()],
    decoder,
  });
  expect(message.split("\n").slice(1)).toEqual([
    "encoder: [28, 28, 1] -> conv2d [14, 14, 4] -> flatten [784]",
    "decoder: [2] -> dense [512] -> reshape [8, 8, 8] -> conv_transpose2d [16, 16, 8] -> " +
      "conv_transpose2d [32, 32, 8] -> conv_transpose2d [32, 32, 1]",
  ]);
});

it("suggests nothing if nothing simple fits, and spends no time on a long decoder", () => {
  const message = messageOf({ ...common, input: [28, 28, 1], decoder: [dense(4), reshape(2, 2, 1), upsample2d(9)] });
  expect(message).toMatch(/^decoder: ends in shape \[18, 18, 1\], but the input's shape is \[28, 28, 1\]\n/);
  const started = performance.now();
  const many = Array.from({ length: 5000 }, () => convTranspose2d(1, 3));
  messageOf({ ...common, input: [28, 28, 1], decoder: [...from(7, 7), ...many] });
  expect(performance.now() - started).toBeLessThan(1000);
});
