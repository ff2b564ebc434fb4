// lib/activation.wgsl: y = act(a) and dy/da, for four values. ACTIVATION is a pipeline constant, so the compiler
// removes the switch. The numbers are those of `activationCode` in src/tensor.ts.
override ACTIVATION: u32 = 0u;

const LEAKY_SLOPE = 0.01;
const SQRT_2_OVER_PI = 0.7978845608028654;
const GELU_CUBIC = 0.044715;

fn logistic(a: vec4f) -> vec4f {
  // exp of a number that is never positive, so that it cannot overflow.
  let t = exp(-abs(a));
  return select(t, vec4f(1.0), a >= vec4f(0.0)) / (1.0 + t);
}

// log(1 + t) for t in [0, 1]; WGSL has no log1p, and log loses the low bits of a small t.
fn log_one_plus(t: vec4f) -> vec4f {
  let series = t * (1.0 - t * (0.5 - t * (1.0 / 3.0)));
  return select(log(1.0 + t), series, t < vec4f(1e-3));
}

fn softplus(a: vec4f) -> vec4f {
  return max(a, vec4f(0.0)) + log_one_plus(exp(-abs(a)));
}

// On some adapters tanh overflows to NaN for large arguments; beyond 10 it is 1 to f32 precision.
fn bounded_tanh(a: vec4f) -> vec4f {
  return tanh(clamp(a, vec4f(-10.0), vec4f(10.0)));
}

// exp(a) - 1 for a <= 0; near 0 the subtraction would cancel.
fn exp_minus_one(a: vec4f) -> vec4f {
  let series = a * (1.0 + a * (0.5 + a * (1.0 / 6.0 + a * (1.0 / 24.0))));
  return select(exp(a) - 1.0, series, abs(a) < vec4f(1e-2));
}

fn activate(a: vec4f) -> vec4f {
  switch ACTIVATION {
    case 1u: { return max(a, vec4f(0.0)); }
    case 2u: { return select(LEAKY_SLOPE * a, a, a > vec4f(0.0)); }
    case 3u: { return select(exp_minus_one(min(a, vec4f(0.0))), a, a > vec4f(0.0)); }
    case 4u: { return a * logistic(a); }
    case 5u: { return 0.5 * a * (1.0 + bounded_tanh(SQRT_2_OVER_PI * (a + GELU_CUBIC * a * a * a))); }
    case 6u: { return bounded_tanh(a); }
    case 7u: { return logistic(a); }
    case 8u: { return softplus(a); }
    default: { return a; }
  }
}

// dy/da. `kept` is y, or a for silu and gelu, which are not monotonic, so that y does not determine their slope.
fn activation_slope(kept: vec4f) -> vec4f {
  switch ACTIVATION {
    case 1u: { return select(vec4f(0.0), vec4f(1.0), kept > vec4f(0.0)); }
    case 2u: { return select(vec4f(LEAKY_SLOPE), vec4f(1.0), kept > vec4f(0.0)); }
    case 3u: { return select(kept + 1.0, vec4f(1.0), kept > vec4f(0.0)); }
    case 4u: {
      let s = logistic(kept);
      return s * (1.0 + kept * (1.0 - s));
    }
    case 5u: {
      // Beyond 10 the slope is 0 or 1, and the square of a large a would be infinite.
      let a = clamp(kept, vec4f(-10.0), vec4f(10.0));
      let t = bounded_tanh(SQRT_2_OVER_PI * a * (1.0 + GELU_CUBIC * a * a));
      return 0.5 * (1.0 + t) + 0.5 * a * (1.0 - t * t) * SQRT_2_OVER_PI * (1.0 + 3.0 * GELU_CUBIC * a * a);
    }
    case 6u: { return 1.0 - kept * kept; }
    case 7u: { return kept * (1.0 - kept); }
    // y = log(1 + exp(a)), so sigmoid(a) = 1 - exp(-y).
    case 8u: { return -exp_minus_one(-kept); }
    default: { return vec4f(1.0); }
  }
}
