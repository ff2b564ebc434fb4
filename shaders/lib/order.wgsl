// lib/order.wgsl: which example of the data set is at a place of an epoch. The order is a bijection of [0, N): a
// Feistel network on the next even number of bits, applied until the result is in range (Black and Rogaway, "Ciphers
// with arbitrary finite domains", 2002). No index list is stored or uploaded. From the shader it uses
//   shape: count (N), half_bits (half of the network's bits)
#import lib/step
#import lib/random

override SHUFFLE: bool = false;

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
