// lib/conv2d_narrow.wgsl: the tiles of the schedule `direct` where the result has one vec4 of channels: 16 pixels x 4
// channels. From conv2d.wgsl it uses large_rows, small_rows and W_rows.
#import lib/conv2d_layer

// The result has one channel, so only the products with the first one count.
override SINGLE: bool = false;

// Sixteen pixels: their images, and their coordinates in the image being read, at the first tap.
struct Strip {
  image: array<vec4u, 4>,
  y: array<vec4i, 4>,
  x: array<vec4i, 4>,
}

// What a tap's four pixels add to four channels of four results: a column per channel.
fn channel_sums(weights: mat4x4f, pixels: mat4x4f) -> mat4x4f {
  return mat4x4f(weights[0] * pixels, weights[1] * pixels, weights[2] * pixels, weights[3] * pixels);
}

// One invocation per 16 small pixels x 4 channels.
fn down_narrow(tile: u32) {
  let row = tile * 16u;
  let rows = shape.batch * shape.small_h * shape.small_w;
  if (row >= rows) { return; }
  var strip: Strip;
  for (var i = 0u; i < 4u; i++) {
    let r = min(vec4u(0u, 1u, 2u, 3u) + row + 4u * i, vec4u(rows - 1u));
    strip.image[i] = r / (shape.small_h * shape.small_w);
    strip.y[i] = vec4i(r / shape.small_w % shape.small_h * shape.stride_y) - i32(shape.pad_y);
    strip.x[i] = vec4i(r % shape.small_w * shape.stride_x) - i32(shape.pad_x);
  }
  let size = large_size();
  let kernel_w = shape.kernel_w;
  let end = 4u * shape.kernel_h * kernel_w * size.z;
  var t0 = mat4x4f(); var t1 = mat4x4f(); var t2 = mat4x4f(); var t3 = mat4x4f();
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  var tap = vec2u();
  var k = 0u;
  var at0 = pixel_at(size, strip.image[0], strip.y[0], strip.x[0]);
  var at1 = pixel_at(size, strip.image[1], strip.y[1], strip.x[1]);
  var at2 = pixel_at(size, strip.image[2], strip.y[2], strip.x[2]);
  var at3 = pixel_at(size, strip.image[3], strip.y[3], strip.x[3]);
  for (var row_at = 0u; row_at < end; row_at += 4u) {
    let weights = transpose(W_rows(row_at, 1u));
    if (SINGLE) {
      s0 += weights[0] * large_rows(at0, k);
      s1 += weights[0] * large_rows(at1, k);
      s2 += weights[0] * large_rows(at2, k);
      s3 += weights[0] * large_rows(at3, k);
    } else {
      t0 += channel_sums(weights, large_rows(at0, k));
      t1 += channel_sums(weights, large_rows(at1, k));
      t2 += channel_sums(weights, large_rows(at2, k));
      t3 += channel_sums(weights, large_rows(at3, k));
    }
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, kernel_w);
      at0 = pixel_at(size, strip.image[0], strip.y[0] + i32(tap.x), strip.x[0] + i32(tap.y));
      at1 = pixel_at(size, strip.image[1], strip.y[1] + i32(tap.x), strip.x[1] + i32(tap.y));
      at2 = pixel_at(size, strip.image[2], strip.y[2] + i32(tap.x), strip.x[2] + i32(tap.y));
      at3 = pixel_at(size, strip.image[3], strip.y[3] + i32(tap.x), strip.x[3] + i32(tap.y));
    }
  }
  if (SINGLE) { t0[0] = s0; t1[0] = s1; t2[0] = s2; t3[0] = s3; }
  var tiles = array<mat4x4f, 4>(transpose(t0), transpose(t1), transpose(t2), transpose(t3));
  let column = column_of(0u, 1u);
  for (var i = 0u; i < 16u && row + i < rows; i++) { store(row + i, column, tiles[i / 4u][i % 4u]); }
}

// One invocation per 16 large pixels of a phase x 4 channels.
fn up_narrow(phase: Phase, tile: u32) {
  let row = tile * 16u;
  let pixels = phase.size.x * phase.size.y;
  let rows = shape.batch * pixels;
  if (row >= rows) { return; }
  var strip: Strip;
  for (var i = 0u; i < 4u; i++) {
    let r = min(vec4u(0u, 1u, 2u, 3u) + row + 4u * i, vec4u(rows - 1u));
    strip.image[i] = r / pixels;
    strip.y[i] = vec4i(r / phase.size.y % phase.size.x + phase.start.x);
    strip.x[i] = vec4i(r % phase.size.y + phase.start.y);
  }
  let size = small_size();
  let kernel_w = shape.kernel_w;
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let end = phase.taps.x * phase.taps.y * size.z;
  var t0 = mat4x4f(); var t1 = mat4x4f(); var t2 = mat4x4f(); var t3 = mat4x4f();
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  var tap = vec2u();
  var k = 0u;
  var at0 = pixel_at(size, strip.image[0], strip.y[0], strip.x[0]);
  var at1 = pixel_at(size, strip.image[1], strip.y[1], strip.x[1]);
  var at2 = pixel_at(size, strip.image[2], strip.y[2], strip.x[2]);
  var at3 = pixel_at(size, strip.image[3], strip.y[3], strip.x[3]);
  var first = 4u * W_tap(phase.tap, kernel_w) * size.z;
  for (var i = 0u; i < end; i++) {
    var weights = mat4x4f(vec4f(W[first + k]), vec4f(0.0), vec4f(0.0), vec4f(0.0));
    if (!SINGLE) { weights = W_rows(first + k, size.z); }
    if (SINGLE) {
      s0 += weights[0] * small_rows(at0, k);
      s1 += weights[0] * small_rows(at1, k);
      s2 += weights[0] * small_rows(at2, k);
      s3 += weights[0] * small_rows(at3, k);
    } else {
      t0 += channel_sums(weights, small_rows(at0, k));
      t1 += channel_sums(weights, small_rows(at1, k));
      t2 += channel_sums(weights, small_rows(at2, k));
      t3 += channel_sums(weights, small_rows(at3, k));
    }
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, phase.taps.y);
      at0 = pixel_at(size, strip.image[0], strip.y[0] - i32(tap.x), strip.x[0] - i32(tap.y));
      at1 = pixel_at(size, strip.image[1], strip.y[1] - i32(tap.x), strip.x[1] - i32(tap.y));
      at2 = pixel_at(size, strip.image[2], strip.y[2] - i32(tap.x), strip.x[2] - i32(tap.y));
      at3 = pixel_at(size, strip.image[3], strip.y[3] - i32(tap.x), strip.x[3] - i32(tap.y));
      first = 4u * W_tap(phase.tap + tap * stride, kernel_w) * size.z;
    }
  }
  if (SINGLE) { t0[0] = s0; t1[0] = s1; t2[0] = s2; t3[0] = s3; }
  var tiles = array<mat4x4f, 4>(transpose(t0), transpose(t1), transpose(t2), transpose(t3));
  let whole = large_size();
  let column = column_of(0u, 1u);
  var pixel = phase_pixel(phase, row);
  for (var i = 0u; i < 16u && row + i < rows; i++) {
    store(up_pixel(whole, stride, phase, pixel), column, tiles[i / 4u][i % 4u]);
    pixel = next_pixel(phase, pixel);
  }
}
