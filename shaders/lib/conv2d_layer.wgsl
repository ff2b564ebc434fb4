// lib/conv2d_layer.wgsl: the code that all schedules of a convolution share: its tensors, how the pixels of its two
// images correspond, how a tile's values are stored, and the entry points; three serve both directions and all
// gradients. A schedule adds how its tiles are multiplied: down_tiles, up_tiles and weight_tiles, given the workgroup's
// number among those of its kind and the invocation's position.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   W [KH, KW, CL, CS]      NHWC, f32; channels padded to 4 with zeros
// Small pixel (i, j) and tap (u, v) meet large pixel (i stride_y + u - pad_y, j stride_x + v - pad_x). A convolution
// goes down from large to small; its transpose goes up, and each is the other's input gradient with the same W.
#import lib/conv2d_result
#import lib/stored
#import lib/invocation

struct Shape {
  batch: u32,            // B
  large_h: u32,
  large_w: u32,
  large_c: u32,          // CL / 4, padded
  small_h: u32,
  small_w: u32,
  small_c: u32,          // CS / 4, padded
  kernel_h: u32,
  kernel_w: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: u32,
  pad_x: u32,
  result_count: u32,     // the result's channels, before padding
  part_rows: u32,        // small pixels that one part of dW sums, a multiple of 4
  bias_rows: u32,        // pixels that one part of db sums
  parts: u32,
  phase_groups: u32,     // up: workgroups of one phase
  weight_groups: u32,    // workgroups that compute dW; those for db follow
  bias_of_large: u32,    // 1: dy is the large image, so db has its channels
  gradient: u32,         // 1: the result is dx, multiplied by the slope of x's activation, not y = act(... + b)
  in_place: u32,         // 1: dx overwrites the values that slope is computed from, each after it is read
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> large: array<Stored>;         // [B, LH, LW, CL]
@group(0) @binding(2) var<storage, read> small: array<Stored>;         // [B, SH, SW, CS]
@group(0) @binding(3) var<storage, read> W: array<Stored>;             // [KH, KW, CL, CS]
@group(0) @binding(4) var<storage, read> aside: array<Stored>;         // [C] b; in a gradient [B, ., ., C] saved
@group(0) @binding(5) var<storage, read_write> result: array<Stored>;  // [B, ., ., C] y or dx, as small or large
@group(0) @binding(6) var<storage, read_write> pre: array<Stored>;     // [B, ., ., C], before the activation
@group(0) @binding(7) var<storage, read_write> dW: array<vec4f>;       // [parts, KH, KW, CL, CS]
@group(0) @binding(8) var<storage, read_write> db: array<vec4f>;       // [parts, C]

// An image's height, width and vec4 of channels, read once, because a uniform costs as much as a tensor's value.
fn large_size() -> vec3u { return vec3u(shape.large_h, shape.large_w, shape.large_c); }
fn small_size() -> vec3u { return vec3u(shape.small_h, shape.small_w, shape.small_c); }

// The index of a pixel's first channel; -1 outside the image. For four pixels at a time.
fn pixel_at(size: vec3u, image: vec4u, y: vec4i, x: vec4i) -> vec4i {
  let at = ((image * size.x + vec4u(y)) * size.y + vec4u(x)) * size.z;
  return select(vec4i(-1), vec4i(at), (vec4u(y) < vec4u(size.x)) & (vec4u(x) < vec4u(size.y)));
}

// The tap after this one, row by row.
fn next_tap(tap: vec2u, across: u32) -> vec2u {
  let turn = tap.y + 1u == across;
  return select(vec2u(tap.x, tap.y + 1u), vec2u(tap.x + 1u, 0u), turn);
}

fn load_large(at: i32, channel: u32) -> vec4f {
  return select(vec4f(0.0), vec4f(large[u32(max(at, 0)) + channel]), at >= 0);
}

fn load_small(at: i32, channel: u32) -> vec4f {
  return select(vec4f(0.0), vec4f(small[u32(max(at, 0)) + channel]), at >= 0);
}

// Large pixels whose coordinates are equal modulo the stride meet the same taps; they form a phase. Its pixels are
// first + stride (i, j); they meet small pixels start + (i, j) - t at taps tap + stride t.
struct Phase {
  first: vec2u,
  start: vec2u,
  tap: vec2u,
  taps: vec2u,    // number of taps down and across; 0 if the stride is longer than the kernel
  size: vec2u,    // number of pixels down and across
  group: u32,     // a workgroup's number among the phase's
}

// The phase of a workgroup. An excess workgroup is beyond the end of the last phase.
fn phase_of(group: u32) -> Phase {
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let kernel = vec2u(shape.kernel_h, shape.kernel_w);
  let index = min(group / shape.phase_groups, stride.x * stride.y - 1u);
  var phase: Phase;
  phase.group = group - index * shape.phase_groups;
  phase.first = vec2u(index / stride.y, index % stride.y);
  let padded = phase.first + vec2u(shape.pad_y, shape.pad_x);
  phase.tap = padded % stride;
  phase.start = padded / stride;
  phase.taps = (max(kernel, phase.tap) - phase.tap + stride - 1u) / stride;
  let end = vec2u(shape.large_h, shape.large_w);
  phase.size = (max(end, phase.first) - phase.first + stride - 1u) / stride;
  return phase;
}

// The index of a tap in W.
fn W_tap(tap: vec2u, across: u32) -> u32 {
  return tap.x * across + tap.y;
}

// A pixel of a phase: its image, and its position among the phase's pixels.
fn phase_pixel(phase: Phase, index: u32) -> vec3u {
  return vec3u(index / (phase.size.x * phase.size.y), index / phase.size.y % phase.size.x, index % phase.size.y);
}

// The next one, without a division.
fn next_pixel(phase: Phase, pixel: vec3u) -> vec3u {
  let right = vec3u(pixel.x, pixel.y, pixel.z + 1u);
  let down = select(right, vec3u(pixel.x, pixel.y + 1u, 0u), right.z == phase.size.y);
  return select(down, vec3u(pixel.x + 1u, 0u, 0u), down.y == phase.size.x);
}

// The index of its first channel in the large image.
fn up_pixel(size: vec3u, stride: vec2u, phase: Phase, pixel: vec3u) -> u32 {
  let place = pixel.yz * stride + phase.first;
  return ((pixel.x * size.x + place.x) * size.y + place.y) * size.z;
}

// A row of a part of dW: rows are (tap, large channel).
fn store_weight(part: u32, row: u32, column: u32, product: vec4f) {
  let rows = 4u * shape.kernel_h * shape.kernel_w * shape.large_c;
  if (row < rows && column < shape.small_c) { dW[(part * rows + row) * shape.small_c + column] = product; }
}

// db: sums of dy over its pixels; one invocation per vec4 of db and part.
fn bias_sums(index: u32) {
  let of_large = shape.bias_of_large != 0u;
  let size = select(small_size(), large_size(), of_large);
  if (index >= shape.parts * size.z) { return; }
  let first = index / size.z * shape.bias_rows;
  let end = min(first + shape.bias_rows, shape.batch * size.x * size.y);
  var sum = vec4f(0.0);
  for (var pixel = first; pixel < end; pixel++) {
    let at = pixel * size.z + index % size.z;
    if (of_large) { sum += vec4f(large[at]); } else { sum += vec4f(small[at]); }
  }
  db[index] = sum;
}

// y[i, j] = act(sum over taps of large W + b); as the transpose's input gradient, dx = that sum times act'(x).
@compute @workgroup_size(WORKGROUP_SIZE)
fn conv2d(group: Group, @builtin(local_invocation_index) lane: u32) {
  down_tiles(group_number(group), lane);
}

// y[large pixel] = act(sum over the small pixels and taps that meet it of small W^T + b); as the convolution's input
// gradient, dx = that sum times act'(x).
@compute @workgroup_size(WORKGROUP_SIZE)
fn conv2d_transpose(group: Group, @builtin(local_invocation_index) lane: u32) {
  up_tiles(group_number(group), lane);
}

// dW = sum over pixels of large^T small; db = sum dy. Both in one dispatch, since they read the same dy independently.
@compute @workgroup_size(WORKGROUP_SIZE)
fn conv2d_grad_weight(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = group_number(group);
  if (index < shape.weight_groups) { weight_tiles(index, lane); }
  else { bias_sums((index - shape.weight_groups) * WORKGROUP_SIZE + lane); }
}
