// Convolutions for tests: their geometry, random or given, and their nodes.
import fc from "fast-check";
import type { Node } from "../../src/graph.js";
import { conv2d, conv2dTranspose } from "../../src/ops/conv2d.js";
import { opNamed } from "../../src/ops/index.js";
import type { Gradients } from "../../src/ops/op.js";
import { slopeNeedsInput, tensor, weightTensor, type Activation } from "../../src/tensor.js";
import { SEED } from "./sizes.js";

type Pair = readonly [number, number];

/** A batch of large images of `CL` channels and of small ones of `CS`; pairs are down and across. */
export interface Geometry {
  readonly B: number;
  readonly large: Pair;
  readonly small: Pair;
  readonly CL: number;
  readonly CS: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pad: Pair;
}

/** The same down and across. */
export const square = (large: number, small: number, kernel: number, stride: number, pad: number) =>
  ({
    large: [large, large],
    small: [small, small],
    kernel: [kernel, kernel],
    stride: [stride, stride],
    pad: [pad, pad],
  }) as const;

export const directions = ["conv2d", "conv2d_transpose"] as const;
export type Direction = (typeof directions)[number];

/** The forward node of a layer whose input was made by `from`. */
export function layer(
  direction: Direction,
  { B, large, small, CL, CS, kernel, stride, pad }: Geometry,
  activation: Activation,
  from: Activation = "none",
): Node {
  const down = direction === "conv2d";
  const shape = down ? [B, ...large, CL] : [B, ...small, CS];
  const pre = slopeNeedsInput(from) ? { pre: tensor("x.pre", "activation", shape) } : {};
  const x = tensor("x", "activation", shape, from === "none" ? {} : { activation: from, ...pre });
  const W = weightTensor("W", "param", [...kernel, CL], [CS]);
  const b = tensor("b", "param", [down ? CS : CL]);
  const make = down ? conv2d : conv2dTranspose;
  return make("y", x, W, b, { stride, pad, size: down ? small : large }, activation);
}

/** The gradient rule's result for dy, with or without the input's gradient; `sole`: no other node reads x. */
export function gradientsOf(forward: Node, withInput: boolean, sole = false): Gradients {
  const dy = tensor("dy", "activation", forward.outputs.result!.shape);
  const wanted = (input: string) => withInput || input === "W" || input === "b";
  return opNamed(forward.op).gradient!(forward, { result: dy }, wanted, () => sole);
}

/** The gradient of W and b, in parts. */
export function gradientNode(forward: Node): Node {
  return gradientsOf(forward, false).nodes[0]!;
}

export function title({ B, large, small, CL, CS, kernel, stride, pad }: Geometry): string {
  const images = `${B}x${large.join("x")}x${CL} ${small.join("x")}x${CS}`;
  return `${images} kernel ${kernel.join("x")} stride ${stride.join("x")} pad ${pad.join("x")}`;
}

const megaflop = ({ B, small, CL, CS, kernel }: Geometry) =>
  (2 * B * small[0] * small[1] * kernel[0] * kernel[1] * CL * CS) / 1e6;

/** Independent padding before and after, from 0 to the kernel's size minus 1, which includes "same" padding. */
const axis = fc
  .record({
    large: fc.integer({ min: 1, max: 15 }),
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 3 }),
    before: fc.nat(4),
    after: fc.nat(4),
  })
  .filter(({ kernel, before, after }) => before < kernel && after < kernel)
  .map((one) => ({ ...one, small: Math.floor((one.large + one.before + one.after - one.kernel) / one.stride) + 1 }))
  .filter(({ small }) => small > 0);

const channels = fc.constantFrom(1, 3, 4, 5, 8, 17, 33);

const geometry: fc.Arbitrary<Geometry> = fc
  .record({ B: fc.integer({ min: 1, max: 5 }), down: axis, across: axis, CL: channels, CS: channels })
  .map(({ B, down, across, CL, CS }) => ({
    B,
    large: [down.large, across.large] as const,
    small: [down.small, across.small] as const,
    CL,
    CS,
    kernel: [down.kernel, across.kernel] as const,
    stride: [down.stride, across.stride] as const,
    pad: [down.before, across.before] as const,
  }))
  .filter((made) => megaflop(made) < 4);

/** Up to `count` geometries, no two alike, the same each time. */
export function randomGeometries(count: number): Geometry[] {
  const some = fc.sample(geometry, { seed: SEED, numRuns: count });
  return some.filter((one, i) => some.findIndex((other) => title(other) === title(one)) === i);
}
