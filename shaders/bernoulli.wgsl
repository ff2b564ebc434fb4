// bernoulli.wgsl: -log p(x|a) = sum_d max(a, 0) - a x + log(1 + exp(-|a|)), and its gradient w (sigmoid(a) - x) / B
// with the loss's weight w.
//   logits, dlogits [B K, D]   x [B, D]   reconstruction [slots, B K, segments]
// D, or an image [H, W, C]: D or C padded to 4. Each x is met by the K rows of its example's draws.
// A row's sum is left in segments of 16 vec4, one an invocation: no barrier, and the last sum is made in f64.
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
@group(0) @binding(1) var<storage, read> logits: array<Stored>;             // [B K, D]
@group(0) @binding(2) var<storage, read> x: array<Stored>;                  // [B, D]
@group(0) @binding(3) var<storage, read_write> reconstruction: array<f32>;  // [slots, B K, segments], nats
@group(0) @binding(4) var<storage, read_write> dlogits: array<Stored>;      // [B K, D]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;            // [B K, D]
@group(0) @binding(6) var<storage, read> over: array<f32>;                  // [B K or 1, 1]

override WORKGROUP_SIZE: u32 = 64u;
override KEEP_DLOGITS: bool = false;
// Draws of an example, K.
override COPIES: u32 = 1u;

const SEGMENT = 16u;

fn mask_at(column: u32) -> vec4f {
  return vec4f(vec4u(0u, 1u, 2u, 3u) + 4u * (column % shape.inner) < vec4u(shape.inner_count));
}

// sigmoid(a), where t = exp(-|a|).
fn probability(logit: vec4f, t: vec4f) -> vec4f {
  return select(t, vec4f(1.0), logit >= vec4f(0.0)) / (1.0 + t);
}

// The term and, where its weight is a knob alone, its gradient; one invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn bernoulli(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let counts = f32(row < step.rows * COPIES);
  let at_x = row / COPIES * shape.pixels;
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let weight = step.gradient_scale * knob(shape.weight);
  var sum = vec4f(0.0);
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let mask = counts * mask_at(column);
    let logit = vec4f(logits[at]);
    let target_value = vec4f(x[at_x + column]);
    let t = exp(-abs(logit));
    // abs and max hide a NaN on some adapters; the product shows it.
    sum += mask * (max(logit, vec4f(0.0)) - logit * target_value + log_one_plus(t));
    if (KEEP_DLOGITS) {
      dlogits[at] = Stored(mask * (probability(logit, t) - target_value) * weight / f32(step.rows * COPIES));
    }
  }
  reconstruction[step.slot * shape.rows * shape.segments + id] = sum.x + sum.y + (sum.z + sum.w);
}

// The gradient alone, where each row's term has a weight of its own; one invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn bernoulli_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let at_x = row / COPIES * shape.pixels;
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let weight = f32(row < step.rows * COPIES) * step.gradient_scale * knob(shape.weight) * over[row * shape.over_row];
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let logit = vec4f(logits[at]);
    let p = probability(logit, exp(-abs(logit)));
    dlogits[at] = Stored(mask_at(column) * (p - vec4f(x[at_x + column])) * weight / f32(step.rows * COPIES));
  }
}

// y = 1 with probability sigmoid(a), else 0; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn bernoulli_sample(invocation: Invocation) {
  let id = number_of(invocation);
  let column = id % shape.pixels;
  if (id >= shape.rows * shape.pixels) { return; }
  let counter = vec4u(step.first_row * shape.pixels + id, step.step, at_site(STREAM_OBSERVATION), step.sample);
  let drawn = uniform4(philox4x32(counter, vec2u(step.seed_low, step.seed_high))) < logistic(vec4f(logits[id]));
  y[id] = Stored(vec4f(drawn) * mask_at(column));
}
