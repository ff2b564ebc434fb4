// lib/norm.wgsl: the code that batch and group normalization share.
//   x is S sections of R rows of C channels: a section is the whole batch, or one example. Once each channel of a
//   section has its mean and variance, however they were computed, the kernels are the same.
// C padded to 4 with zeros. A section's rows are divided into P strips of rows p, p + P, ...; one invocation per vec4
// of channels processes each, next to its neighbours in memory. No rows are masked, since a training batch is always
// full.
#import lib/activation
#import lib/stored

struct Shape {
  sections: u32,       // S
  rows: u32,           // R
  channels: u32,       // C / 4, padded
  channel_count: u32,  // C, before padding
  parts: u32,          // P
  group_size: u32,     // channels in a group, for group_norm
  epsilon: f32,
  momentum: f32,       // fraction of the running statistics that is kept, for batch_norm
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<Stored>;            // [S, R, C]
@group(0) @binding(2) var<storage, read> gamma: array<vec4f>;         // [C]
@group(0) @binding(3) var<storage, read> beta: array<vec4f>;          // [C]
@group(0) @binding(4) var<storage, read> mean: array<vec4f>;          // [S, C]
@group(0) @binding(5) var<storage, read> variance: array<vec4f>;      // [S, C]
@group(0) @binding(6) var<storage, read> dy: array<Stored>;           // [S, R, C], before the activation
@group(0) @binding(7) var<storage, read> saved: array<Stored>;        // [S, R, C], what x's own slope comes from
@group(0) @binding(8) var<storage, read> means: array<vec4f>;         // [S, 2, C], of gamma dy and gamma dy xhat
@group(0) @binding(9) var<storage, read> all_parts: array<vec4f>;     // [S, P, 2, C]
@group(0) @binding(10) var<storage, read_write> parts: array<vec4f>;  // [S, P, 2, C]
@group(0) @binding(11) var<storage, read_write> y: array<Stored>;     // [S, R, C]
@group(0) @binding(12) var<storage, read_write> pre: array<Stored>;   // [S, R, C], before the activation
@group(0) @binding(13) var<storage, read_write> dx: array<Stored>;    // [S, R, C], before x's activation

override WORKGROUP_SIZE: u32 = 64u;
// Keep the value before the activation, for activations whose slope needs it.
override KEEP_PRE: bool = false;

struct Strip {
  channel: u32,  // which vec4 of channels
  at: u32,       // its index in [S, C]
  first: u32,
  end: u32,
  stride: u32,
}

fn strip_of(index: u32) -> Strip {
  let stride = shape.parts * shape.channels;
  let section = index / stride;
  let first = section * shape.rows * shape.channels + index % stride;
  // Beyond the last section the strip is empty.
  let end = select(0u, (section + 1u) * shape.rows * shape.channels, section < shape.sections);
  let channel = index % shape.channels;
  return Strip(channel, section * shape.channels + channel, first, end, stride);
}

fn part_rows(part: u32) -> f32 {
  return f32((shape.rows - 1u - part) / shape.parts + 1u);
}

fn inverse_deviation(at: u32) -> vec4f {
  return inverseSqrt(variance[at] + shape.epsilon);
}

fn store_part(index: u32, channel: u32, one: vec4f, other: vec4f) {
  let at = 2u * (index - channel) + channel;
  parts[at] = one;
  parts[at + shape.channels] = other;
}

// A strip's mean, and its sum of (x - mean)^2. Both are computed about its first row, so that a large mean costs no
// precision: none of n values is more than sqrt(n) deviations from their mean.
fn moments(index: u32) {
  let strip = strip_of(index);
  if (strip.first >= strip.end) { return; }
  let pivot = vec4f(x[strip.first]);
  var sum = vec4f(0.0);
  var squares = vec4f(0.0);
  for (var i = strip.first; i < strip.end; i += strip.stride) {
    let d = vec4f(x[i]) - pivot;
    sum += d;
    squares += d * d;
  }
  let shift = sum / part_rows(index / shape.channels % shape.parts);
  store_part(index, strip.channel, pivot + shift, squares - sum * shift);
}

// y = act(gamma xhat + beta); the padding stays zero whatever act(0) is.
fn normalize(index: u32) {
  let strip = strip_of(index);
  let padding = vec4u(0u, 1u, 2u, 3u) + 4u * strip.channel >= vec4u(shape.channel_count);
  let center = mean[strip.at];
  let scale = gamma[strip.channel] * inverse_deviation(strip.at);
  let offset = beta[strip.channel];
  for (var i = strip.first; i < strip.end; i += strip.stride) {
    let a = (vec4f(x[i]) - center) * scale + offset;
    if (KEEP_PRE) { pre[i] = Stored(a); }
    y[i] = Stored(select(activate(a), vec4f(0.0), padding));
  }
}

// A strip's sums of dy and of dy xhat.
fn gradient_sums(index: u32) {
  let strip = strip_of(index);
  if (strip.first >= strip.end) { return; }
  let center = mean[strip.at];
  var sum = vec4f(0.0);
  var product = vec4f(0.0);
  for (var i = strip.first; i < strip.end; i += strip.stride) {
    let d = vec4f(dy[i]);
    sum += d;
    product += d * (vec4f(x[i]) - center);
  }
  store_part(index, strip.channel, sum, product * inverse_deviation(strip.at));
}

// dx = (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)) / sqrt(variance + epsilon) * act'(x).
fn input_gradient(index: u32) {
  let strip = strip_of(index);
  let center = mean[strip.at];
  let inverse = inverse_deviation(strip.at);
  let scale = gamma[strip.channel];
  let at = 2u * (strip.at - strip.channel) + strip.channel;
  let constant = means[at];
  let slope = means[at + shape.channels] * inverse;
  for (var i = strip.first; i < strip.end; i += strip.stride) {
    let d = scale * vec4f(dy[i]) - constant - (vec4f(x[i]) - center) * slope;
    dx[i] = Stored(d * inverse * activation_slope(vec4f(saved[i])));
  }
}
