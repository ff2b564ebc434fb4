// lib/conv2d_result.wgsl: what a convolution, a transposed one and their input gradients do with their sums, for all
// schedules. From the shader it uses
//   shape: result_count (the result's channels, before padding), gradient, in_place
//   aside [C] the bias; in a gradient [B, H, W, C], from which the slope is computed   result, pre [B, H, W, C]
#import lib/activation
#import lib/stored

// Keep the value before the activation, for activations whose slope needs it.
override KEEP_PRE: bool = false;

// What a vec4 column of the result needs besides its sums: the bias, and which of its channels are not padding.
struct Column {
  index: u32,
  exists: bool,
  bias: vec4f,
  counts: vec4<bool>,
  gradient: bool,
  in_place: bool,
}

fn column_of(index: u32, channels: u32) -> Column {
  let exists = index < channels;
  let counts = vec4u(0u, 1u, 2u, 3u) + 4u * index < vec4u(shape.result_count);
  let gradient = shape.gradient != 0u;
  let bias = select(vec4f(aside[min(index, channels - 1u)]), vec4f(0.0), gradient);
  return Column(index, exists, bias, counts, gradient, shape.in_place != 0u);
}

// Stores a vec4 of the pixel whose channels begin at `first`; the padding stays zero whatever act(0) is.
fn store(first: u32, column: Column, product: vec4f) {
  if (!column.exists) { return; }
  let at = first + column.index;
  if (column.gradient) {
    var kept = vec4f(0.0);
    if (column.in_place) { kept = vec4f(result[at]); } else { kept = vec4f(aside[at]); }
    result[at] = Stored(product * activation_slope(kept));
  } else {
    let sum = product + column.bias;
    if (KEEP_PRE) { pre[at] = Stored(sum); }
    result[at] = Stored(select(vec4f(0.0), activate(sum), column.counts));
  }
}
