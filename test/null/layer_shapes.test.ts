// Layer shapes, compared with hand calculations from TensorFlow's and PyTorch's published formulas, and every way in
// which a layer can be wrong.
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import {
  avgPool2d,
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  flatten,
  groupNorm,
  maxPool2d,
  reshape,
  residual,
  upsample2d,
  type Layer,
} from "../../src/layers/json.js";
import { resolveSpec } from "../../src/spec.js";
import { fault } from "../support/fault.js";

/** The first layer, resolved on `input`. */
function resolved(input: readonly number[], layer: Layer) {
  const values = input.reduce((product, n) => product * n, 1);
  const spec = { input, encoder: [layer], latent: 2, decoder: [dense(values)], likelihood: "bernoulli" } as const;
  return resolveSpec(spec).encoder[0];
}

describe("shapes", () => {
  /** The case, the input, the layer, its output, and its padding above and to the left. */
  const cases: [string, number[], Layer, number[], [number, number]?][] = [
    // TensorFlow, "same": ceil(n / s); padding max((out - 1) s + k - n, 0), the smaller half first.
    ["same, 1", [28, 28, 1], conv2d(32, 3), [28, 28, 32], [1, 1]],
    [
      "same, stride 2 on an even size: all padding after",
      [28, 28, 1],
      conv2d(32, 3, { stride: 2 }),
      [14, 14, 32],
      [0, 0],
    ],
    ["same, stride 2 on an odd size", [7, 9, 4], conv2d(5, 3, { stride: 2 }), [4, 5, 5], [1, 1]],
    ["same, an even kernel", [5, 7, 1], conv2d(2, 4, { stride: [1, 2] }), [5, 4, 2], [1, 1]],
    ["same, a stride above the kernel", [5, 10, 1], conv2d(2, [2, 1], { stride: [3, 2] }), [2, 5, 2], [0, 0]],
    ["same, a kernel above the image", [2, 2, 1], conv2d(2, [5, 7], { stride: [1, 2] }), [2, 1, 2], [2, 2]],
    // TensorFlow, "valid": ceil((n - k + 1) / s).
    ["valid", [28, 28, 1], conv2d(8, 3, { stride: 2, padding: "valid" }), [13, 13, 8], [0, 0]],
    ["valid, the kernel as large as the image", [7, 5, 3], conv2d(8, [7, 5], { padding: "valid" }), [1, 1, 8], [0, 0]],
    ["valid, pixels left over", [8, 10, 3], conv2d(1, 3, { stride: 3, padding: "valid" }), [2, 3, 1], [0, 0]],
    // PyTorch: floor((n + 2 p - k) / s) + 1.
    ["1 on every side", [28, 28, 1], conv2d(8, 4, { stride: 2, padding: 1 }), [14, 14, 8], [1, 1]],
    ["0 on every side", [28, 27, 1], conv2d(8, 4, { stride: 2, padding: 0 }), [13, 12, 8], [0, 0]],
    ["2 on every side", [5, 6, 1], conv2d(8, 3, { stride: 2, padding: 2 }), [4, 4, 8], [2, 2]],
    ["another on each side", [5, 6, 1], conv2d(8, 3, { stride: 2, padding: [0, 1, 2, 0] }), [2, 3, 8], [0, 2]],
    // TensorFlow's transpose: n s, or n s + max(k - s, 0) for "valid".
    ["transposed, same", [7, 7, 64], convTranspose2d(32, 3, { stride: 2 }), [14, 14, 32], [0, 0]],
    ["transposed, same, an even kernel", [4, 3, 2], convTranspose2d(1, 4, { stride: 2 }), [8, 6, 1], [1, 1]],
    ["transposed, same, stride 1", [4, 3, 2], convTranspose2d(1, 3), [4, 3, 1], [1, 1]],
    ["transposed, same, gaps", [4, 3, 2], convTranspose2d(1, 1, { stride: [2, 3] }), [8, 9, 1], [0, 0]],
    ["transposed, valid", [7, 4, 2], convTranspose2d(1, 3, { stride: [2, 1], padding: "valid" }), [15, 6, 1], [0, 0]],
    ["transposed, valid, gaps", [7, 4, 2], convTranspose2d(1, 2, { stride: 3, padding: "valid" }), [21, 12, 1], [0, 0]],
    // PyTorch's: (n - 1) s - 2 p + k + output padding.
    ["transposed, 1 on every side", [7, 5, 2], convTranspose2d(1, 4, { stride: 2, padding: 1 }), [14, 10, 1], [1, 1]],
    [
      "transposed, with output padding",
      [7, 5, 2],
      convTranspose2d(1, 3, { stride: 2, padding: 1, outputPadding: [1, 0] }),
      [14, 9, 1],
      [1, 1],
    ],
    [
      "transposed, with the most output padding",
      [4, 4, 2],
      convTranspose2d(1, 5, { stride: 3, padding: 2, outputPadding: 2 }),
      [12, 12, 1],
      [2, 2],
    ],
    ["transposed, gaps at the end", [7, 7, 2], convTranspose2d(1, 2, { stride: 3, padding: 0 }), [20, 20, 1], [0, 0]],
    [
      "transposed, another on each side",
      [3, 3, 2],
      convTranspose2d(1, 3, { stride: 2, padding: [1, 0, 0, 2] }),
      [6, 5, 1],
      [1, 0],
    ],
    // Keras's with an output padding and "same": (n - 1) s + k - 2 floor(k / 2) + output padding.
    [
      "Keras's output padding 0",
      [7, 32, 2],
      convTranspose2d(1, 3, { stride: 2, outputPadding: 0 }),
      [13, 63, 1],
      [1, 1],
    ],
    [
      "Keras's output padding 1",
      [7, 32, 2],
      convTranspose2d(1, 3, { stride: 2, outputPadding: 1 }),
      [14, 64, 1],
      [0, 0],
    ],
    [
      "Keras's output padding, even kernels and strides of three",
      [4, 10, 2],
      convTranspose2d(1, [4, 5], { stride: 3, outputPadding: [2, 0] }),
      [11, 28, 1],
      [1, 2],
    ],
    // Pooling as convolution; the stride is the window's size.
    ["max pool", [7, 8, 3], maxPool2d(2), [3, 4, 3], [0, 0]],
    ["average pool, overlapping", [7, 8, 3], avgPool2d(3, { stride: 2 }), [3, 3, 3], [0, 0]],
    ["max pool, same", [7, 8, 3], maxPool2d(2, { padding: "same" }), [4, 4, 3], [0, 0]],
    ["average pool, same, one by one", [7, 8, 3], avgPool2d([3, 2], { stride: 1, padding: "same" }), [7, 8, 3], [1, 0]],
    ["max pool, 1 on every side", [8, 7, 3], maxPool2d(3, { stride: 2, padding: 1 }), [4, 4, 3], [1, 1]],
    ["upsampling", [3, 5, 2], upsample2d([2, 3]), [6, 15, 2]],
    ["norms of images", [3, 5, 6], groupNorm(3), [3, 5, 6]],
    ["norms of vectors", [6], batchNorm(), [6]],
    ["dense on an image", [3, 5, 6], dense(7), [7]],
    ["reshape", [3, 5, 6], reshape(9, 10), [9, 10]],
    ["flatten", [3, 5, 6], residual([dropout(0.5), flatten(), dense(90), reshape(3, 5, 6)]), [3, 5, 6]],
  ];
  it.each(cases)("%s: %j", (_, input, layer, output, pad) => {
    const found = resolved(input, layer);
    expect(found?.output).toEqual(output);
    expect(found && "pad" in found ? found.pad : undefined).toEqual(pad);
  });

  it("a transposed convolution is a transpose: convolving its output gives its input's size and padding", () => {
    for (const kernel of [1, 2, 3, 4, 5]) {
      for (const stride of [1, 2, 3]) {
        for (const padding of ["same", "valid", 0, 1] as const) {
          const options = { stride, padding };
          if (padding === 1 && kernel < 3) continue;
          const small = [4, 5, 1];
          const large = resolved(small, convTranspose2d(1, kernel, options));
          const back = resolved(large!.output, conv2d(1, kernel, options));
          expect(back!.output, `${kernel} ${stride} ${padding}`).toEqual(small);
          expect(back).toMatchObject({ pad: (large as unknown as { pad: number[] }).pad });
        }
      }
    }
  });
});

