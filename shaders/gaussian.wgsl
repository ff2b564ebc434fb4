// gaussian.wgsl: -log p(x|m) = sum_d ((x-m) exp(-r))^2/2 + r + ln(2 pi)/2 with r = log sigma, and its gradients
//   w (m-x) exp(-2r) / B with respect to m, and w sum (1 - ((x-m) exp(-r))^2) / B with respect to r
// with the loss's weight w.
#import lib/location_scale

const HALF_LOG_TWO_PI = 0.9189385332046727;

// 1 / sigma^2.
fn spread_of(r: f32) -> f32 {
  return exp(-2.0 * r);
}

fn loss_of(difference: vec4f, r: f32, spread: f32) -> vec4f {
  return 0.5 * (difference * difference * spread) + r + HALF_LOG_TWO_PI;
}

fn mean_slope(difference: vec4f, spread: f32) -> vec4f {
  return difference * spread;
}

fn scale_slope(difference: vec4f, spread: f32) -> vec4f {
  return 1.0 - difference * difference * spread;
}

// One invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gaussian(invocation: Invocation) {
  store_term(number_of(invocation));
}

// One invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gaussian_grad(invocation: Invocation) {
  store_gradients(number_of(invocation));
}

// y = m + exp(r) e with e ~ N(0, 1); one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gaussian_sample(invocation: Invocation) {
  let id = number_of(invocation);
  if (id < shape.rows * shape.pixels) { store_draw(id, normal4(words_at(id))); }
}
