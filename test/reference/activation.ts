// Twin of shaders/lib/activation.wgsl: every activation and its derivative from the definition, in f64.
import type { Activation } from "../../src/tensor.js";

export function sigmoid(a: number): number {
  return 1 / (1 + Math.exp(-a));
}

/** log(1 + exp(a)) without overflow. */
export function softplus(a: number): number {
  return a > 0 ? a + Math.log1p(Math.exp(-a)) : Math.log1p(Math.exp(a));
}

interface Definition {
  readonly value: (a: number) => number;
  readonly derivative: (a: number) => number;
  /** The a that gives y; for relu and its like, one of them. Absent where y doesn't tell the slope. */
  readonly inverse?: (y: number) => number;
}

// Hendrycks and Gimpel (2016), the tanh form: a/2 (1 + tanh(sqrt(2/pi) (a + 0.044715 a^3))).
const GELU = Math.sqrt(2 / Math.PI);
const geluInner = (a: number) => GELU * (a + 0.044715 * a ** 3);
const sech2 = (a: number) => 1 / Math.cosh(a) ** 2;

const definitions: Readonly<Record<Activation, Definition>> = {
  none: { value: (a) => a, derivative: () => 1, inverse: (y) => y },
  relu: { value: (a) => Math.max(a, 0), derivative: (a) => (a > 0 ? 1 : 0), inverse: (y) => y },
  leaky_relu: {
    value: (a) => (a > 0 ? a : 0.01 * a),
    derivative: (a) => (a > 0 ? 1 : 0.01),
    inverse: (y) => (y > 0 ? y : y / 0.01),
  },
  elu: {
    value: (a) => (a > 0 ? a : Math.expm1(a)),
    derivative: (a) => (a > 0 ? 1 : Math.exp(a)),
    inverse: (y) => (y > 0 ? y : Math.log1p(y)),
  },
  silu: {
    value: (a) => a * sigmoid(a),
    // s + a s (1 - s), with 1 - s as sigmoid(-a).
    derivative: (a) => sigmoid(a) + a * sigmoid(a) * sigmoid(-a),
  },
  gelu: {
    value: (a) => (a / 2) * (1 + Math.tanh(geluInner(a))),
    derivative: (a) =>
      (1 + Math.tanh(geluInner(a))) / 2 + (a / 2) * sech2(geluInner(a)) * GELU * (1 + 3 * 0.044715 * a ** 2),
  },
  tanh: { value: (a) => Math.tanh(a), derivative: sech2, inverse: (y) => Math.atanh(y) },
  sigmoid: {
    value: sigmoid,
    derivative: (a) => sigmoid(a) * sigmoid(-a),
    inverse: (y) => Math.log(y) - Math.log1p(-y),
  },
  softplus: {
    value: softplus,
    derivative: sigmoid,
    // log(exp(y) - 1), which is y where exp(y) overflows.
    inverse: (y) => y + Math.log(-Math.expm1(-y)),
  },
};

export function activate(activation: Activation, a: number): number {
  return definitions[activation].value(a);
}

export function derivative(activation: Activation, a: number): number {
  return definitions[activation].derivative(a);
}

/** The derivative where a kernel is given only what the forward pass saved: y, or a for silu and gelu. */
export function slope(activation: Activation, saved: number): number {
  const { derivative, inverse } = definitions[activation];
  return derivative(inverse ? inverse(saved) : saved);
}

/** What the forward pass saves of `a`. */
export function saved(activation: Activation, a: number): number {
  const { value, inverse } = definitions[activation];
  return inverse ? value(a) : a;
}