describe("Keras's output padding with same", () => {
  const cases = [1, 2, 3, 4, 5, 6].flatMap((kernel) =>
    [1, 2, 3, 4].flatMap((stride) => [...Array(stride).keys()].map((added) => [kernel, stride, added] as const)),
  );
  it.each(cases)("kernel %i, stride %i, output padding %i: places pixels like TensorFlow", (kernel, stride, added) => {
    const n = 4;
    const layer = resolved([n, n, 1], convTranspose2d(1, kernel, { stride, outputPadding: added }));
    const [size = 0] = layer?.output ?? [];
    expect(size).toBe((n - 1) * stride + kernel - 2 * Math.floor(kernel / 2) + added);
    // An even kernel without output padding would mean a convolution of fewer pixels, which TensorFlow rejects.
    if (Math.ceil(size / stride) !== n) return;
    const { pad } = layer as unknown as { pad: readonly [number, number] };
    const values = Array.from({ length: n }, (_, i) => 1 + i);
    const weights = Array.from({ length: kernel }, (_, i) => 10 ** i);
    const expected = new Array<number>(size).fill(0);
    for (const [i, x] of values.entries()) {
      for (const [u, w] of weights.entries()) {
        const at = i * stride + u - pad[0];
        if (at >= 0 && at < size) expected[at]! += x * w;
      }
    }
    const column = tf.tensor4d(values, [1, n, 1, 1]);
    const filter = tf.tensor4d(weights, [kernel, 1, 1, 1]);
    const found = tf.conv2dTranspose(column, filter, [1, size, 1, 1], [stride, 1], "same").dataSync();
    expect([...found]).toEqual(expected);
  });
});

