// A Tensor is a named, shaped, symbolic value with a role. It holds no data; the plan gives it a place.
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
/** What a layer applies to its outputs; gelu in its tanh form; leaky_relu has a slope of 0.01 below zero. */
export type Activation = (typeof activations)[number];

/**
 * input: comes from outside (the data set). param, gradient, state: live as long as the model. activation: lives
 * within a step. ring: a row per step that the host may read.
 */
export type Role = "input" | "param" | "gradient" | "state" | "activation" | "ring";

export interface Tensor {
  readonly name: string;
  readonly role: Role;
  /** Sizes as the mathematics has them. */
  readonly shape: readonly number[];
  /** Sizes as stored, with padding (always zero). */
  readonly storage: readonly number[];
  /** The activation that made this tensor, when its gradient is still to pass through it. */
  readonly activation?: Activation;
  /** What the activation's slope is computed from, when that isn't the tensor itself. */
  readonly pre?: Tensor;
  /** For a tensor that is several others laid end to end in one buffer: those. */
  readonly members?: readonly Tensor[];
}

/** The number that stands for an activation in lib/activation.wgsl. */
export function activationCode(activation: Activation): number {
  return activations.indexOf(activation);
}

/** Silu and gelu are not monotonic: their slope cannot be told from their value. */
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

/** Sizes as stored: the innermost is a multiple of 4. */
function padded(shape: readonly number[]): number[] {
  return [...shape.slice(0, -1), padTo4(shape.at(-1) ?? 1)];
}

/**
 * Weights [...in, ...out], both padded as the tensors that they meet are: [784, 400], [7, 7, 64, 16] of a dense layer
 * on an image, [3, 3, 32, 64] of a convolution. A padded input finds zeros to meet.
 */
export function weightTensor(name: string, role: Role, inputs: readonly number[], outputs: readonly number[]): Tensor {
  return { name, role, shape: [...inputs, ...outputs], storage: [...padded(inputs), ...padded(outputs)] };
}

/** A tensor of the same sizes in another role: a gradient, a moment. */
export function like(other: Tensor, name: string, role: Role): Tensor {
  return { name, role, shape: other.shape, storage: other.storage };
}

/** Each member starts at a multiple of this many values: bindings start at multiples of 256 bytes, also those of f16. */
export const MEMBER_ALIGNMENT = 128;

/** The parameters' copy in f16, where a plan has one. */
export const HALF_WEIGHTS = "weights";

/** Several tensors laid end to end in one buffer, seen as one vector. */
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
