// upsample.wgsl: y = x enlarged fy and fx times, nearest or bilinear with half-pixel centres and clamped edges; and the
// gradients of both: dx[p] = act'(x[p]) sum over o of weight(o, p) dy[o].
//   x, dx [B, H, W, C]   y, dy [B, fy H, fx W, C]   C padded to 4 with zeros
// Pixel o of y lies at (o + 1/2) / f - 1/2 in x. Cell c is the area between the centres of pixels c - 1 and c of x, so
// that its pixels of y have the same neighbours; cells 0 and H (or W) lie beyond the first and the last centre.
#import lib/activation
#import lib/image
#import lib/stored
#import lib/invocation

struct Shape {
  images: u32,    // B
  height: u32,    // H
  width: u32,     // W
  channels: u32,  // C / 4, padded
  factor_y: u32,
  factor_x: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<Stored>;         // [B, H, W, C]
@group(0) @binding(2) var<storage, read> dy: array<Stored>;        // [B, fy H, fx W, C]
@group(0) @binding(3) var<storage, read> saved: array<Stored>;  // [B, H, W, C], what x's own slope is computed from
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;   // [B, fy H, fx W, C]
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;  // [B, H, W, C]

override WORKGROUP_SIZE: u32 = 64u;

fn x_size() -> vec2u { return vec2u(shape.height, shape.width); }

fn factor() -> vec2u { return vec2u(shape.factor_y, shape.factor_x); }

// The index of the vec4 of x with the image and channels of `place`.
fn x_index(place: vec4u, row: u32, column: u32) -> u32 {
  return index_at(vec4u(place.x, row, column, place.w), x_size(), shape.channels);
}

// The same for y.
fn y_index(place: vec4u, row: u32, column: u32) -> u32 {
  return index_at(vec4u(place.x, row, column, place.w), x_size() * factor(), shape.channels);
}

// The first pixel of y in a cell.
fn first_of(cell: vec2u) -> vec2u {
  return min((max(2u * cell, vec2u(1u)) - 1u) * factor() / 2u, x_size() * factor());
}

// The weight down and across of pixel p of x in a neighbouring pixel o of y: 1 - |distance|, in steps of 1 / 2f.
fn weights(o: vec2u, p: vec2u) -> vec2f {
  let steps = 2u * factor();
  let there = clamp(2u * o + 1u + factor(), steps, steps * x_size());
  return 1.0 - vec2f(abs(vec2i(there) - vec2i(steps * (p + 1u)))) / vec2f(steps);
}

// y[o] = x[o / f]; one invocation per vec4 of x.
@compute @workgroup_size(WORKGROUP_SIZE)
fn upsample_nearest(invocation: Invocation) {
  let id = number_of(invocation);
  let place = place_at(id, x_size(), shape.channels);
  if (place.x >= shape.images) { return; }
  let value = vec4f(x[id]);
  let begin = place.yz * factor();
  let end = begin + factor();
  for (var row = begin.x; row < end.x; row++) {
    for (var column = begin.y; column < end.y; column++) { y[y_index(place, row, column)] = Stored(value); }
  }
}

// y[o] = sum over the four neighbours p of weight(o, p) x[p]; one invocation per vec4 of a cell.
@compute @workgroup_size(WORKGROUP_SIZE)
fn upsample_bilinear(invocation: Invocation) {
  let cell = place_at(number_of(invocation), x_size() + 1u, shape.channels);
  if (cell.x >= shape.images) { return; }
  let low = max(cell.yz, vec2u(1u)) - 1u;
  let high = min(cell.yz, x_size() - 1u);
  let top_left = vec4f(x[x_index(cell, low.x, low.y)]);
  let top_right = vec4f(x[x_index(cell, low.x, high.y)]);
  let bottom_left = vec4f(x[x_index(cell, high.x, low.y)]);
  let bottom_right = vec4f(x[x_index(cell, high.x, high.y)]);
  let begin = first_of(cell.yz);
  let end = first_of(cell.yz + 1u);
  for (var row = begin.x; row < end.x; row++) {
    for (var column = begin.y; column < end.y; column++) {
      let w = weights(vec2u(row, column), low);
      let value = mix(mix(bottom_right, bottom_left, w.y), mix(top_right, top_left, w.y), w.x);
      y[y_index(cell, row, column)] = Stored(value);
    }
  }
}

// dx = act'(x) sum dy over the fy fx copies; one invocation per vec4 of dx.
@compute @workgroup_size(WORKGROUP_SIZE)
fn upsample_nearest_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let place = place_at(id, x_size(), shape.channels);
  if (place.x >= shape.images) { return; }
  let begin = place.yz * factor();
  let end = begin + factor();
  var sum = vec4f(0.0);
  for (var row = begin.x; row < end.x; row++) {
    for (var column = begin.y; column < end.y; column++) { sum += vec4f(dy[y_index(place, row, column)]); }
  }
  dx[id] = Stored(sum * activation_slope(vec4f(saved[id])));
}

// dx = act'(x) sum weight dy over the four cells around a pixel; one invocation per vec4 of dx.
@compute @workgroup_size(WORKGROUP_SIZE)
fn upsample_bilinear_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let place = place_at(id, x_size(), shape.channels);
  if (place.x >= shape.images) { return; }
  let begin = first_of(place.yz);
  let end = first_of(place.yz + 2u);
  var sum = vec4f(0.0);
  for (var row = begin.x; row < end.x; row++) {
    for (var column = begin.y; column < end.y; column++) {
      let w = weights(vec2u(row, column), place.yz);
      sum += w.x * w.y * vec4f(dy[y_index(place, row, column)]);
    }
  }
  dx[id] = Stored(sum * activation_slope(vec4f(saved[id])));
}
