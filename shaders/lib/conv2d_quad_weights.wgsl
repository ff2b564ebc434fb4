// lib/conv2d_quad_weights.wgsl: dW of a convolution in the schedule `subgroups`, whose constants and quads it uses.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   dW [parts, KH, KW, CL, CS]
// Four rows of dW, each with a tap and a vec4 of channels: their distances from a pixel. Taps beyond the last are not
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

// The indices of four taps' values for the pixel at (y, x), whose index is `place`; -1 outside the image.
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

// One invocation per tile of a part of dW, 24x8 or 24x16: rows are (tap, large channel), columns small channels.
fn weight_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let columns = select(2u, 4u, WIDE);
  let across = (shape.small_c + 4u * columns - 1u) / (4u * columns);
  let taps = shape.kernel_h * shape.kernel_w;
  let vectors = taps * shape.large_c;
  // For a single channel, each vec4 of rows covers four taps, and a tile 12.
  let down = select((vectors + 5u) / 6u, (taps + 11u) / 12u, SINGLE);
  let part = tile / 4u / (across * down);
  let m = tile / 4u / across % down * select(6u, 12u, SINGLE);
  let column = (tile / 4u % across * 4u + lane) * columns;
  let c = min(vec4u(0u, 1u, 2u, 3u) + column, vec4u(shape.small_c - 1u));
  let size = large_size();
  let last = vec4u(vectors - 1u);
  let near = taps_of(min(vec4u(0u, 1u, 2u, 3u) + m, last), size);
  let far = taps_of(min(vec4u(4u, 5u, select(5u, 6u, SINGLE), select(5u, 7u, SINGLE)) + m, last), size);
  let farthest = taps_of(min(vec4u(8u, 9u, 10u, 11u) + m, last), size);
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.batch * shape.small_h * shape.small_w);
  let grid = small_size();
  let stride = vec2u(shape.stride_y, shape.stride_x);
  // The pixel that this lane loads out of every four; the next one is found with carries instead of divisions.
  var image = (first + lane) / (grid.x * grid.y);
  var y = (first + lane) / grid.y % grid.x;
  var x = (first + lane) % grid.y;
  let next = vec3u(4u / grid.y / grid.x, 4u / grid.y % grid.x, 4u % grid.y);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  var t40 = mat4x4f(); var t41 = mat4x4f(); var t42 = mat4x4f(); var t43 = mat4x4f();
  var t50 = mat4x4f(); var t51 = mat4x4f(); var t52 = mat4x4f(); var t53 = mat4x4f();
  for (var row = first; row < end; row += 4u) {
    let y0 = i32(y * stride.x);
    let x0 = i32(x * stride.y);
    // A pixel beyond the end has no tap inside, so the values read there from the small image do not count.
    let place = i32((image * size.x + y * stride.x) * size.y + x * stride.y) * i32(size.z);
    let y_or_none = select(-0x40000000, y0, row + lane < end);
    let at = at_taps(near, size, y_or_none, x0, place);
    let at_far = at_taps(far, size, y_or_none, x0, place);
    let b = row * grid.z + c;
    let b0 = small_rows(b.x, grid.z);
    let b1 = small_rows(b.y, grid.z);
    var b2: mat4x4f; var b3: mat4x4f;
    if (WIDE) { b2 = small_rows(b.z, grid.z); b3 = small_rows(b.w, grid.z); }
    var a0: vec4f; var a1: vec4f; var a2: vec4f;
    if (SINGLE) {
      a0 = large_values(at);
      a1 = large_values(at_far);
      a2 = large_values(at_taps(farthest, size, y_or_none, x0, place));
    } else {
      a0 = load_large(at.x, 0u);
      a1 = load_large(at.y, 0u);
      a2 = load_large(at.z, 0u);
    }
    let A0 = transpose(quad_rows(a0));
    t00 += b0 * A0; t01 += b1 * A0;
    if (WIDE) { t02 += b2 * A0; t03 += b3 * A0; }
    let A1 = transpose(quad_rows(a1));
    t10 += b0 * A1; t11 += b1 * A1;
    if (WIDE) { t12 += b2 * A1; t13 += b3 * A1; }
    let A2 = transpose(quad_rows(a2));
    t20 += b0 * A2; t21 += b1 * A2;
    if (WIDE) { t22 += b2 * A2; t23 += b3 * A2; }
    if (!SINGLE) {
      let A3 = transpose(quad_rows(load_large(at.w, 0u)));
      t30 += b0 * A3; t31 += b1 * A3;
      if (WIDE) { t32 += b2 * A3; t33 += b3 * A3; }
      let A4 = transpose(quad_rows(load_large(at_far.x, 0u)));
      t40 += b0 * A4; t41 += b1 * A4;
      if (WIDE) { t42 += b2 * A4; t43 += b3 * A4; }
      let A5 = transpose(quad_rows(load_large(at_far.y, 0u)));
      t50 += b0 * A5; t51 += b1 * A5;
      if (WIDE) { t52 += b2 * A5; t53 += b3 * A5; }
    }
    x += next.z;
    y += next.y + select(0u, 1u, x >= grid.y);
    x -= select(0u, grid.y, x >= grid.y);
    image += next.x + select(0u, 1u, y >= grid.x);
    y -= select(0u, grid.x, y >= grid.x);
  }
  if (part >= shape.parts) { return; }
  var tiles = array<mat4x4f, 24>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33,
    t40, t41, t42, t43, t50, t51, t52, t53);
  for (var j = 0u; j < columns; j++) {
    for (var i = 0u; i < select(24u, 12u, SINGLE); i++) {
      let value = tiles[i / 4u * 4u + j][i % 4u];
      if (!SINGLE) {
        store_weight(part, 4u * m + i, column + j, value);
        continue;
      }
      for (var r = 0u; r < 4u; r++) {
        store_weight(part, 4u * (m + i) + r, column + j, select(vec4f(0.0), value, r == 0u));
      }
    }
  }
}
