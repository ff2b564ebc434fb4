// laplace.wgsl: -log p(x|m) = sum_d |x-m| exp(-r) + r + ln 2 with r = log b, and its gradients
//   w sign(m-x) exp(-r) / B with respect to m, 0 where they are equal
//   w sum (1 - |x-m| exp(-r)) / B with respect to r
// with the loss's weight w.
#import lib/location_scale

const LOG_TWO = 0.6931471805599453;

// 1 / b.
fn spread_of(r: f32) -> f32 {
  return exp(-r);
}

fn loss_of(difference: vec4f, r: f32, spread: f32) -> vec4f {
  // abs hides a NaN on some adapters; the product with 0 shows it.
  return abs(difference) * spread + 0.0 * difference + r + LOG_TWO;
}

fn mean_slope(difference: vec4f, spread: f32) -> vec4f {
  return sign(difference) * spread;
}

fn scale_slope(difference: vec4f, spread: f32) -> vec4f {
  return 1.0 - abs(difference) * spread;
}

// One invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn laplace(invocation: Invocation) {
  store_term(number_of(invocation));
}

// One invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn laplace_grad(invocation: Invocation) {
  store_gradients(number_of(invocation));
}

// y = m + b e, with e by the inverse of the distribution function; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn laplace_sample(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.rows * shape.pixels) { return; }
  // In (0, 1]: below a half it is the lower tail, 2 u, above the upper one, 2 (1 - u) and half a step of the grid.
  let u = uniform4(words_at(id));
  let lower = u <= vec4f(0.5);
  let tail = select(2.0 * (1.0 - u) + 0x1p-24, 2.0 * u, lower);
  // The logarithm is negative, as the lower tail is.
  store_draw(id, select(-log(tail), log(tail), lower));
}
