// sum.wgsl: y[i] = sum_p parts[p, i], and y = sum_p parts[p], each in a fixed order.
//   parts [P, N]   y [N]   parts2 [P, M]   y2 [M]      N and M padded to 4 with zeros
// No atomics: a run repeats bit for bit.
struct Shape {
  parts: u32,  // P
  length: u32, // N / 4; ignored by sum_all
  other: u32,  // sum_pairs: M / 4
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;      // [P, N]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;    // [N]
@group(0) @binding(3) var<storage, read> values: array<f32>;       // [P]
@group(0) @binding(4) var<storage, read> parts2: array<vec4f>;     // [P, M]
@group(0) @binding(5) var<storage, read_write> y2: array<vec4f>;   // [M]

override WORKGROUP_SIZE: u32 = 64u;

var<workgroup> lane_sums: array<f32, WORKGROUP_SIZE>;

// y[i] = sum_p parts[p, i]; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_parts(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.length) { return; }
  var sum = vec4f(0.0);
  for (var part = 0u; part < shape.parts; part++) { sum += parts[part * shape.length + id.x]; }
  y[id.x] = sum;
}

// The same for two: the weights' gradient and the bias's. One invocation per vec4 of y, then of y2.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_pairs(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f(0.0);
  if (id.x < shape.length) {
    for (var part = 0u; part < shape.parts; part++) { sum += parts[part * shape.length + id.x]; }
    y[id.x] = sum;
  } else if (id.x < shape.length + shape.other) {
    let at = id.x - shape.length;
    for (var part = 0u; part < shape.parts; part++) { sum += parts2[part * shape.other + at]; }
    y2[at] = sum;
  }
}

// y = sum_p values[p]; one workgroup.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_all(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var part = lane; part < shape.parts; part += WORKGROUP_SIZE) { sum += values[part]; }
  lane_sums[lane] = sum;
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  if (lane == 0u) { y[0] = vec4f(lane_sums[0], 0.0, 0.0, 0.0); }
}
