// gather.wgsl: x[b] = data[order(first + b)], a batch from the data set on the GPU, in an order shuffled per epoch.
//   data [N, D] (bytes, or f32)   x [B, D]      padded to 4 with zeros; a byte stands for byte / 255
// order is a bijection of [0, N): a Feistel network on the next even number of bits, applied until the result is in
// range (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). No index list is stored or uploaded.
#import lib/step
#import lib/random
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
override SHUFFLE: bool = false;
override BINARISE: bool = false;
// x is an image with padded channels, but the data is not padded.
override PAD_PIXELS: bool = false;

const SEGMENT = 16u;
const ROUNDS = 8u;

// The finalizer of MurmurHash3 (Appleby): every input bit changes every output bit.
fn mix(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

fn order(place: u32) -> u32 {
  if (!SHUFFLE) { return place; }
  let keys = philox4x32(vec4u(step.epoch, 0u, STREAM_SHUFFLE, 0u), vec2u(step.seed_low, step.seed_high));
  let mask = (1u << shape.half_bits) - 1u;
  var index = place;
  loop {
    var left = index >> shape.half_bits;
    var right = index & mask;
    for (var round = 0u; round < ROUNDS; round++) {
      let turned = left ^ (mix(right ^ (keys[round & 3u] + round * 0x9e3779b9u)) & mask);
      left = right;
      right = turned;
    }
    index = (left << shape.half_bits) | right;
    if (index < shape.count) { break; }
  }
  return index;
}

// The example for a row of x. Beyond the data's end it starts over: those rows are ignored later, or the data is a part
// of a larger set at first_row, which is a multiple of its length.
fn example(row: u32) -> u32 {
  return order((step.first_row + row) % shape.count);
}

// Four bytes as values of x: byte / 255, or 1 with that probability, which is exact in integers on every device.
fn value_of(at: u32) -> vec4f {
  let four = (vec4u(bytes[at]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
  if (!BINARISE) { return vec4f(four) / 255.0; }
  let r = philox4x32(vec4u(at, step.step, at_site(STREAM_BINARISE), step.sample), vec2u(step.seed_low, step.seed_high));
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
