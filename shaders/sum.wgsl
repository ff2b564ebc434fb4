// sum.wgsl: y[i] = sum_p parts[p, i], and y = sum_p parts[p], each in a fixed order.
//   parts [P, N]   y [N]   parts2 [P, M]   y2 [M]   parts3 [Q, K]   y3 [K]   parts4 [Q, L]   y4 [L]
//   N, M, K and L padded to 4 with zeros
// No atomics, so that runs are reproducible bit for bit.
#import lib/invocation

struct Shape {
  count: u32,    // P
  length: u32,   // N / 4; ignored by sum_all
  length2: u32,  // sum_pairs: M / 4
  count3: u32,   // sum_two_pairs: Q
  length3: u32,  // sum_two_pairs: K / 4
  length4: u32,  // sum_two_pairs: L / 4
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;      // [P, N]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;    // [N]
@group(0) @binding(3) var<storage, read> values: array<f32>;       // [P]
@group(0) @binding(4) var<storage, read> parts2: array<vec4f>;     // [P, M]
@group(0) @binding(5) var<storage, read_write> y2: array<vec4f>;   // [M]
@group(0) @binding(6) var<storage, read> parts3: array<vec4f>;     // [Q, K]
@group(0) @binding(7) var<storage, read_write> y3: array<vec4f>;   // [K]
@group(0) @binding(8) var<storage, read> parts4: array<vec4f>;     // [Q, L]
@group(0) @binding(9) var<storage, read_write> y4: array<vec4f>;   // [L]

override WORKGROUP_SIZE: u32 = 64u;

var<workgroup> lane_sums: array<f32, WORKGROUP_SIZE>;

// y and y2 at vec4 `i` of both, concatenated.
fn sum_pair(i: u32) {
  var sum = vec4f(0.0);
  if (i < shape.length) {
    for (var part = 0u; part < shape.count; part++) { sum += parts[part * shape.length + i]; }
    y[i] = sum;
  } else if (i < shape.length + shape.length2) {
    let at = i - shape.length;
    for (var part = 0u; part < shape.count; part++) { sum += parts2[part * shape.length2 + at]; }
    y2[at] = sum;
  }
}

// y and y2: a weight's gradient and its bias's. One invocation per vec4 of y, then of y2.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_pairs(invocation: Invocation) {
  sum_pair(number_of(invocation));
}

// The same for two layers. One invocation per vec4 of y, y2, y3 and y4, in that order.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_two_pairs(invocation: Invocation) {
  let id = number_of(invocation);
  let first = shape.length + shape.length2;
  if (id < first) {
    sum_pair(id);
    return;
  }
  let i = id - first;
  var sum = vec4f(0.0);
  if (i < shape.length3) {
    for (var part = 0u; part < shape.count3; part++) { sum += parts3[part * shape.length3 + i]; }
    y3[i] = sum;
  } else if (i < shape.length3 + shape.length4) {
    let at = i - shape.length3;
    for (var part = 0u; part < shape.count3; part++) { sum += parts4[part * shape.length4 + at]; }
    y4[at] = sum;
  }
}

// y = sum_p values[p]; one workgroup.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_all(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var part = lane; part < shape.count; part += WORKGROUP_SIZE) { sum += values[part]; }
  lane_sums[lane] = sum;
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  if (lane == 0u) { y[0] = vec4f(lane_sums[0], 0.0, 0.0, 0.0); }
}