describe("a wrong layer is named, with the value found", () => {
  const image = [4, 4, 6];
  const nested = (depth: number): Layer => (depth === 0 ? dropout(0) : residual([nested(depth - 1)]));
  const cases: [string, unknown, RegExp][] = [
    ["a kernel above the image", conv2d(2, 5, { padding: "valid" }), /\(conv2d\): a window of 5 .* height 4$/],
    ["a kernel above the padded image", conv2d(2, [1, 9], { padding: 1 }), /window of 9 .* width 4, padded to 6/],
    ["a stride of zero", conv2d(2, 3, { stride: 0 }), /\(conv2d\): stride: .*from 1 .*found 0/],
    ["a stride of zero across", conv2d(2, 3, { stride: [1, 0] }), /stride\[1\]: .*found 0/],
    ["a kernel of zero", conv2d(2, 0), /kernel: .*found 0/],
    ["a kernel of three sizes", { ...conv2d(2, 3), kernel: [3, 3, 3] }, /kernel: .*\[down, across\].*\[3,3,3\]/],
    ["a kernel as text", { ...conv2d(2, 3), kernel: "3" }, /kernel: .*"3"/],
    ["a fraction of a filter", conv2d(1.5, 3), /filters: .*1\.5/],
    ["a negative padding", conv2d(2, 3, { padding: -1 }), /padding: .*-1/],
    ["two paddings", { ...conv2d(2, 3), padding: [1, 1] }, /padding: .*top, bottom, left, right.*\[1,1\]/],
    ["an unknown padding", { ...conv2d(2, 3), padding: "SAME" }, /padding: .*"same", "valid".*"SAME"/],
    ["padding that leaves nothing", convTranspose2d(2, 1, { padding: 3 }), /padding of 3 and 3 leaves nothing .* 4/],
    [
      "an output padding with same that leaves nothing",
      residual([flatten(), reshape(1, 1, 96), convTranspose2d(2, 2, { stride: 2, outputPadding: 0 })]),
      /encoder\.0\.2 \(conv_transpose2d\): a padding of 1 and 1 leaves nothing of an output of 2/,
    ],
    [
      "output padding of a whole stride with same",
      convTranspose2d(2, 3, { stride: 2, outputPadding: 2 }),
      /outputPadding 2 must be below the stride 2/,
    ],
    [
      "output padding of a whole stride",
      convTranspose2d(2, 3, { stride: 2, padding: 1, outputPadding: 2 }),
      /outputPadding 2 must be below the stride 2/,
    ],
    [
      "output padding of a whole stride across",
      convTranspose2d(2, 3, { stride: [2, 1], padding: 1, outputPadding: 1 }),
      /outputPadding 1 must be below the stride 1/,
    ],
    [
      "a convolution on a vector",
      residual([flatten(), conv2d(2, 3)]),
      /encoder\.0\.1 \(conv2d\): needs an image.*\[96\]/,
    ],
    ["a pool on a matrix", residual([reshape(12, 8), maxPool2d(2)]), /\(max_pool2d\): needs an image.*\[12, 8\]/],
    ["a window above the image", maxPool2d(5), /window of 5 .* height 4/],
    ["a window in the padding", avgPool2d(2, { padding: 2 }), /padding of 2 leaves windows of 2 without a pixel/],
    ["an unknown mode", { ...upsample2d(2), mode: "cubic" }, /mode: .*nearest, bilinear.*"cubic"/],
    ["too large an output", upsample2d(2 ** 15), /\(upsample2d\): its output \[131072, 131072, 6\] has more than/],
    ["too many weights", conv2d(2 ** 20, 2 ** 10), /encoder\.0: .* weights are more than/],
    ["groups that do not divide", groupNorm(4), /6 channels .* 4 groups/],
    ["groups of one value", residual([flatten(), groupNorm(96)]), /96 groups of \[96\] have one value each/],
    ["zero groups", groupNorm(0), /groups: .*found 0/],
    ["a momentum of 1", batchNorm({ momentum: 1 }), /momentum: .*below 1.*found 1/],
    ["an epsilon of zero", batchNorm({ epsilon: 0 }), /epsilon: .*found 0/],
    ["a dropout of everything", dropout(1), /\(dropout\): rate: .*below 1, found 1/],
    ["a negative dropout", dropout(-0.1), /rate: .*-0\.1/],
    ["a dropout of NaN", dropout(NaN), /rate: .*NaN/],
    ["an empty residual", residual([]), /encoder\.0 \(residual\): needs at least one layer/],
    ["a residual of nothing", { type: "residual" }, /encoder\.0: expected an array of layers, found undefined/],
    [
      "a residual that changes the shape",
      residual([conv2d(3, 3, { stride: 2 })]),
      /\(residual\): .*\[2, 2, 3\].* \[4, 4, 6\]/,
    ],
    ["an error deep inside", residual([dropout(0), residual([dense(0)])]), /encoder\.0\.1\.0 \(dense\): units: .*0/],
    ["17 nested residual layers", nested(17), /at most 16 deep/],
  ];
  it.each(cases)("%s", (_, layer, message) => {
    expect(() => resolved(image, layer as Layer)).toThrow(fault("INVALID_SPEC", message));
  });

  it("16 nested residual layers are not too many", () => {
    expect(resolved(image, nested(16))!.output).toEqual(image);
  });

  const every: Record<Layer["type"], Layer> = {
    dense: dense(3, { activation: "relu" }),
    conv2d: conv2d(3, 2, { stride: 1, padding: 1, activation: "relu" }),
    conv_transpose2d: convTranspose2d(3, 2, { stride: 1, padding: 0, outputPadding: 0, activation: "relu" }),
    max_pool2d: maxPool2d(2, { stride: 1, padding: 1 }),
    avg_pool2d: avgPool2d(2, { stride: 1, padding: "valid" }),
    upsample2d: upsample2d(2, { mode: "nearest" }),
    batch_norm: batchNorm({ momentum: 0.5, epsilon: 1e-3, activation: "relu" }),
    group_norm: groupNorm(2, { epsilon: 1e-3, activation: "relu" }),
    dropout: dropout(0.5),
    residual: residual([dropout(0.5)], { activation: "relu" }),
    flatten: flatten(),
    reshape: reshape(8, 12),
  };
  describe.each(Object.entries(every))("%s", (type, layer) => {
    it("is valid, and returned unchanged", () => {
      const spec = { input: image, encoder: [layer], latent: 2, decoder: [dense(96)], likelihood: "bernoulli" };
      expect(resolveSpec(spec).spec.encoder).toEqual([layer]);
    });

    it("rejects an unknown key", () => {
      const unknown = new RegExp(`encoder\\.0.*unknown key "unit".*type`);
      expect(() => resolved(image, { ...layer, unit: 3 } as unknown as Layer)).toThrow(fault("INVALID_SPEC", unknown));
    });

    it.each(Object.keys(layer).filter((key) => key !== "type"))("rejects a %s of the wrong type", (key) => {
      for (const odd of [null, {}, "x", true, [], NaN, Infinity, [[1]]]) {
        // An array of layers may be empty as far as its type is concerned.
        const named = new RegExp(`encoder\\.0.*(${key}|layer)`);
        expect(() => resolved(image, { ...layer, [key]: odd }), `${type} ${key}`).toThrow(fault("INVALID_SPEC", named));
      }
    });
  });
});

