// conv2d.subgroups.wgsl: y[i, j] = act(sum over u, v of x[i s + u - p, j s + v - p] W[u, v] + b), its transpose, and
// the gradients of both with respect to x, W and b.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   W [KH, KW, CL, CS]      NHWC, f32; channels padded to 4 with zeros
// Schedule `subgroups`: like `direct`, with tiles of 24x8, or 24x16 if there are enough channels, and the four lanes of
// a quad side by side along the channels: they need the same pixels, so each loads one of every four and the others
// get it by quadBroadcast. Loads are the main cost on a software adapter; a wide tile takes 22 of them per 1536
// products, the direct schedule 96.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/conv2d_layer
#import lib/conv2d_quad_weights

override WORKGROUP_SIZE: u32 = 16u;
// The large image has one channel, like a grey picture, so three of every four products with it would be with zeros.
override SINGLE: bool = false;
// Tiles have 16 columns, not 8.
override WIDE: bool = false;

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

// The quad's position in a result of `channels` vec4, and this lane's first column in it.
struct Place {
  row: u32,
  column: u32,
}

fn place_of(tile: u32, channels: u32) -> Place {
  let columns = select(2u, 4u, WIDE);
  let across = (channels + 4u * columns - 1u) / (4u * columns);
  return Place(tile / 4u / across * 24u, (tile / 4u % across * 4u + (tile & 3u)) * columns);
}

fn W_rows(at: u32, across: u32) -> mat4x4f {
  return mat4x4f(vec4f(W[at]), vec4f(W[at + across]), vec4f(W[at + 2u * across]), vec4f(W[at + 3u * across]));
}

