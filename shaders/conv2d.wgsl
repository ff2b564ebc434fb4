// conv2d.wgsl: y[i, j] = act(sum over u, v of x[i s + u - p, j s + v - p] W[u, v] + b), its transpose, and the
// gradients of both with respect to x, W and b, as products of matrices whose rows are gathered pixels.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   W [KH, KW, CL, CS]      NHWC, f32; channels padded to 4 with zeros
// Schedule `direct`: operands go from storage to registers; 8x8 tiles. The transpose proceeds by phases of the stride,
// so that no zeros are inserted (Dumoulin and Visin 2016, section 4.6, with the zeros left out).
#import lib/conv2d_layer
#import lib/conv2d_narrow

override WORKGROUP_SIZE: u32 = 16u;
// The result has one vec4 of channels, like a decoder's last layer; its tiles are those of lib/conv2d_narrow.wgsl.
override NARROW: bool = false;

fn large_rows(at: vec4i, k: u32) -> mat4x4f {
  return mat4x4f(load_large(at.x, k), load_large(at.y, k), load_large(at.z, k), load_large(at.w, k));
}

fn small_rows(at: vec4i, k: u32) -> mat4x4f {
  return mat4x4f(load_small(at.x, k), load_small(at.y, k), load_small(at.z, k), load_small(at.w, k));
}

fn W_rows(at: u32, across: u32) -> mat4x4f {
  return mat4x4f(vec4f(W[at]), vec4f(W[at + across]), vec4f(W[at + 2u * across]), vec4f(W[at + 3u * across]));
}

// One invocation per 8 small pixels x 8 channels.
fn down_tiles(group: u32, invocation: u32) {
  if (NARROW) {
    down_narrow(group * WORKGROUP_SIZE + invocation);
    return;
  }
  let across = (shape.small_c + 1u) / 2u;
  let tile = group * WORKGROUP_SIZE + invocation;
  let row = tile / across * 8u;
  let column = tile % across * 2u;
  let column1 = min(column + 1u, shape.small_c - 1u);
  let rows = shape.batch * shape.small_h * shape.small_w;
  if (row >= rows) { return; }
  let r0 = min(vec4u(0u, 1u, 2u, 3u) + row, vec4u(rows - 1u));
  let r1 = min(vec4u(4u, 5u, 6u, 7u) + row, vec4u(rows - 1u));
  let image0 = r0 / (shape.small_h * shape.small_w);
  let image1 = r1 / (shape.small_h * shape.small_w);
  let y0 = vec4i(r0 / shape.small_w % shape.small_h * shape.stride_y) - i32(shape.pad_y);
  let y1 = vec4i(r1 / shape.small_w % shape.small_h * shape.stride_y) - i32(shape.pad_y);
  let x0 = vec4i(r0 % shape.small_w * shape.stride_x) - i32(shape.pad_x);
  let x1 = vec4i(r1 % shape.small_w * shape.stride_x) - i32(shape.pad_x);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  let size = large_size();
  let stride = shape.small_c;
  let kernel_w = shape.kernel_w;
  let end = 4u * shape.kernel_h * kernel_w * size.z * stride;
  // A single loop over taps and channels: on a software adapter, entering an inner loop costs as much as three
  // iterations.
  var tap = vec2u();
  var k = 0u;
  var at0 = pixel_at(size, image0, y0, x0);
  var at1 = pixel_at(size, image1, y1, x1);
  for (var row_at = 0u; row_at < end; row_at += 4u * stride) {
    let a0 = large_rows(at0, k);
    let a1 = large_rows(at1, k);
    let W0 = W_rows(row_at + column, stride);
    let W1 = W_rows(row_at + column1, stride);
    t00 += W0 * a0; t01 += W1 * a0; t10 += W0 * a1; t11 += W1 * a1;
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, kernel_w);
      at0 = pixel_at(size, image0, y0 + i32(tap.x), x0 + i32(tap.y));
      at1 = pixel_at(size, image1, y1 + i32(tap.x), x1 + i32(tap.y));
    }
  }
  // A copy, because a variable index forces an array into memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  let left = column_of(column, stride);
  let right = column_of(column + 1u, stride);
  for (var i = 0u; i < 8u && row + i < rows; i++) {
    store((row + i) * stride, left, tiles[i / 4u * 2u][i % 4u]);
    store((row + i) * stride, right, tiles[i / 4u * 2u + 1u][i % 4u]);
  }
}

