// conv2d.subgroups.wgsl: y[i, j] = act(sum over u, v of x[i s + u - p, j s + v - p] W[u, v] + b), its transpose, and
// the gradients of both with respect to x, W and b.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   W [KH, KW, CL, CS]      NHWC, f32; channels padded to 4 with zeros
// Schedule `subgroups`: as `direct`, with 12x8 tiles, and the four lanes of a quad lie side by side along the
// channels: they need the same pixels, so each loads one of every four and the others get it by quadBroadcast. Loads
// are what costs on a software adapter; this takes 11 of them per 384 products, not 20.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/conv2d_layer

override WORKGROUP_SIZE: u32 = 16u;
// The large image has one channel, as a grey picture: three of four products with it would be with zeros.
override SINGLE: bool = false;

// Four pixels from the four lanes of the quad, as the columns of a matrix.
fn quad_rows(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

fn quad_values(mine: f32) -> vec4f {
  return vec4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

fn products(w: vec4f, a: vec4f) -> mat4x4f {
  return mat4x4f(w * a.x, w * a.y, w * a.z, w * a.w);
}

fn W_rows(at: u32, across: u32) -> mat4x4f {
  return mat4x4f(vec4f(W[at]), vec4f(W[at + across]), vec4f(W[at + 2u * across]), vec4f(W[at + 3u * across]));
}

// One invocation per 12 small pixels x 8 channels, one quad per 12x32.
fn down_tiles(group: u32, invocation: u32) {
  let across = (shape.small_c + 7u) / 8u;
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let row = tile / 4u / across * 12u;
  let column = (tile / 4u % across * 4u + lane) * 2u;
  let c0 = min(column, shape.small_c - 1u);
  let c1 = min(column + 1u, shape.small_c - 1u);
  let rows = shape.batch * shape.small_h * shape.small_w;
  // The three pixels that this lane loads; the fourth is not used.
  let r = min(vec4u(0u, 4u, 8u, 8u) + row + lane, vec4u(rows - 1u));
  let image = r / (shape.small_h * shape.small_w);
  let y = vec4i(r / shape.small_w % shape.small_h * shape.stride_y) - i32(shape.pad_y);
  let x = vec4i(r % shape.small_w * shape.stride_x) - i32(shape.pad_x);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f();
  let size = large_size();
  let stride = shape.small_c;
  let kernel_w = shape.kernel_w;
  let end = 4u * shape.kernel_h * kernel_w * size.z * stride;
  // One loop over taps and channels: on a software adapter to enter an inner loop costs as much as three of its turns.
  var tap = vec2u();
  var k = 0u;
  var at = pixel_at(size, image, y, x);
  for (var row_at = 0u; row_at < end; row_at += 4u * stride) {
    if (SINGLE) {
      let w0 = vec4f(W[row_at + c0]);
      let w1 = vec4f(W[row_at + c1]);
      let a0 = quad_values(load_large(at.x, 0u).x);
      t00 += products(w0, a0); t01 += products(w1, a0);
      let a1 = quad_values(load_large(at.y, 0u).x);
      t10 += products(w0, a1); t11 += products(w1, a1);
      let a2 = quad_values(load_large(at.z, 0u).x);
      t20 += products(w0, a2); t21 += products(w1, a2);
      tap = next_tap(tap, kernel_w);
      at = pixel_at(size, image, y + i32(tap.x), x + i32(tap.y));
      continue;
    }
    let W0 = W_rows(row_at + c0, stride);
    let W1 = W_rows(row_at + c1, stride);
    let a0 = quad_rows(load_large(at.x, k));
    t00 += W0 * a0; t01 += W1 * a0;
    let a1 = quad_rows(load_large(at.y, k));
    t10 += W0 * a1; t11 += W1 * a1;
    let a2 = quad_rows(load_large(at.z, k));
    t20 += W0 * a2; t21 += W1 * a2;
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, kernel_w);
      at = pixel_at(size, image, y + i32(tap.x), x + i32(tap.y));
    }
  }
  // A copy: an index that varies puts what it indexes in memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 6>(t00, t01, t10, t11, t20, t21);
  let left = column_of(column, stride);
  let right = column_of(column + 1u, stride);
  for (var i = 0u; i < 12u && row + i < rows; i++) {
    store((row + i) * stride, left, tiles[i / 4u * 2u][i % 4u]);
    store((row + i) * stride, right, tiles[i / 4u * 2u + 1u][i % 4u]);
  }
}