// One invocation per 24 small pixels x 8 or 16 channels, one quad per 24x32 or 24x64.
fn down_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let place = place_of(tile, shape.small_c);
  let column = place.column;
  let c = min(vec4u(0u, 1u, 2u, 3u) + column, vec4u(shape.small_c - 1u));
  let rows = shape.batch * shape.small_h * shape.small_w;
  // The six pixels that this lane loads.
  let r_near = min(vec4u(0u, 4u, 8u, 12u) + place.row + (tile & 3u), vec4u(rows - 1u));
  let r_far = min(vec4u(16u, 20u, 20u, 20u) + place.row + (tile & 3u), vec4u(rows - 1u));
  let pixels = shape.small_h * shape.small_w;
  let y_near = vec4i(r_near / shape.small_w % shape.small_h * shape.stride_y) - i32(shape.pad_y);
  let x_near = vec4i(r_near % shape.small_w * shape.stride_x) - i32(shape.pad_x);
  let y_far = vec4i(r_far / shape.small_w % shape.small_h * shape.stride_y) - i32(shape.pad_y);
  let x_far = vec4i(r_far % shape.small_w * shape.stride_x) - i32(shape.pad_x);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  var t40 = mat4x4f(); var t41 = mat4x4f(); var t42 = mat4x4f(); var t43 = mat4x4f();
  var t50 = mat4x4f(); var t51 = mat4x4f(); var t52 = mat4x4f(); var t53 = mat4x4f();
  let size = large_size();
  let stride = shape.small_c;
  let kernel_w = shape.kernel_w;
  let end = 4u * shape.kernel_h * kernel_w * size.z * stride;
  // A single loop over taps and channels: on a software adapter, entering an inner loop costs as much as three
  // iterations.
  var tap = vec2u();
  var k = 0u;
  var near = pixel_at(size, r_near / pixels, y_near, x_near);
  var far = pixel_at(size, r_far / pixels, y_far, x_far);
  for (var row_at = 0u; row_at < end; row_at += 4u * stride) {
    if (SINGLE) {
      let w0 = vec4f(W[row_at + c.x]);
      let w1 = vec4f(W[row_at + c.y]);
      let a0 = quad_values(load_large(near.x, 0u).x);
      t00 += products(w0, a0); t01 += products(w1, a0);
      let a1 = quad_values(load_large(near.y, 0u).x);
      t10 += products(w0, a1); t11 += products(w1, a1);
      let a2 = quad_values(load_large(near.z, 0u).x);
      t20 += products(w0, a2); t21 += products(w1, a2);
      let a3 = quad_values(load_large(near.w, 0u).x);
      t30 += products(w0, a3); t31 += products(w1, a3);
      let a4 = quad_values(load_large(far.x, 0u).x);
      t40 += products(w0, a4); t41 += products(w1, a4);
      let a5 = quad_values(load_large(far.y, 0u).x);
      t50 += products(w0, a5); t51 += products(w1, a5);
      if (WIDE) {
        let w2 = vec4f(W[row_at + c.z]);
        let w3 = vec4f(W[row_at + c.w]);
        t02 += products(w2, a0); t03 += products(w3, a0);
        t12 += products(w2, a1); t13 += products(w3, a1);
        t22 += products(w2, a2); t23 += products(w3, a2);
        t32 += products(w2, a3); t33 += products(w3, a3);
        t42 += products(w2, a4); t43 += products(w3, a4);
        t52 += products(w2, a5); t53 += products(w3, a5);
      }
      tap = next_tap(tap, kernel_w);
      near = pixel_at(size, r_near / pixels, y_near + i32(tap.x), x_near + i32(tap.y));
      far = pixel_at(size, r_far / pixels, y_far + i32(tap.x), x_far + i32(tap.y));
      continue;
    }
    let W0 = W_rows(row_at + c.x, stride);
    let W1 = W_rows(row_at + c.y, stride);
    let a0 = quad_rows(load_large(near.x, k));
    t00 += W0 * a0; t01 += W1 * a0;
    let a1 = quad_rows(load_large(near.y, k));
    t10 += W0 * a1; t11 += W1 * a1;
    let a2 = quad_rows(load_large(near.z, k));
    t20 += W0 * a2; t21 += W1 * a2;
    let a3 = quad_rows(load_large(near.w, k));
    t30 += W0 * a3; t31 += W1 * a3;
    let a4 = quad_rows(load_large(far.x, k));
    t40 += W0 * a4; t41 += W1 * a4;
    let a5 = quad_rows(load_large(far.y, k));
    t50 += W0 * a5; t51 += W1 * a5;
    if (WIDE) {
      let W2 = W_rows(row_at + c.z, stride);
      let W3 = W_rows(row_at + c.w, stride);
      t02 += W2 * a0; t03 += W3 * a0;
      t12 += W2 * a1; t13 += W3 * a1;
      t22 += W2 * a2; t23 += W3 * a2;
      t32 += W2 * a3; t33 += W3 * a3;
      t42 += W2 * a4; t43 += W3 * a4;
      t52 += W2 * a5; t53 += W3 * a5;
    }
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, kernel_w);
      near = pixel_at(size, r_near / pixels, y_near + i32(tap.x), x_near + i32(tap.y));
      far = pixel_at(size, r_far / pixels, y_far + i32(tap.x), x_far + i32(tap.y));
    }
  }
  // A copy, because a variable index forces an array into memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 24>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33,
    t40, t41, t42, t43, t50, t51, t52, t53);
  for (var j = 0u; j < select(2u, 4u, WIDE); j++) {
    let values = column_of(column + j, stride);
    for (var i = 0u; i < 24u && place.row + i < rows; i++) {
      store((place.row + i) * stride, values, tiles[i / 4u * 4u + j][i % 4u]);
    }
  }
}

