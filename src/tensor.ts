// A Tensor is a named, shaped, symbolic value with a role. It contains no data; the plan assigns its memory.
export const activations = [
  "none",
  "relu",
  "leaky_relu",
  "elu",
  "silu",
  "gelu",
  "tanh",
  "sigmoid",
  "softplus",
] as const;
/** Applied to a layer's outputs. gelu is the tanh approximation; leaky_relu has a slope of 0.01 below zero. */
export type Activation = (typeof activations)[number];

/**
 * input: comes from outside (the data set). param, gradient, state: live as long as the model. activation: lives
 * within a step. ring: a row per step that the host may read.
 */
export type Role = "input" | "param" | "gradient" | "state" | "activation" | "ring";

export interface Tensor {
  readonly name: string;
  readonly role: Role;
  /** Mathematical sizes, without padding. */
  readonly shape: readonly number[];
  /** Sizes as stored, with padding, which is always zero. */
  readonly storage: readonly number[];
  /** The activation that made this tensor, if the gradient must still pass through it. */
  readonly activation?: Activation;
  /** The tensor that the activation's slope is computed from, if not this one. */
  readonly pre?: Tensor;
  /** If this tensor consists of others laid end to end in one buffer: those. */
  readonly members?: readonly Tensor[];
}

/** The number that stands for an activation in lib/activation.wgsl. */
export function activationCode(activation: Activation): number {
  return activations.indexOf(activation);
}

/** Silu and gelu are not monotonic, so their slope cannot be computed from their value. */
export function slopeNeedsInput(activation: Activation): boolean {
  return activation === "silu" || activation === "gelu";
}

export function padTo4(n: number): number {
  return Math.ceil(n / 4) * 4;
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** A tensor whose innermost size is padded to 4, so that every kernel works on vec4. */
export function tensor(
  name: string,
  role: Role,
  shape: readonly number[],
  more: Pick<Tensor, "activation" | "pre"> = {},
): Tensor {
  return { name, role, shape, storage: padded(shape), ...more };
}

/** Sizes as stored; the innermost is a multiple of 4. */
function padded(shape: readonly number[]): number[] {
  return [...shape.slice(0, -1), padTo4(shape.at(-1) ?? 1)];
}

/**
 * Weights [...in, ...out], both padded like the tensors they are multiplied with: [784, 400], [7, 7, 64, 16] for a
 * dense layer on an image, [3, 3, 32, 64] for a convolution. An input's padding is multiplied by zeros.
 */
export function weightTensor(name: string, role: Role, inputs: readonly number[], outputs: readonly number[]): Tensor {
  return { name, role, shape: [...inputs, ...outputs], storage: [...padded(inputs), ...padded(outputs)] };
}

/** A tensor of the same sizes in another role, such as a gradient or a moment. */
export function like(other: Tensor, name: string, role: Role): Tensor {
  return { name, role, shape: other.shape, storage: other.storage };
}

/**
 * Each member starts at a multiple of this many values, since bindings start at multiples of 256 bytes, even of f16.
 */
export const MEMBER_ALIGNMENT = 128;

/** The parameters' copy in f16, if a plan has one. */
export const HALF_WEIGHTS = "weights";

/** Several tensors laid end to end in one buffer, as a single vector. */
export function flatTensor(name: string, role: Role, members: readonly Tensor[]): Tensor {
  const length = members.reduce((sum, member) => sum + alignedSize(member), 0);
  return { name, role, shape: [length], storage: [length], members };
}

export function alignedSize(member: Tensor): number {
  return Math.ceil(size(member.storage) / MEMBER_ALIGNMENT) * MEMBER_ALIGNMENT;
}

/** Offset in floats of each member of a flat tensor. */
export function memberOffsets(flat: Tensor): Map<string, number> {
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const member of flat.members ?? []) {
    offsets.set(member.name, offset);
    offset += alignedSize(member);
  }
  return offsets;
}