describe("a decoder", () => {
  const decoder =
    (...layers: Layer[]) =>
    () =>
      resolveSpec({ input: [4, 4, 2], encoder: [], latent: 8, decoder: layers, likelihood: "bernoulli" });
  const both = /decoder: ends in shape \[4, 4, 3\], but the input's shape is \[4, 4, 2\]/;
  it.each<[string, () => unknown, RegExp]>([
    ["of another shape", decoder(reshape(2, 2, 2), convTranspose2d(3, 3, { stride: 2 })), both],
    [
      "of the same size in another shape",
      decoder(dense(32), reshape(2, 4, 4)),
      /ends in shape \[2, 4, 4\].*\[4, 4, 2\]/,
    ],
    [
      "that ends in a norm",
      decoder(dense(32), reshape(4, 4, 2), batchNorm()),
      /last layer .* decoder\.2 \(batch_norm\)/,
    ],
    ["that ends in dropout", decoder(dense(32), dropout(0.1)), /decoder\.1 \(dropout\)/],
    ["that ends in a residual layer", decoder(dense(32), residual([dense(32)])), /decoder\.1 \(residual\)/],
    ["that ends in upsampling", decoder(reshape(2, 2, 2), upsample2d(2), flatten()), /decoder\.1 \(upsample2d\)/],
    [
      "with an activation on logits",
      decoder(reshape(2, 2, 2), convTranspose2d(2, 3, { stride: 2, activation: "tanh" }), flatten()),
      /decoder\.1: .*logits.*"tanh"/,
    ],
  ])("%s is rejected", (_, make, message) => expect(make).toThrow(fault("INVALID_SPEC", message)));

  it("may end in a convolution or a dense layer, flat or not", () => {
    for (const layers of [
      [reshape(2, 2, 2), convTranspose2d(2, 3, { stride: 2 })],
      [reshape(2, 2, 2), convTranspose2d(2, 3, { stride: 2 }), flatten()],
      [reshape(2, 2, 2), upsample2d(2), conv2d(2, 3)],
      [dense(32), reshape(4, 4, 2)],
      [reshape(2, 2, 2), dense(32)],
    ]) {
      expect(decoder(...layers)).not.toThrow();
    }
  });
});