// One invocation per 24 large pixels of a phase x 8 or 16 channels. A workgroup belongs to one phase.
fn up_tiles(group: u32, invocation: u32) {
  let phase = phase_of(group);
  let tile = phase.group * WORKGROUP_SIZE + invocation;
  let place = place_of(tile, shape.large_c);
  let column = place.column;
  let c = 4u * min(vec4u(0u, 1u, 2u, 3u) + column, vec4u(shape.large_c - 1u));
  let pixels = phase.size.x * phase.size.y;
  let rows = shape.batch * pixels;
  let r_near = min(vec4u(0u, 4u, 8u, 12u) + place.row + (tile & 3u), vec4u(rows - 1u));
  let r_far = min(vec4u(16u, 20u, 20u, 20u) + place.row + (tile & 3u), vec4u(rows - 1u));
  let y_near = vec4i(r_near / phase.size.y % phase.size.x + phase.start.x);
  let x_near = vec4i(r_near % phase.size.y + phase.start.y);
  let y_far = vec4i(r_far / phase.size.y % phase.size.x + phase.start.x);
  let x_far = vec4i(r_far % phase.size.y + phase.start.y);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  var t40 = mat4x4f(); var t41 = mat4x4f(); var t42 = mat4x4f(); var t43 = mat4x4f();
  var t50 = mat4x4f(); var t51 = mat4x4f(); var t52 = mat4x4f(); var t53 = mat4x4f();
  let size = small_size();
  let kernel_w = shape.kernel_w;
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let rows_W = 4u * shape.large_c * size.z;
  let end = phase.taps.x * phase.taps.y * size.z;
  var tap = vec2u();
  var k = 0u;
  var near = pixel_at(size, r_near / pixels, y_near, x_near);
  var far = pixel_at(size, r_far / pixels, y_far, x_far);
  var first = W_tap(phase.tap, kernel_w) * rows_W;
  for (var i = 0u; i < end; i++) {
    let at = first + c * size.z + k;
    let W0 = transpose(W_rows(at.x, size.z));
    let W1 = transpose(W_rows(at.y, size.z));
    let a0 = quad_rows(load_small(near.x, k));
    t00 += W0 * a0; t01 += W1 * a0;
    let a1 = quad_rows(load_small(near.y, k));
    t10 += W0 * a1; t11 += W1 * a1;
    let a2 = quad_rows(load_small(near.z, k));
    t20 += W0 * a2; t21 += W1 * a2;
    let a3 = quad_rows(load_small(near.w, k));
    t30 += W0 * a3; t31 += W1 * a3;
    let a4 = quad_rows(load_small(far.x, k));
    t40 += W0 * a4; t41 += W1 * a4;
    let a5 = quad_rows(load_small(far.y, k));
    t50 += W0 * a5; t51 += W1 * a5;
    if (WIDE) {
      let W2 = transpose(W_rows(at.z, size.z));
      let W3 = transpose(W_rows(at.w, size.z));
      t02 += W2 * a0; t03 += W3 * a0;
      t12 += W2 * a1; t13 += W3 * a1;
      t22 += W2 * a2; t23 += W3 * a2;
      t32 += W2 * a3; t33 += W3 * a3;
      t42 += W2 * a4; t43 += W3 * a4;
      t52 += W2 * a5; t53 += W3 * a5;
    }
    k++;
    if (k == size.z) {
      k = 0u;
      tap = next_tap(tap, phase.taps.y);
      near = pixel_at(size, r_near / pixels, y_near - i32(tap.x), x_near - i32(tap.y));
      far = pixel_at(size, r_far / pixels, y_far - i32(tap.x), x_far - i32(tap.y));
      first = W_tap(phase.tap + tap * stride, kernel_w) * rows_W;
    }
  }
  var tiles = array<mat4x4f, 24>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33,
    t40, t41, t42, t43, t50, t51, t52, t53);
  let whole = large_size();
  for (var j = 0u; j < select(2u, 4u, WIDE); j++) {
    let values = column_of(column + j, whole.z);
    var pixel = phase_pixel(phase, place.row);
    for (var i = 0u; i < 24u && place.row + i < rows; i++) {
      store(up_pixel(whole, stride, phase, pixel), values, tiles[i / 4u * 4u + j][i % 4u]);
      pixel = next_pixel(phase, pixel);
    }
  }
}