// One invocation per 12 large pixels of a phase x 8 channels. A workgroup lies in one phase.
fn up_tiles(group: u32, invocation: u32) {
  let phase = phase_of(group / shape.phase_groups);
  let across = (shape.large_c + 7u) / 8u;
  let tile = group % shape.phase_groups * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let row = tile / 4u / across * 12u;
  let column = (tile / 4u % across * 4u + lane) * 2u;
  let c0 = 4u * min(column, shape.large_c - 1u);
  let c1 = 4u * min(column + 1u, shape.large_c - 1u);
  let pixels = phase.size.x * phase.size.y;
  let rows = shape.batch * pixels;
  let r = min(vec4u(0u, 4u, 8u, 8u) + row + lane, vec4u(rows - 1u));
  let image = r / pixels;
  let y = vec4i(r / phase.size.y % phase.size.x + phase.start.x);
  let x = vec4i(r % phase.size.y + phase.start.y);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f();
  let size = small_size();
  let kernel_w = shape.kernel_w;
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let rows_W = 4u * shape.large_c * size.z;
  let end = phase.taps.x * phase.taps.y * size.z;
  var tap = vec2u();
  var k = 0u;
  var at = pixel_at(size, image, y, x);
  var first = W_tap(phase.tap, kernel_w) * rows_W;
  for (var i = 0u; i < end; i++) {
    let W0 = transpose(W_rows(first + c0 * size.z + k, size.z));
    let W1 = transpose(W_rows(first + c1 * size.z + k, size.z));
    let a0 = quad_rows(load_small(at.x, k));
    t00 += W0 * a0; t01 += W1 * a0;
    let a1 = quad_rows(load_small(at.y, k));
    t10 += W0 * a1; t11 += W1 * a1;
    let a2 = quad_rows(load_small(at.z, k));
    t20 += W0 * a2; t21 += W1 * a2;
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, phase.taps.y);
      at = pixel_at(size, image, y - i32(tap.x), x - i32(tap.y));
      first = W_tap(phase.tap + tap * stride, kernel_w) * rows_W;
    }
  }
  var tiles = array<mat4x4f, 6>(t00, t01, t10, t11, t20, t21);
  let whole = large_size();
  let left = column_of(column, whole.z);
  let right = column_of(column + 1u, whole.z);
  var pixel = phase_pixel(phase, row);
  for (var i = 0u; i < 12u && row + i < rows; i++) {
    let place = up_pixel(whole, stride, phase, pixel);
    store(place, left, tiles[i / 4u * 2u][i % 4u]);
    store(place, right, tiles[i / 4u * 2u + 1u][i % 4u]);
    pixel = next_pixel(phase, pixel);
  }
}

// Four rows of dW, each with a tap and a vec4 of channels: how far from a pixel they lie. Taps past the last are not
// stored.
struct Taps {
  y: vec4i,
  x: vec4i,
  offset: vec4i,
}

fn taps_of(rows: vec4u, size: vec3u) -> Taps {
  let y = vec4i(rows / size.z / shape.kernel_w) - i32(shape.pad_y);
  let x = vec4i(rows / size.z % shape.kernel_w) - i32(shape.pad_x);
  return Taps(y, x, (y * i32(size.y) + x) * i32(size.z) + vec4i(rows % size.z));
}

// Where the values of four taps lie for the pixel at (y, x), which lies at `place`; -1 outside of the image.
fn at_taps(taps: Taps, size: vec3u, y: i32, x: i32, place: i32) -> vec4i {
  let inside = (vec4u(taps.y + y) < vec4u(size.x)) & (vec4u(taps.x + x) < vec4u(size.y));
  return select(vec4i(-1), taps.offset + place, inside);
}

// The only channel of four pixels.
fn large_values(at: vec4i) -> vec4f {
  return vec4f(load_large(at.x, 0u).x, load_large(at.y, 0u).x, load_large(at.z, 0u).x, load_large(at.w, 0u).x);
}

