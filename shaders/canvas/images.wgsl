// canvas/images.wgsl: images of values in [0, 1] in a grid on a canvas, each point the mean of its image over a square.
//   images [count, H, W, C], C 1 or 3, without padding
// The square is as wide as a device pixel, but at least SOFT of an image's pixel: enlarged images have crisp pixels
// whose edges are no stairs, reduced ones lose nothing between points, and none mixes with its neighbours in the grid.

struct Grid {
  count: u32,
  columns: u32,
  height: u32,      // H
  width: u32,       // W
  channels: u32,    // C
  left: i32,        // of the grid, in device pixels
  top: i32,
  cell_width: i32,  // of an image, in device pixels
  cell_height: i32,
  gap: i32,         // between images, in device pixels
  low_r: f32,       // the colour of value 0 of one channel
  low_g: f32,
  low_b: f32,
  high_r: f32,      // the colour of value 1
  high_g: f32,
  high_b: f32,
  back_r: f32,      // behind and between the images, multiplied by its alpha
  back_g: f32,
  back_b: f32,
  back_a: f32,
}
@group(0) @binding(0) var<uniform> grid: Grid;
@group(0) @binding(1) var<storage, read> images: array<f32>;  // [count, H, W, C]

// Of an image's pixel. 0 would be the nearest pixel alone, 1 bilinear.
const SOFT = 0.6;

// Two triangles' worth of screen in one.
@vertex
fn cover(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
  return vec4f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn value_at(pixel: u32) -> vec3f {
  let first = pixel * grid.channels;
  if (grid.channels == 1u) { return saturate(vec3f(images[first])); }
  return saturate(vec3f(images[first], images[first + 1u], images[first + 2u]));
}

// The mean of an image, whose first pixel is given, over a square from low to high that lies in 2 x 2 pixels at most.
fn mean_of_four(first: u32, low: vec2f, high: vec2f) -> vec3f {
  let at = vec2u(low);
  let edge = vec2f(at + 1u);
  let share = max(high - edge, vec2f(0.0)) / (high - low);
  // A share of 0 is of a pixel that may lie outside.
  let next = select(vec2u(0u), vec2u(1u, grid.width), share > vec2f(0.0));
  let here = first + at.y * grid.width + at.x;
  let above = mix(value_at(here), value_at(here + next.x), share.x);
  let below = mix(value_at(here + next.y), value_at(here + next.y + next.x), share.x);
  return mix(above, below, share.y);
}

// The same over any square.
fn mean_of_many(first: u32, low: vec2f, high: vec2f) -> vec3f {
  var sum = vec3f(0.0);
  for (var y = u32(low.y); f32(y) < high.y; y++) {
    let down = min(high.y, f32(y + 1u)) - max(low.y, f32(y));
    for (var x = u32(low.x); f32(x) < high.x; x++) {
      let across = min(high.x, f32(x + 1u)) - max(low.x, f32(x));
      sum += down * across * value_at(first + y * grid.width + x);
    }
  }
  return sum / ((high.x - low.x) * (high.y - low.y));
}

// The colour of a device pixel; one invocation each.
@fragment
fn paint(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let background = vec4f(grid.back_r, grid.back_g, grid.back_b, grid.back_a);
  let place = vec2i(position.xy) - vec2i(grid.left, grid.top);
  let cell = vec2i(grid.cell_width, grid.cell_height);
  let pitch = cell + vec2i(grid.gap);
  if (any(place < vec2i(0))) { return background; }
  let number = place / pitch;
  let inside = place % pitch;
  let image = u32(number.y) * grid.columns + u32(number.x);
  if (any(inside >= cell) || u32(number.x) >= grid.columns || image >= grid.count) { return background; }
  let size = vec2f(f32(grid.width), f32(grid.height));
  let pixel = size / vec2f(cell);
  let middle = (vec2f(inside) + 0.5) * pixel;
  let side = max(pixel, vec2f(SOFT));
  let low = max(middle - 0.5 * side, vec2f(0.0));
  let high = min(middle + 0.5 * side, size);
  let first = image * grid.height * grid.width;
  var value: vec3f;
  if (max(side.x, side.y) <= 1.0) {
    value = mean_of_four(first, low, high);
  } else {
    value = mean_of_many(first, low, high);
  }
  if (grid.channels == 3u) { return vec4f(value, 1.0); }
  let colours = mix(vec3f(grid.low_r, grid.low_g, grid.low_b), vec3f(grid.high_r, grid.high_g, grid.high_b), value);
  return vec4f(colours, 1.0);
}
