// lib/winograd_weight.wgsl: W to Winograd's domain, and dW back from it, with db, which needs no transform.
//   W [2 sy, 2 sx, CL, CS]   W^ [9, phases CL, CS]   dW [parts, 2 sy, 2 sx, CL, CS]   db [parts, C]
// From winograd.wgsl it uses the tensors and the transforms in one dimension.
#import lib/invocation

// The index in W of tap (0, 0) for a row of W^, a phase's channel, and the distances to the next taps down and across.
fn taps_of(index: u32) -> vec3u {
  let stride = strides();
  let channels = 4u * shape.large_c;
  let row = index / shape.small_c;
  let phase = row / channels;
  let tap = channels * shape.small_c;
  let down = 2u * stride.y * tap;
  let first = phase / stride.y * down + phase % stride.y * tap + row % channels * shape.small_c + index % shape.small_c;
  return vec3u(first, stride.x * down, stride.y * tap);
}

fn weight_count() -> u32 {
  return shape.stride_y * shape.stride_x * 4u * shape.large_c * shape.small_c;
}

// W^ of a phase, a large channel and a vec4 of small ones, from the phase's 2x2 taps.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_weight(invocation: Invocation) {
  let id = number_of(invocation);
  let count = weight_count();
  if (id >= count) { return; }
  let at = taps_of(id);
  let c0 = of_taps(vec4f(W[at.x]), vec4f(W[at.x + at.y]));
  let c1 = of_taps(vec4f(W[at.x + at.z]), vec4f(W[at.x + at.y + at.z]));
  make(0u, id, count, of_taps(c0[0], c1[0]));
  make(1u, id, count, of_taps(c0[1], c1[1]));
  make(2u, id, count, of_taps(c0[2], c1[2]));
}

// db: sums of dy over its pixels; one invocation per vec4 of db and part.
fn bias_sums(index: u32) {
  if (index >= shape.parts * shape.bias_c) { return; }
  let first = index / shape.bias_c * shape.bias_rows;
  let end = min(first + shape.bias_rows, shape.bias_pixels);
  var sum = vec4f(0.0);
  for (var pixel = first; pixel < end; pixel++) {
    sum += vec4f(image[pixel * shape.bias_c + index % shape.bias_c]);
  }
  db[index] = sum;
}

// A phase's 2x2 taps of a part of dW, from large^^T small^; and db.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_to_weight(group: Group, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(group);
  if (number >= shape.weight_groups) {
    bias_sums((number - shape.weight_groups) * WORKGROUP_SIZE + lane);
    return;
  }
  let count = weight_count();
  let index = number * WORKGROUP_SIZE + lane;
  if (index >= shape.parts * count) { return; }
  let part = index / count;
  var s0 = mat3x4f(); var s1 = mat3x4f(); var s2 = mat3x4f();
  if (part < shape.sum_parts) {
    let i = part * 8u * count + index;
    s0 = made_row(0u, i, count);
    s1 = made_row(1u, i, count);
    s2 = made_row(2u, i, count);
  }
  let r0 = to_taps(s0[0], s0[1], s0[2]);
  let r1 = to_taps(s1[0], s1[1], s1[2]);
  let r2 = to_taps(s2[0], s2[1], s2[2]);
  let c0 = to_taps(r0[0], r1[0], r2[0]);
  let c1 = to_taps(r0[1], r1[1], r2[1]);
  let at = taps_of(index - part * count) + vec3u(part * 4u * count, 0u, 0u);
  dW[at.x] = c0[0];
  dW[at.x + at.z] = c1[0];
  dW[at.x + at.y] = c0[1];
  dW[at.x + at.y + at.z] = c1[1];
}