fn small_rows(at: u32, across: u32) -> mat4x4f {
  return mat4x4f(vec4f(small[at]), vec4f(small[at + across]),
                 vec4f(small[at + 2u * across]), vec4f(small[at + 3u * across]));
}

// One invocation per 12x8 tile of a part of dW: rows are (tap, large channel), columns small channels.
fn weight_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let across = (shape.small_c + 7u) / 8u;
  let taps = shape.kernel_h * shape.kernel_w;
  let vectors = taps * shape.large_c;
  let down = select((vectors + 2u) / 3u, (taps + 11u) / 12u, SINGLE);
  let part = tile / 4u / (across * down);
  let m = tile / 4u / across % down * select(3u, 12u, SINGLE);
  let column = (tile / 4u % across * 4u + lane) * 2u;
  let c0 = min(column, shape.small_c - 1u);
  let c1 = min(column + 1u, shape.small_c - 1u);
  // The three vec4 of rows: each has a tap and a channel of its own. Of a single channel each holds four taps.
  let rows = min(vec4u(0u, 1u, 2u, select(2u, 3u, SINGLE)) + m, vec4u(vectors - 1u));
  let size = large_size();
  let taps0 = taps_of(rows, size);
  let taps1 = taps_of(rows + 4u, size);
  let taps2 = taps_of(rows + 8u, size);
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.batch * shape.small_h * shape.small_w);
  let grid = small_size();
  let stride = vec2u(shape.stride_y, shape.stride_x);
  // The pixel that this lane loads of every four; four pixels on are found with carries instead of divisions.
  var image = (first + lane) / (grid.x * grid.y);
  var y = (first + lane) / grid.y % grid.x;
  var x = (first + lane) % grid.y;
  let next = vec3u(4u / grid.y / grid.x, 4u / grid.y % grid.x, 4u % grid.y);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f();
  for (var row = first; row < end; row += 4u) {
    let y0 = i32(y * stride.x);
    let x0 = i32(x * stride.y);
    // A pixel past the end has no tap inside, so that what the small image is read for there counts for nothing.
    let place = i32((image * size.x + y * stride.x) * size.y + x * stride.y) * i32(size.z);
    let y_or_none = select(-0x40000000, y0, row + lane < end);
    let at = at_taps(taps0, size, y_or_none, x0, place);
    let b0 = small_rows(row * grid.z + c0, grid.z);
    let b1 = small_rows(row * grid.z + c1, grid.z);
    var a0: vec4f; var a1: vec4f; var a2: vec4f;
    if (SINGLE) {
      a0 = large_values(at);
      a1 = large_values(at_taps(taps1, size, y_or_none, x0, place));
      a2 = large_values(at_taps(taps2, size, y_or_none, x0, place));
    } else {
      a0 = load_large(at.x, 0u);
      a1 = load_large(at.y, 0u);
      a2 = load_large(at.z, 0u);
    }
    let A0 = transpose(quad_rows(a0));
    t00 += b0 * A0; t01 += b1 * A0;
    let A1 = transpose(quad_rows(a1));
    t10 += b0 * A1; t11 += b1 * A1;
    let A2 = transpose(quad_rows(a2));
    t20 += b0 * A2; t21 += b1 * A2;
    x += next.z;
    y += next.y + select(0u, 1u, x >= grid.y);
    x -= select(0u, grid.y, x >= grid.y);
    image += next.x + select(0u, 1u, y >= grid.x);
    y -= select(0u, grid.x, y >= grid.x);
  }
  if (part >= shape.parts) { return; }
  var tiles = array<mat4x4f, 6>(t00, t01, t10, t11, t20, t21);
  for (var i = 0u; i < 24u; i++) {
    let row = i / 8u * 4u + i % 4u;
    let value = tiles[i / 4u][i % 4u];
    if (!SINGLE) {
      store_weight(part, 4u * m + row, column + i / 4u % 2u, value);
      continue;
    }
    for (var j = 0u; j < 4u; j++) {
      store_weight(part, 4u * (m + row) + j, column + i / 4u % 2u, select(vec4f(0.0), value, j == 0u));
    }
  }
}
