// lib/location_scale.wgsl: what likelihoods with a mean of each value and one scale share. A shader that imports it
// says by functions of the difference d = m - x and of r = log scale
//   what they need of r alone, once               spread_of(r)
//   -log p(x|m)                                   loss_of(d, r, spread)
//   its slope with respect to m, and to r         mean_slope(d, spread), scale_slope(d, spread)
//   mean, dmean [B K, D]   x [B, D]   log_scale [1]   reconstruction, dlog_scale_parts [(slots,) B K, segments]
// D, or an image [H, W, C]: D or C padded to 4 with zeros. Each x is met by the K rows of its example's draws. When the
// scale is learned, r = floor + softplus(log_scale - floor): a soft floor keeps it from collapsing (Rybkin et al.,
// "Simple and effective VAE training with calibrated decoders", 2021).
#import lib/step
#import lib/activation
#import lib/random
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,         // B K
  pixels: u32,       // vec4 of an example, padded
  inner: u32,        // vec4 of its innermost size, padded: D, or an image's channels
  inner_count: u32,  // that size, before padding
  segments: u32,     // ceil(pixels / 16)
  weight: u32,       // knob: how much the loss counts
  over_row: u32,     // how far apart the values of `over` lie
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> mean: array<Stored>;                 // [B K, D]
@group(0) @binding(2) var<storage, read> x: array<Stored>;                    // [B, D]
@group(0) @binding(3) var<storage, read> log_scale: array<f32>;               // [1]
@group(0) @binding(4) var<storage, read> saved: array<Stored>;                // [B K, D], for mean's own slope
@group(0) @binding(5) var<storage, read_write> reconstruction: array<f32>;    // [slots, B K, segments], nats
@group(0) @binding(6) var<storage, read_write> dmean: array<Stored>;          // [B K, D], before the activation
@group(0) @binding(7) var<storage, read_write> dlog_scale_parts: array<f32>;  // [B K, segments]
@group(0) @binding(8) var<storage, read_write> y: array<Stored>;              // [B K, D]
@group(0) @binding(9) var<storage, read> over: array<f32>;                    // [B K or 1, 1]

override WORKGROUP_SIZE: u32 = 64u;
override KEEP_DMEAN: bool = false;
override LEARNED: bool = false;
// Draws of an example, K.
override COPIES: u32 = 1u;

const SEGMENT = 16u;
const LOG_SCALE_FLOOR = -6.0;

fn floored_log_scale() -> f32 {
  let above = vec4f(log_scale[0] - LOG_SCALE_FLOOR);
  return select(log_scale[0], LOG_SCALE_FLOOR + softplus(above).x, LEARNED);
}

fn mask_at(column: u32) -> vec4f {
  return vec4f(vec4u(0u, 1u, 2u, 3u) + 4u * (column % shape.inner) < vec4u(shape.inner_count));
}

fn store_dmean(at: u32, slope: vec4f, weight: f32) {
  dmean[at] = Stored(slope * activation_slope(vec4f(saved[at])) * weight);
}

fn store_scale_slope(id: u32, slope: vec4f, weight: f32) {
  let slope_of_floor = logistic(vec4f(log_scale[0] - LOG_SCALE_FLOOR)).x;
  dlog_scale_parts[id] = slope_of_floor * (slope.x + slope.y + (slope.z + slope.w)) * weight;
}

// The term of a segment of a row and, where its weight is a knob alone, its gradients.
fn store_term(id: u32) {
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let counts = f32(row < step.rows * COPIES);
  let at_x = row / COPIES * shape.pixels;
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let r = floored_log_scale();
  let spread = spread_of(r);
  let weight = step.gradient_scale * knob(shape.weight) / f32(step.rows * COPIES);
  var sum = vec4f(0.0);
  var slope = vec4f(0.0);
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let mask = counts * mask_at(column);
    let difference = vec4f(mean[at]) - vec4f(x[at_x + column]);
    sum += mask * loss_of(difference, r, spread);
    slope += mask * scale_slope(difference, spread);
    if (KEEP_DMEAN) { store_dmean(at, mask * mean_slope(difference, spread), weight); }
  }
  reconstruction[step.slot * shape.rows * shape.segments + id] = sum.x + sum.y + (sum.z + sum.w);
  if (LEARNED && KEEP_DMEAN) { store_scale_slope(id, slope, weight); }
}

// The gradients alone, where each row's term has a weight of its own.
fn store_gradients(id: u32) {
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let at_x = row / COPIES * shape.pixels;
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let spread = spread_of(floored_log_scale());
  let factor = f32(row < step.rows * COPIES) * step.gradient_scale * knob(shape.weight) * over[row * shape.over_row];
  let weight = factor / f32(step.rows * COPIES);
  var slope = vec4f(0.0);
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let mask = mask_at(column);
    let difference = vec4f(mean[at]) - vec4f(x[at_x + column]);
    slope += mask * scale_slope(difference, spread);
    store_dmean(at, mask * mean_slope(difference, spread), weight);
  }
  if (LEARNED) { store_scale_slope(id, slope, weight); }
}

// Four random words for the vec4 `id` of a draw.
fn words_at(id: u32) -> vec4u {
  let counter = vec4u(step.first_row * shape.pixels + id, step.step, at_site(STREAM_OBSERVATION), step.sample);
  return philox4x32(counter, vec2u(step.seed_low, step.seed_high));
}

// y = m + scale e.
fn store_draw(id: u32, e: vec4f) {
  let value = vec4f(mean[id]) + exp(floored_log_scale()) * e;
  y[id] = Stored(select(vec4f(0.0), value, mask_at(id % shape.pixels) > vec4f(0.0)));
}
