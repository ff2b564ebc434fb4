// gaussian.wgsl: -log p(x|m) = sum_d ((x-m) exp(-r))^2/2 + r + ln(2 pi)/2, and its gradients with
// the loss's weight w: w (m-x) exp(-2r) / B with respect to m, and w sum (1 - ((x-m) exp(-r))^2) / B to r = log sigma.
//   mean, x, dmean [B, D]   log_sigma [1]   reconstruction, dlog_sigma_parts [(slots,) B, segments]
// D, or an image [H, W, C]: D or C padded to 4 with zeros. One r for all; when it is learned,
// r = floor + softplus(log_sigma - floor): a soft floor keeps sigma from collapsing (Rybkin et al., "Simple and
// effective VAE training with calibrated decoders", 2021).
#import lib/step
#import lib/activation
#import lib/random
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,         // B
  pixels: u32,       // vec4 of an example, padded
  inner: u32,        // vec4 of its innermost size, padded: D, or an image's channels
  inner_count: u32,  // that size, before padding
  segments: u32,     // ceil(pixels / 16)
  weight: u32,       // knob: how much the loss counts
  over_row: u32,     // how far apart the values of `over` lie
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> mean: array<Stored>;                 // [B, D]
@group(0) @binding(2) var<storage, read> x: array<Stored>;                    // [B, D]
@group(0) @binding(3) var<storage, read> log_sigma: array<f32>;               // [1]
@group(0) @binding(4) var<storage, read> saved: array<Stored>;                // [B, D], for mean's own slope
@group(0) @binding(5) var<storage, read_write> reconstruction: array<f32>;    // [slots, B, segments], nats
@group(0) @binding(6) var<storage, read_write> dmean: array<Stored>;          // [B, D], before the activation
@group(0) @binding(7) var<storage, read_write> dlog_sigma_parts: array<f32>;  // [B, segments]
@group(0) @binding(8) var<storage, read_write> y: array<Stored>;              // [B, D]
@group(0) @binding(9) var<storage, read> over: array<f32>;                    // [B or 1, 1]

override WORKGROUP_SIZE: u32 = 64u;
override KEEP_DMEAN: bool = false;
override LEARNED: bool = false;

const SEGMENT = 16u;
const LOG_SIGMA_FLOOR = -6.0;
const HALF_LOG_TWO_PI = 0.9189385332046727;

fn floored_log_sigma() -> f32 {
  let above = vec4f(log_sigma[0] - LOG_SIGMA_FLOOR);
  return select(log_sigma[0], LOG_SIGMA_FLOOR + softplus(above).x, LEARNED);
}

fn mask_at(column: u32) -> vec4f {
  return vec4f(vec4u(0u, 1u, 2u, 3u) + 4u * (column % shape.inner) < vec4u(shape.inner_count));
}

fn store_dmean(at: u32, mask: vec4f, difference: vec4f, inverse_variance: f32, scale: f32) {
  dmean[at] = Stored(mask * difference * inverse_variance * activation_slope(vec4f(saved[at])) * scale);
}

fn store_slope(id: u32, slope: vec4f, scale: f32) {
  let slope_of_floor = logistic(vec4f(log_sigma[0] - LOG_SIGMA_FLOOR)).x;
  dlog_sigma_parts[id] = slope_of_floor * (slope.x + slope.y + (slope.z + slope.w)) * scale;
}

// The term and, where its weight is a knob alone, its gradients; one invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gaussian(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let counts = f32(row < step.rows);
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let r = floored_log_sigma();
  let inverse_variance = exp(-2.0 * r);
  let scale = step.gradient_scale * knob(shape.weight) / f32(step.rows);
  var sum = vec4f(0.0);
  var slope = vec4f(0.0);
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let mask = counts * mask_at(column);
    let difference = vec4f(mean[at]) - vec4f(x[at]);
    let square = difference * difference * inverse_variance;
    sum += mask * (0.5 * square + r + HALF_LOG_TWO_PI);
    slope += mask * (1.0 - square);
    if (KEEP_DMEAN) { store_dmean(at, mask, difference, inverse_variance, scale); }
  }
  reconstruction[step.slot * shape.rows * shape.segments + id] = sum.x + sum.y + (sum.z + sum.w);
  if (LEARNED && KEEP_DMEAN) { store_slope(id, slope, scale); }
}

// The gradients alone, where each row's term has a weight of its own; one invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gaussian_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let inverse_variance = exp(-2.0 * floored_log_sigma());
  let weight = f32(row < step.rows) * step.gradient_scale * knob(shape.weight) * over[row * shape.over_row];
  let scale = weight / f32(step.rows);
  var slope = vec4f(0.0);
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let mask = mask_at(column);
    let difference = vec4f(mean[at]) - vec4f(x[at]);
    slope += mask * (1.0 - difference * difference * inverse_variance);
    store_dmean(at, mask, difference, inverse_variance, scale);
  }
  if (LEARNED) { store_slope(id, slope, scale); }
}

// y = m + exp(r) e with e ~ N(0, 1); one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gaussian_sample(invocation: Invocation) {
  let id = number_of(invocation);
  let column = id % shape.pixels;
  if (id >= shape.rows * shape.pixels) { return; }
  let counter = vec4u(step.first_row * shape.pixels + id, step.step, at_site(STREAM_OBSERVATION), step.sample);
  let e = normal4(philox4x32(counter, vec2u(step.seed_low, step.seed_high)));
  let mask = vec4u(0u, 1u, 2u, 3u) + 4u * (column % shape.inner) < vec4u(shape.inner_count);
  y[id] = Stored(select(vec4f(0.0), vec4f(mean[id]) + exp(floored_log_sigma()) * e, mask));
}
