// group_norm.wgsl: y = act(gamma xhat + beta) with xhat = (x - mean) / sqrt(variance + epsilon), for each example and
// group of channels over the group's channels and all pixels; and its gradients.
//   x, y [B, R, C]: R pixels of C channels, in groups of C / G   gamma, beta [C]
// Wu and He, "Group normalization" (2018). A section of lib/norm is an example: S = B. Statistics are stored per
// channel, so that groups need not align with vec4s.
#import lib/norm
#import lib/invocation

@group(0) @binding(14) var<storage, read_write> group_mean: array<f32>;      // [B, C], equal within a group
@group(0) @binding(15) var<storage, read_write> group_variance: array<f32>;  // [B, C]
@group(0) @binding(16) var<storage, read_write> gradient_means: array<f32>;  // [B, 2, C]
@group(0) @binding(17) var<storage, read_write> dgamma: array<f32>;          // [C]
@group(0) @binding(18) var<storage, read_write> dbeta: array<f32>;           // [C]

// The first channel of the index-th group over all examples, the one after its last, and its example. Each example has
// an extra last group for the padding, whose sums are zero.
fn group_at(index: u32) -> vec3u {
  let groups = shape.channel_count / shape.group_size;
  let first = index % (groups + 1u) * shape.group_size;
  let end = select(first + shape.group_size, 4u * shape.channels, first == shape.channel_count);
  return vec3u(first, end, index / (groups + 1u));
}

// A value of a part for channel c: its first, or with `second` its second.
fn part_value(part: u32, second: u32, c: u32) -> f32 {
  return all_parts[(2u * part + second) * shape.channels + c / 4u][c % 4u];
}

// Mean and squared deviations of a part; one invocation per part, example and vec4 of channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn group_norm_moments(invocation: Invocation) { moments(number_of(invocation)); }

// Combines the moments of a group's parts and channels (Chan et al. 1979); one invocation per example and group.
@compute @workgroup_size(WORKGROUP_SIZE)
fn group_norm_combine(invocation: Invocation) {
  let group = group_at(number_of(invocation));
  if (group.z >= shape.sections) { return; }
  let pivot = part_value(group.z * shape.parts, 0u, group.x);
  var sum = 0.0;
  var squares = 0.0;
  for (var part = 0u; part < shape.parts; part++) {
    for (var c = group.x; c < group.y; c++) {
      let d = part_value(group.z * shape.parts + part, 0u, c) - pivot;
      sum += part_rows(part) * d;
      squares += part_value(group.z * shape.parts + part, 1u, c) + part_rows(part) * d * d;
    }
  }
  let n = f32(shape.rows * shape.group_size);
  let shift = sum / n;
  for (var c = group.x; c < group.y; c++) {
    group_mean[group.z * 4u * shape.channels + c] = pivot + shift;
    group_variance[group.z * 4u * shape.channels + c] = (squares - sum * shift) / n;
  }
}

// y = act(gamma xhat + beta); one invocation per strip.
@compute @workgroup_size(WORKGROUP_SIZE)
fn group_norm(invocation: Invocation) { normalize(number_of(invocation)); }

// Sums of dy and dy xhat of a part; one invocation per part, example and vec4 of channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn group_norm_sums(invocation: Invocation) { gradient_sums(number_of(invocation)); }

// The means over a group of gamma dy and gamma dy xhat; dgamma = sum dy xhat and dbeta = sum dy, over all examples.
// One invocation per example and group, and after those one per channel.
@compute @workgroup_size(WORKGROUP_SIZE)
fn group_norm_grad_params(invocation: Invocation) {
  let id = number_of(invocation);
  let group = group_at(id);
  var sum = 0.0;
  var product = 0.0;
  if (group.z < shape.sections) {
    for (var part = group.z * shape.parts; part < (group.z + 1u) * shape.parts; part++) {
      for (var c = group.x; c < group.y; c++) {
        let scale = gamma[c / 4u][c % 4u];
        sum += scale * part_value(part, 0u, c);
        product += scale * part_value(part, 1u, c);
      }
    }
    let n = f32(shape.rows * shape.group_size);
    for (var c = group.x; c < group.y; c++) {
      let at = group.z * 8u * shape.channels + c;
      gradient_means[at] = sum / n;
      gradient_means[at + 4u * shape.channels] = product / n;
    }
    return;
  }
  let c = id - shape.sections * (shape.channel_count / shape.group_size + 1u);
  if (c >= 4u * shape.channels) { return; }
  for (var part = 0u; part < shape.sections * shape.parts; part++) {
    sum += part_value(part, 0u, c);
    product += part_value(part, 1u, c);
  }
  dbeta[c] = sum;
  dgamma[c] = product;
}

// dx = (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)) / sqrt(variance + epsilon) * act'(x); one invocation
// per strip.
@compute @workgroup_size(WORKGROUP_SIZE)
fn group_norm_grad(invocation: Invocation) { input_gradient(number_of(invocation)); }
