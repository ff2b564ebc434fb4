// canvas/images.wgsl: draws images with values in [0, 1] in a grid on a canvas; each point is its image's mean over a
// square.
//   images [count, H, W, C], C 1 or 3, without padding
// The square is as wide as a device pixel, but at least SOFT of an image's pixel, so that enlarged images have crisp
// pixels with smooth edges, reduced ones lose nothing between points, and none blends with its neighbours in the grid.
// Values that are constant over an image come with its corners, since each uniform read costs time on software
// adapters.

struct Grid {
  canvas_width: f32,   // in device pixels, like everything below
  canvas_height: f32,
  left: f32,
  top: f32,
  cell_width: f32,     // of an image
  cell_height: f32,
  gap: f32,            // between images
  columns: u32,
  height: u32,         // H
  width: u32,          // W
  low_r: f32,          // the colour of value 0 of one channel
  low_g: f32,
  low_b: f32,
  high_r: f32,         // the colour of value 1
  high_g: f32,
  high_b: f32,
}
@group(0) @binding(0) var<uniform> grid: Grid;
@group(0) @binding(1) var<storage, read> images: array<f32>;  // [count, H, W, C]

override CHANNELS: u32 = 1u;
// The squares are wider than an image's pixel.
override REDUCED: bool = false;

// As a fraction of an image's pixel. 0 would be nearest-neighbour, 1 bilinear.
const SOFT = 0.6;

struct Corner {
  @builtin(position) position: vec4f,
  @location(0) place: vec2f,                              // in the image's pixels
  @location(1) @interpolate(flat) first: u32,             // the image's first pixel
  @location(2) @interpolate(flat) size: vec2u,            // W, H
  @location(3) @interpolate(flat) side: vec2f,            // of the square, in the image's pixels
  @location(4) @interpolate(flat) low: vec3f,
  @location(5) @interpolate(flat) high: vec3f,
}

// Four corners of each image, on the edges of device pixels.
@vertex
fn corner(@builtin(vertex_index) index: u32, @builtin(instance_index) image: u32) -> Corner {
  let end = vec2f(vec2u(index & 1u, index >> 1u));
  let cell = vec2f(grid.cell_width, grid.cell_height);
  let number = vec2f(vec2u(image % grid.columns, image / grid.columns));
  let at = vec2f(grid.left, grid.top) + number * (cell + grid.gap) + end * cell;
  let size = vec2u(grid.width, grid.height);
  var made: Corner;
  made.position = vec4f((at / vec2f(grid.canvas_width, grid.canvas_height) * 2.0 - 1.0) * vec2f(1.0, -1.0), 0.0, 1.0);
  made.place = end * vec2f(size);
  made.first = image * size.x * size.y;
  made.size = size;
  made.side = max(vec2f(size) / cell, vec2f(SOFT));
  made.low = vec3f(grid.low_r, grid.low_g, grid.low_b);
  made.high = vec3f(grid.high_r, grid.high_g, grid.high_b);
  return made;
}

fn value_at(pixel: u32) -> vec3f {
  if (CHANNELS == 1u) { return vec3f(saturate(images[pixel])); }
  return saturate(vec3f(images[3u * pixel], images[3u * pixel + 1u], images[3u * pixel + 2u]));
}

// The mean of an image over a square from low to high that covers at most 2 x 2 pixels.
fn mean_of_four(first: u32, width: u32, low: vec2f, high: vec2f) -> vec3f {
  let at = vec2u(low);
  let share = max(high - floor(low) - 1.0, vec2f(0.0)) / (high - low);
  // A pixel with a share of 0 may lie outside the image.
  let next = select(vec2u(0u), vec2u(1u, width), share > vec2f(0.0));
  let here = first + at.y * width + at.x;
  let above = mix(value_at(here), value_at(here + next.x), share.x);
  let below = mix(value_at(here + next.y), value_at(here + next.y + next.x), share.x);
  return mix(above, below, share.y);
}

// The same for any square.
fn mean_of_many(first: u32, width: u32, low: vec2f, high: vec2f) -> vec3f {
  var sum = vec3f(0.0);
  for (var y = u32(low.y); f32(y) < high.y; y++) {
    let down = min(high.y, f32(y + 1u)) - max(low.y, f32(y));
    for (var x = u32(low.x); f32(x) < high.x; x++) {
      let across = min(high.x, f32(x + 1u)) - max(low.x, f32(x));
      sum += down * across * value_at(first + y * width + x);
    }
  }
  return sum / ((high.x - low.x) * (high.y - low.y));
}

// The colour of a device pixel; one invocation each.
@fragment
fn paint(at: Corner) -> @location(0) vec4f {
  let low = max(at.place - 0.5 * at.side, vec2f(0.0));
  let high = min(at.place + 0.5 * at.side, vec2f(at.size));
  var value: vec3f;
  if (REDUCED) {
    value = mean_of_many(at.first, at.size.x, low, high);
  } else {
    value = mean_of_four(at.first, at.size.x, low, high);
  }
  return vec4f(select(value, mix(at.low, at.high, value), CHANNELS == 1u), 1.0);
}