// One invocation per 8 large pixels of a phase x 8 channels.
fn up_tiles(group: u32, invocation: u32) {
  let phase = phase_of(group);
  if (NARROW) {
    up_narrow(phase, phase.group * WORKGROUP_SIZE + invocation);
    return;
  }
  let across = (shape.large_c + 1u) / 2u;
  let tile = phase.group * WORKGROUP_SIZE + invocation;
  let row = tile / across * 8u;
  let column = tile % across * 2u;
  let column1 = min(column + 1u, shape.large_c - 1u);
  let pixels = phase.size.x * phase.size.y;
  let rows = shape.batch * pixels;
  if (row >= rows) { return; }
  let r0 = min(vec4u(0u, 1u, 2u, 3u) + row, vec4u(rows - 1u));
  let r1 = min(vec4u(4u, 5u, 6u, 7u) + row, vec4u(rows - 1u));
  let image0 = r0 / pixels;
  let image1 = r1 / pixels;
  let y0 = vec4i(r0 / phase.size.y % phase.size.x + phase.start.x);
  let y1 = vec4i(r1 / phase.size.y % phase.size.x + phase.start.x);
  let x0 = vec4i(r0 % phase.size.y + phase.start.y);
  let x1 = vec4i(r1 % phase.size.y + phase.start.y);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  let size = small_size();
  let kernel_w = shape.kernel_w;
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let rows_W = 4u * shape.large_c * size.z;
  let end = phase.taps.x * phase.taps.y * size.z;
  var tap = vec2u();
  var k = 0u;
  var at0 = pixel_at(size, image0, y0, x0);
  var at1 = pixel_at(size, image1, y1, x1);
  var first = W_tap(phase.tap, kernel_w) * rows_W;
  for (var i = 0u; i < end; i++) {
    let a0 = small_rows(at0, k);
    let a1 = small_rows(at1, k);
    let W0 = transpose(W_rows(first + 4u * column * size.z + k, size.z));
    let W1 = transpose(W_rows(first + 4u * column1 * size.z + k, size.z));
    t00 += W0 * a0; t01 += W1 * a0; t10 += W0 * a1; t11 += W1 * a1;
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, phase.taps.y);
      at0 = pixel_at(size, image0, y0 - i32(tap.x), x0 - i32(tap.y));
      at1 = pixel_at(size, image1, y1 - i32(tap.x), x1 - i32(tap.y));
      first = W_tap(phase.tap + tap * stride, kernel_w) * rows_W;
    }
  }
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  let whole = large_size();
  let left = column_of(column, whole.z);
  let right = column_of(column + 1u, whole.z);
  var pixel = phase_pixel(phase, row);
  for (var i = 0u; i < 8u && row + i < rows; i++) {
    let place = up_pixel(whole, stride, phase, pixel);
    store(place, left, tiles[i / 4u * 2u][i % 4u]);
    store(place, right, tiles[i / 4u * 2u + 1u][i % 4u]);
    pixel = next_pixel(phase, pixel);
  }
}

// One invocation per 8x8 tile of a part of dW: rows are (tap, large channel), columns small channels.
fn weight_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let across = (shape.small_c + 1u) / 2u;
  let vectors = shape.kernel_h * shape.kernel_w * shape.large_c;
  let down = (vectors + 1u) / 2u;
  let part = tile / (across * down);
  if (part >= shape.parts) { return; }
  let m = tile / across % down * 2u;
  let m1 = min(m + 1u, vectors - 1u);
  let column = tile % across * 2u;
  let column1 = min(column + 1u, shape.small_c - 1u);
  let tap0 = m / shape.large_c;
  let tap1 = m1 / shape.large_c;
  let u = vec2i(vec2u(tap0, tap1) / shape.kernel_w) - i32(shape.pad_y);
  let v = vec2i(vec2u(tap0, tap1) % shape.kernel_w) - i32(shape.pad_x);
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.batch * shape.small_h * shape.small_w);
  let size = large_size();
  let grid = small_size();
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let channel = vec2u(m, m1) % size.z;
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  for (var row = first; row < end; row += 4u) {
    let pixel = row + vec4u(0u, 1u, 2u, 3u);
    let counts = pixel < vec4u(end);
    let image = pixel / (grid.x * grid.y);
    let y = vec4i(pixel / grid.y % grid.x * stride.x);
    let x = vec4i(pixel % grid.y * stride.y);
    let at0 = select(vec4i(-1), pixel_at(size, image, y + u.x, x + v.x), counts);
    let at1 = select(vec4i(-1), pixel_at(size, image, y + u.y, x + v.y), counts);
    let a0 = transpose(large_rows(at0, channel.x));
    let a1 = transpose(large_rows(at1, channel.y));
    let at = select(vec4i(-1), vec4i(pixel * grid.z), counts);
    let b0 = small_rows(at, column);
    let b1 = small_rows(at, column1);
    t00 += b0 * a0; t01 += b1 * a0; t10 += b0 * a1; t11 += b1 * a1;
  }
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  for (var i = 0u; i < 16u; i++) {
    store_weight(part, 4u * m + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}
