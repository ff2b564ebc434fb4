// pool.wgsl: y[o] = the largest value, or the mean, of x's pixels in window o; and the gradients of both:
//   dx[p] = act'(x[p]) sum over windows o around p of dy[o] if p is o's first maximum, or of dy[o] / o's pixels
//   x, dx [B, H, W, C]   y, dy [B, OH, OW, C]   C padded to 4 with zeros
// Window (i, j) begins at row i stride_y - pad_y and column j stride_x - pad_x. Pixels outside the image do not count,
// and no window is entirely outside. dx is gathered: an invocation visits all windows around its pixel.
#import lib/activation
#import lib/image
#import lib/stored
#import lib/invocation

struct Shape {
  images: u32,    // B
  height: u32,    // H
  width: u32,     // W
  rows: u32,      // OH
  columns: u32,   // OW
  channels: u32,  // C / 4, padded
  window_y: u32,
  window_x: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: u32,
  pad_x: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<Stored>;         // [B, H, W, C]
@group(0) @binding(2) var<storage, read> dy: array<Stored>;        // [B, OH, OW, C]
@group(0) @binding(3) var<storage, read> saved: array<Stored>;  // [B, H, W, C], what x's own slope is computed from
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;   // [B, OH, OW, C]
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;  // [B, H, W, C]

override WORKGROUP_SIZE: u32 = 64u;

const LOWEST = -0x1.fffffep127;

// The position of a vec4 of x or dx.
fn pixel_at(index: u32) -> vec4u { return place_at(index, vec2u(shape.height, shape.width), shape.channels); }

// The position of a vec4 of y or dy: its window.
fn window_at(index: u32) -> vec4u { return place_at(index, vec2u(shape.rows, shape.columns), shape.channels); }

// The index of the vec4 of x with the image and channels of `place`.
fn x_at(place: vec4u, row: u32, column: u32) -> vec4f {
  return vec4f(x[index_at(vec4u(place.x, row, column, place.w), vec2u(shape.height, shape.width), shape.channels)]);
}

// A window's first pixel, and the one after its last.
fn pixels_of(row: u32, column: u32) -> vec4u {
  let begin = vec2u(row * shape.stride_y, column * shape.stride_x);
  let pad = vec2u(shape.pad_y, shape.pad_x);
  let end = min(begin + vec2u(shape.window_y, shape.window_x) - pad, vec2u(shape.height, shape.width));
  return vec4u(max(begin, pad) - pad, end);
}

// The first window around a pixel, and the one after the last; empty if a stride leaves a gap.
fn windows_around(place: vec4u) -> vec4u {
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let window = vec2u(shape.window_y, shape.window_x);
  let padded = place.yz + vec2u(shape.pad_y, shape.pad_x);
  return vec4u((max(padded + stride, window) - window) / stride,
               min(padded / stride + 1u, vec2u(shape.rows, shape.columns)));
}

// y = max x; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool(invocation: Invocation) {
  let id = number_of(invocation);
  let place = window_at(id);
  if (place.x >= shape.images) { return; }
  let pixels = pixels_of(place.y, place.z);
  var largest = vec4f(LOWEST);
  for (var row = pixels.x; row < pixels.z; row++) {
    for (var column = pixels.y; column < pixels.w; column++) { largest = max(largest, x_at(place, row, column)); }
  }
  y[id] = Stored(largest);
}

// y = sum x / pixels; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn avg_pool(invocation: Invocation) {
  let id = number_of(invocation);
  let place = window_at(id);
  if (place.x >= shape.images) { return; }
  let pixels = pixels_of(place.y, place.z);
  let size = pixels.zw - pixels.xy;
  var sum = vec4f(0.0);
  for (var row = pixels.x; row < pixels.z; row++) {
    for (var column = pixels.y; column < pixels.w; column++) { sum += x_at(place, row, column); }
  }
  y[id] = Stored(sum / f32(size.x * size.y));
}

// dx of max_pool; one invocation per vec4 of dx.
@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let place = pixel_at(id);
  if (place.x >= shape.images) { return; }
  let windows = windows_around(place);
  let here = vec4f(x[id]);
  var sum = vec4f(0.0);
  for (var i = windows.x; i < windows.z; i++) {
    for (var j = windows.y; j < windows.w; j++) {
      let at = index_at(vec4u(place.x, i, j, place.w), vec2u(shape.rows, shape.columns), shape.channels);
      // This pixel has the maximum, and no pixel before it in the window has.
      var first = here == vec4f(y[at]);
      let pixels = pixels_of(i, j);
      for (var row = pixels.x; row <= place.y; row++) {
        let end = select(pixels.w, place.z, row == place.y);
        for (var column = pixels.y; column < end; column++) { first &= x_at(place, row, column) != here; }
      }
      sum += select(vec4f(0.0), vec4f(dy[at]), first);
    }
  }
  dx[id] = Stored(sum * activation_slope(vec4f(saved[id])));
}

// dx of avg_pool; one invocation per vec4 of dx.
@compute @workgroup_size(WORKGROUP_SIZE)
fn avg_pool_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let place = pixel_at(id);
  if (place.x >= shape.images) { return; }
  let windows = windows_around(place);
  var sum = vec4f(0.0);
  for (var i = windows.x; i < windows.z; i++) {
    for (var j = windows.y; j < windows.w; j++) {
      let at = index_at(vec4u(place.x, i, j, place.w), vec2u(shape.rows, shape.columns), shape.channels);
      let pixels = pixels_of(i, j);
      let size = pixels.zw - pixels.xy;
      sum += vec4f(dy[at]) / f32(size.x * size.y);
    }
  }
  dx[id] = Stored(sum * activation_slope(vec4f(saved[id])));
}
