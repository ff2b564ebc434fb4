// conv2d.tiled.wgsl: y[i, j] = act(sum over u, v of x[i s + u - p, j s + v - p] W[u, v] + b), its transpose, and the
// gradients of both with respect to x, W and b.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   W [KH, KW, CL, CS]      NHWC, f32; channels padded to 4 with zeros
// Schedule `tiled`: a workgroup of 64 makes a 32x32 tile, 4x4 an invocation, and brings both operands 16 deep through
// workgroup memory. The reduction runs over (tap, channel) as one axis, so that few channels fill a tile too.
#import lib/conv2d_layer
#import lib/tiles

override WORKGROUP_SIZE: u32 = 64u;

fn load_W(row: u32, rows: u32, column: u32) -> vec4f {
  let value = vec4f(W[min(row, rows - 1u) * shape.small_c + min(column, shape.small_c - 1u)]);
  return select(vec4f(0.0), value, row < rows && column < shape.small_c);
}

// One workgroup per 32 small pixels x 32 channels.
fn down_tiles(tile: u32, lane: u32) {
  let across = (shape.small_c + VECTORS - 1u) / VECTORS;
  let row = tile / across * TILE;
  let column = tile % across * VECTORS;
  let rows = shape.batch * shape.small_h * shape.small_w;
  let depth = shape.kernel_h * shape.kernel_w * shape.large_c;
  let ty = lane / VECTORS;
  let tx = lane % VECTORS;
  var sum = mat4x4f();
  for (var k = 0u; k < depth; k += DEPTH) {
    for (var i = lane; i < TILE * DEPTH; i += WORKGROUP_SIZE) {
      let pixel = min(row + i / DEPTH, rows - 1u);
      let at = k + i % DEPTH;
      let tap = at / shape.large_c;
      let y = i32(pixel / shape.small_w % shape.small_h * shape.stride_y + tap / shape.kernel_w) - i32(shape.pad_y);
      let x = i32(pixel % shape.small_w * shape.stride_x + tap % shape.kernel_w) - i32(shape.pad_x);
      let place = pixel_at(large_size(), vec4u(pixel / (shape.small_h * shape.small_w)), vec4i(y), vec4i(x)).x;
      left[by_rows(i)] = load_large(select(-1, place, at < depth), at % shape.large_c);
      right[i] = load_W(4u * k + i / VECTORS, 4u * depth, column + i % VECTORS);
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) { sum += right_columns(4u * d, tx) * left_rows(4u * ty, d); }
    workgroupBarrier();
  }
  var made = sum;
  let stored = column_of(column + tx, shape.small_c);
  for (var i = 0u; i < 4u; i++) {
    let pixel = row + 4u * ty + i;
    if (pixel < rows) { store(pixel * shape.small_c, stored, made[i]); }
  }
}

// One workgroup per 32 large pixels of a phase x 32 channels.
fn up_tiles(group: u32, lane: u32) {
  let phase = phase_of(group);
  let tile = phase.group;
  let across = (shape.large_c + VECTORS - 1u) / VECTORS;
  let row = tile / across * TILE;
  let column = tile % across * VECTORS;
  let pixels = phase.size.x * phase.size.y;
  let rows = shape.batch * pixels;
  let depth = phase.taps.x * phase.taps.y * shape.small_c;
  let ty = lane / VECTORS;
  let tx = lane % VECTORS;
  var sum = mat4x4f();
  for (var k = 0u; k < depth; k += DEPTH) {
    for (var i = lane; i < TILE * DEPTH; i += WORKGROUP_SIZE) {
      let at = k + i % DEPTH;
      let tap = at / shape.small_c;
      let u = tap / phase.taps.y;
      let v = tap % phase.taps.y;
      let index = min(row + i / DEPTH, max(rows, 1u) - 1u);
      let y = i32(index / phase.size.y % phase.size.x + phase.start.x) - i32(u);
      let x = i32(index % phase.size.y + phase.start.y) - i32(v);
      let place = pixel_at(small_size(), vec4u(index / pixels), vec4i(y), vec4i(x)).x;
      left[by_rows(i)] = load_small(select(-1, place, at < depth), at % shape.small_c);
      let kernel = (phase.tap.x + u * shape.stride_y) * shape.kernel_w + phase.tap.y + v * shape.stride_x;
      let channel = 4u * column + i / DEPTH;
      let inside = at < depth && channel < 4u * shape.large_c;
      let W_row = select(0xffffffffu, 4u * kernel * shape.large_c + channel, inside);
      right[by_rows(i)] = load_W(W_row, 4u * shape.kernel_h * shape.kernel_w * shape.large_c, at % shape.small_c);
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) { sum += transpose(right_rows(4u * tx, d)) * left_rows(4u * ty, d); }
    workgroupBarrier();
  }
  var made = sum;
  let whole = large_size();
  let stride = vec2u(shape.stride_y, shape.stride_x);
  let stored = column_of(column + tx, whole.z);
  for (var i = 0u; i < 4u; i++) {
    let index = row + 4u * ty + i;
    if (index < rows) { store(up_pixel(whole, stride, phase, phase_pixel(phase, index)), stored, made[i]); }
  }
}

// One workgroup per 32x32 tile of a part of dW: rows are (tap, large channel), columns small channels.
fn weight_tiles(tile: u32, lane: u32) {
  let across = (shape.small_c + VECTORS - 1u) / VECTORS;
  let vectors = shape.kernel_h * shape.kernel_w * shape.large_c;
  let down = (vectors + VECTORS - 1u) / VECTORS;
  let part = tile / (across * down);
  let m = tile / across % down * VECTORS;
  let column = tile % across * VECTORS;
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.batch * shape.small_h * shape.small_w);
  let ty = lane / VECTORS;
  let tx = lane % VECTORS;
  var sum = mat4x4f();
  for (var row = first; row < end; row += 4u * DEPTH) {
    for (var i = lane; i < 4u * DEPTH * VECTORS; i += WORKGROUP_SIZE) {
      let pixel = row + i / VECTORS;
      let vector = m + i % VECTORS;
      let tap = vector / shape.large_c;
      let y = i32(pixel / shape.small_w % shape.small_h * shape.stride_y + tap / shape.kernel_w) - i32(shape.pad_y);
      let x = i32(pixel % shape.small_w * shape.stride_x + tap % shape.kernel_w) - i32(shape.pad_x);
      let place = pixel_at(large_size(), vec4u(pixel / (shape.small_h * shape.small_w)), vec4i(y), vec4i(x)).x;
      left[i] = load_large(select(-1, place, pixel < end && vector < vectors), vector % shape.large_c);
      let channel = column + i % VECTORS;
      right[i] = load_small(select(-1, i32(pixel * shape.small_c), pixel < end), min(channel, shape.small_c - 1u));
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) { sum += right_columns(4u * d, tx) * transpose(left_columns(4u * d, ty)); }
    workgroupBarrier();
  }
  var made = sum;
  for (var i = 0u; i < 4u; i++) { store_weight(part, 4u * (m + ty) + i, column + tx, made[i]); }
}
