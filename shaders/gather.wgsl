// gather.wgsl: x[b] = data[order(first + b)], a batch from the data set on the GPU, in an order shuffled per epoch.
//   data [N, D] (bytes, or f32)   x [B, D]      padded to 4 with zeros; a byte stands for byte / 255
#import lib/step
#import lib/random
#import lib/order
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,         // B
  pixels: u32,       // vec4 of an example of x, padded
  inner: u32,        // vec4 of its innermost size, padded: D, or an image's channels
  inner_count: u32,  // that size, before padding
  segments: u32,     // ceil(pixels / 16)
  words: u32,        // D / 4, padded: an example's row in the data
  count: u32,        // N
  half_bits: u32,    // half of the network's bits
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> bytes: array<u32>;       // [N, D/4], four bytes each
@group(0) @binding(2) var<storage, read> floats: array<vec4f>;    // [N, D]
@group(0) @binding(3) var<storage, read_write> x: array<Stored>;  // [B, D], or [B, H, W, C]

override WORKGROUP_SIZE: u32 = 64u;
override BINARISE: bool = false;
// All draws of an example see the same pixels: of a bound, which is about one x.
override DRAWN_ONCE: bool = false;
// x is an image with padded channels, but the data is not padded.
override PAD_PIXELS: bool = false;

const SEGMENT = 16u;
// Four bytes as values of x: byte / 255, or 1 with that probability, which is exact in integers on every device.
fn value_of(at: u32) -> vec4f {
  let four = (vec4u(bytes[at]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
  if (!BINARISE) { return vec4f(four) / 255.0; }
  let sample = select(step.sample, 0u, DRAWN_ONCE);
  let r = philox4x32(vec4u(at, step.step, at_site(STREAM_BINARISE), sample), vec2u(step.seed_low, step.seed_high));
  return vec4f((r >> vec4u(8u)) * 255u < four << vec4u(24u));
}

// x = a byte's value; one by one if the data's rows of D values become pixels with padded channels.
// One invocation per segment of 16 vec4 of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather_bytes(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let index = example(row);
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  for (var column = first; column < end; column++) {
    if (!PAD_PIXELS) {
      x[row * shape.pixels + column] = Stored(value_of(index * shape.words + column));
      continue;
    }
    let channel = column % shape.inner * 4u;
    var pixel = vec4f(0.0);
    for (var i = 0u; i < min(4u, shape.inner_count - channel); i++) {
      let d = column / shape.inner * shape.inner_count + channel + i;
      pixel[i] = value_of(index * shape.words + d / 4u)[d % 4u];
    }
    x[row * shape.pixels + column] = Stored(pixel);
  }
}

// The same for floats; one invocation per segment of 16 vec4 of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather_floats(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let index = example(row);
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  for (var column = first; column < end; column++) {
    if (!PAD_PIXELS) {
      x[row * shape.pixels + column] = Stored(floats[index * shape.words + column]);
      continue;
    }
    let channel = column % shape.inner * 4u;
    var pixel = vec4f(0.0);
    for (var i = 0u; i < min(4u, shape.inner_count - channel); i++) {
      let d = column / shape.inner * shape.inner_count + channel + i;
      pixel[i] = floats[index * shape.words + d / 4u][d % 4u];
    }
    x[row * shape.pixels + column] = Stored(pixel);
  }
}
