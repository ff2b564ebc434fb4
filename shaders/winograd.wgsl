// winograd.wgsl: transforms to and from Winograd's domain, for convolutions with kernels of twice the stride, down and
// across.
//   large [B, LH, LW, CL]   small [B, SH, SW, CS]   W [2 sy, 2 sx, CL, CS]      NHWC; channels padded to 4 with zeros
// Small pixel i and tap u meet large pixel i s + u - pad. With u = s v + q, q the phase, that is a sum over phases of
// convolutions by 2x2 taps v with stride 1, on the images of every s-th large pixel. Two results of two taps take three
// products instead of four, F(2, 2): of pixels d, taps g and results y
//   y0 = d0 g0 + d1 g1 = m0 + m1     m0 = (d0 - d1) g0     m1 = d1 (g0 + g1)
//   y1 = d1 g0 + d2 g1 = m1 - m2     m2 = (d1 - d2) g1
// (Winograd 1980, Arithmetic Complexity of Computations), and in two dimensions nine instead of sixteen (Lavin and Gray
// 2016, section 4). So tiles of 2x2 small pixels become nine matrix products (winograd.subgroups.wgsl):
//   large^ [tiles, 9, phases CL]   W^ [9, phases CL, CS]   small^ [tiles, 9, CS]
// Each of the three is the product of the other two in one of the passes, since transposing the algorithm transposes
// its transforms: the transform to large^ is the transpose of the one from it back to a gradient.
#import lib/conv2d_result
#import lib/stored
#import lib/invocation

override WORKGROUP_SIZE: u32 = 64u;

struct Shape {
  batch: u32,            // B
  large_h: u32,
  large_w: u32,
  large_c: u32,          // CL / 4, padded
  small_h: u32,
  small_w: u32,
  small_c: u32,          // CS / 4, padded
  stride_y: u32,
  stride_x: u32,
  pad_y: u32,
  pad_x: u32,
  tiles_h: u32,          // tiles of 2x2 small pixels of an image, down
  tiles_w: u32,
  pairs_h: u32,          // pairs of rows of a phase of a large image
  result_count: u32,     // the result's channels, before padding
  gradient: u32,         // 1: the result is dx, multiplied by the slope of x's activation
  in_place: u32,         // 1: dx overwrites the values that slope is computed from
  parts: u32,            // of dW and db
  sum_parts: u32,        // of the product that dW is computed from, which has fewer rows; further parts of dW are 0
  weight_groups: u32,    // workgroups that compute dW; those for db follow
  bias_c: u32,           // dy's channels / 4, padded
  bias_pixels: u32,      // dy's, of all images
  bias_rows: u32,        // those that one part of db sums
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> image: array<Stored>;         // [B, ., ., C] large, small or dy
@group(0) @binding(2) var<storage, read> W: array<Stored>;             // [2 sy, 2 sx, CL, CS]
@group(0) @binding(3) var<storage, read_write> made: array<vec4f>;     // [T, 9, C] large^ or small^, [9, C, CS] W^
@group(0) @binding(4) var<storage, read> sums: array<vec4f>;           // [T, 9, C], [parts, 9, C, CS] a product of two
@group(0) @binding(5) var<storage, read> aside: array<Stored>;         // [C] b; in a gradient [B, ., ., C] saved
@group(0) @binding(6) var<storage, read_write> result: array<Stored>;  // [B, ., ., C] y or dx, as small or large
@group(0) @binding(7) var<storage, read_write> pre: array<Stored>;     // [B, ., ., C], before the activation
@group(0) @binding(8) var<storage, read_write> dW: array<vec4f>;       // [parts, 2 sy, 2 sx, CL, CS]
@group(0) @binding(9) var<storage, read_write> db: array<vec4f>;       // [parts, C]

// Each transform in one dimension.
fn of_large(d0: vec4f, d1: vec4f, d2: vec4f) -> mat3x4f { return mat3x4f(d0 - d1, d1, d1 - d2); }
fn of_taps(g0: vec4f, g1: vec4f) -> mat3x4f { return mat3x4f(g0, g0 + g1, g1); }
fn of_small(y0: vec4f, y1: vec4f) -> mat3x4f { return mat3x4f(y0, y0 + y1, -y1); }
// Their transposes; that of the first is in winograd_to_large.
fn to_taps(m0: vec4f, m1: vec4f, m2: vec4f) -> mat2x4f { return mat2x4f(m0 + m1, m1 + m2); }
fn to_small(m0: vec4f, m1: vec4f, m2: vec4f) -> mat2x4f { return mat2x4f(m0 + m1, m1 - m2); }

// An invocation's position: a vec4 of channels of a phase of a tile.
struct Place {
  channel: u32,
  phase: vec2u,
  image: u32,
  tile: vec2u,
}

fn place_of(index: u32, channels: u32, phases: vec2u, tiles: vec2u) -> Place {
  let pixel = index / channels;
  let phase = pixel % (phases.x * phases.y);
  let tile = pixel / (phases.x * phases.y);
  return Place(
    index % channels,
    vec2u(phase / phases.y, phase % phases.y),
    tile / (tiles.x * tiles.y),
    vec2u(tile / tiles.y % tiles.x, tile % tiles.y));
}

fn strides() -> vec2u { return vec2u(shape.stride_y, shape.stride_x); }
fn tiles() -> vec2u { return vec2u(shape.tiles_h, shape.tiles_w); }

// The image's value at a pixel; 0 outside the image.
fn value_at(place: Place, size: vec3u, pixel: vec2i) -> vec4f {
  let inside = all(vec2u(pixel) < size.xy);
  let at = ((place.image * size.x + u32(pixel.x)) * size.y + u32(pixel.y)) * size.z + place.channel;
  return select(vec4f(0.0), vec4f(image[select(0u, at, inside)]), inside);
}

// A row of three of the nine, at a distance of `apart` from each other.
fn make(row: u32, first: u32, apart: u32, values: mat3x4f) {
  let at = first + 3u * row * apart;
  made[at] = values[0];
  made[at + apart] = values[1];
  made[at + 2u * apart] = values[2];
}

fn made_row(row: u32, first: u32, apart: u32) -> mat3x4f {
  let at = first + 3u * row * apart;
  return mat3x4f(sums[at], sums[at + apart], sums[at + 2u * apart]);
}

// The vertical transform of three pixels of a phase.
fn column_large(place: Place, size: vec3u, first: vec2i, down: vec2i) -> mat3x4f {
  return of_large(
    value_at(place, size, first), value_at(place, size, first + down), value_at(place, size, first + 2 * down));
}

// large^ of a row of tiles, for a phase and a vec4 of channels, from 3x3 pixels of the phase each: a tile's last column
// is the next one's first.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_large(invocation: Invocation) {
  let id = number_of(invocation);
  let size = vec3u(shape.large_h, shape.large_w, shape.large_c);
  let stride = strides();
  let grid = tiles();
  let row = stride.x * stride.y * size.z;
  if (id >= shape.batch * grid.x * row) { return; }
  let place = place_of(id, size.z, stride, vec2u(grid.x, 1u));
  let down = vec2i(i32(stride.x), 0);
  let across = vec2i(0, i32(stride.y));
  var first = vec2i(2u * place.tile * stride + place.phase) - vec2i(i32(shape.pad_y), i32(shape.pad_x));
  var at = id / row * grid.y * 9u * row + id % row;
  var c0 = column_large(place, size, first, down);
  for (var x = 0u; x < grid.y; x++) {
    let c1 = column_large(place, size, first + across, down);
    first += 2 * across;
    let c2 = column_large(place, size, first, down);
    make(0u, at, row, of_large(c0[0], c1[0], c2[0]));
    make(1u, at, row, of_large(c0[1], c1[1], c2[1]));
    make(2u, at, row, of_large(c0[2], c1[2], c2[2]));
    c0 = c2;
    at += 9u * row;
  }
}

// small^ of a tile and a vec4 of channels, from its 2x2 pixels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_small(invocation: Invocation) {
  let id = number_of(invocation);
  let size = vec3u(shape.small_h, shape.small_w, shape.small_c);
  let count = shape.batch * shape.tiles_h * shape.tiles_w * size.z;
  if (id >= count) { return; }
  let place = place_of(id, size.z, vec2u(1u), tiles());
  let first = vec2i(2u * place.tile);
  let c0 = of_small(value_at(place, size, first), value_at(place, size, first + vec2i(1, 0)));
  let c1 = of_small(value_at(place, size, first + vec2i(0, 1)), value_at(place, size, first + vec2i(1, 1)));
  let at = id / size.z * 9u * size.z + place.channel;
  make(0u, at, size.z, of_small(c0[0], c1[0]));
  make(1u, at, size.z, of_small(c0[1], c1[1]));
  make(2u, at, size.z, of_small(c0[2], c1[2]));
}

// The index in W of tap (0, 0) for a row of W^, a phase's channel, and the distances to the next taps down and across.
fn taps_of(index: u32) -> vec3u {
  let stride = strides();
  let channels = 4u * shape.large_c;
  let row = index / shape.small_c;
  let phase = row / channels;
  let tap = channels * shape.small_c;
  let down = 2u * stride.y * tap;
  let first = phase / stride.y * down + phase % stride.y * tap + row % channels * shape.small_c + index % shape.small_c;
  return vec3u(first, stride.x * down, stride.y * tap);
}

fn weight_count() -> u32 {
  return shape.stride_y * shape.stride_x * 4u * shape.large_c * shape.small_c;
}

// W^ of a phase, a large channel and a vec4 of small ones, from the phase's 2x2 taps.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_weight(invocation: Invocation) {
  let id = number_of(invocation);
  let count = weight_count();
  if (id >= count) { return; }
  let at = taps_of(id);
  let c0 = of_taps(vec4f(W[at.x]), vec4f(W[at.x + at.y]));
  let c1 = of_taps(vec4f(W[at.x + at.z]), vec4f(W[at.x + at.y + at.z]));
  make(0u, id, count, of_taps(c0[0], c1[0]));
  make(1u, id, count, of_taps(c0[1], c1[1]));
  make(2u, id, count, of_taps(c0[2], c1[2]));
}

// The small image's 2x2 pixels of a tile, from large^ W^.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_to_small(invocation: Invocation) {
  let id = number_of(invocation);
  let size = vec3u(shape.small_h, shape.small_w, shape.small_c);
  let count = shape.batch * shape.tiles_h * shape.tiles_w * size.z;
  if (id >= count) { return; }
  let place = place_of(id, size.z, vec2u(1u), tiles());
  let at = id / size.z * 9u * size.z + place.channel;
  let s0 = made_row(0u, at, size.z);
  let s1 = made_row(1u, at, size.z);
  let s2 = made_row(2u, at, size.z);
  let r0 = to_small(s0[0], s0[1], s0[2]);
  let r1 = to_small(s1[0], s1[1], s1[2]);
  let r2 = to_small(s2[0], s2[1], s2[2]);
  let left = to_small(r0[0], r1[0], r2[0]);
  let right = to_small(r0[1], r1[1], r2[1]);
  let column = column_of(place.channel, size.z);
  let pixel = 2u * place.tile;
  let first = ((place.image * size.x + pixel.x) * size.y + pixel.y) * size.z;
  let below = pixel.x + 1u < size.x;
  let beside = pixel.y + 1u < size.y;
  store(first, column, left[0]);
  if (beside) { store(first + size.z, column, right[0]); }
  if (below) { store(first + size.y * size.z, column, left[1]); }
  if (below && beside) { store(first + (size.y + 1u) * size.z, column, right[1]); }
}

// From a tile's row of three values of small^ W^^T: the first, or that of the tile `next` further, and the other two;
// 0 if there is no such tile.
fn sums_of(exists: vec2<bool>, row: u32, tile: u32, next: u32, apart: u32) -> mat3x4f {
  let at = tile + 3u * row * apart;
  let none = vec4f(0.0);
  return mat3x4f(
    select(none, sums[select(0u, at + next, exists.x)], exists.x),
    select(none, sums[select(0u, at + apart, exists.y)], exists.y),
    select(none, sums[select(0u, at + 2u * apart, exists.y)], exists.y));
}

// Two adjacent pixels. One lies within a tile, one between two; which comes first depends on where the image begins.
// `edge` is the previous step's contribution to the latter.
fn across_large(odd: bool, edge: vec4f, s: mat3x4f) -> mat2x4f {
  if (odd) { return mat2x4f(s[1] + s[2] - edge, s[0] - s[2]); }
  return mat2x4f(s[0] - edge, s[1] + s[2] - s[0]);
}

fn next_edge(odd: bool, s: mat3x4f) -> vec4f { return select(s[2], s[0], odd); }

// Two rows of a phase of the large image, for a vec4 of channels, from small^ W^^T: pixels between tiles get a part
// from each.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_to_large(invocation: Invocation) {
  let id = number_of(invocation);
  let size = vec3u(shape.large_h, shape.large_w, shape.large_c);
  let stride = strides();
  let grid = tiles();
  let row = stride.x * stride.y * size.z;
  if (id >= shape.batch * shape.pairs_h * row) { return; }
  let place = place_of(id, size.z, stride, vec2u(shape.pairs_h, 1u));
  // The phase's pixels in the image, first, first + 1, ..., and their number. Tile t begins at pixel 2 t.
  let padding = vec2u(shape.pad_y, shape.pad_x);
  let first = (padding + stride - 1u - place.phase) / stride;
  let ends = (max(size.xy + padding, place.phase) - place.phase + stride - 1u) / stride;
  let count = max(ends, first) - first;
  if (2u * place.tile.x >= count.x) { return; }
  let lower = 2u * place.tile.x + 1u < count.x;
  let odd = (first & vec2u(1u)) == vec2u(1u);
  let start = first + vec2u(2u * place.tile.x, 0u);
  let y = stride.x * start.x + place.phase.x - padding.x;
  let tile = start / 2u;
  let tile_size = 9u * row;
  let own = ((place.image * grid.x + tile.x) * grid.y + tile.y) * tile_size + id % row;
  // The tile above gives its last row, the one below its first.
  let other = select(own - grid.y * tile_size, own + grid.y * tile_size, odd.x);
  let other_row = select(2u, 0u, odd.x);
  let here = tile.x < grid.x;
  let there = select(tile.x >= 1u && tile.x <= grid.x, tile.x + 1u < grid.x, odd.x);
  let next = select(0u, tile_size, odd.y);
  let column = column_of(place.channel, size.z);
  // What the first step needs from the previous tile, or from its own.
  let known = select(tile.y >= 1u && tile.y <= grid.y, tile.y < grid.y, odd.y);
  let back = select(2u * row - tile_size, 0u, odd.y);
  let edges_at = vec4u(own, own + 3u * row, own + 6u * row, other + 3u * other_row * row) + back;
  let edges_exist = vec4<bool>(here, here, here, there) & vec4<bool>(known);
  var edges = mat4x4f();
  if (known) {
    let place_in = select(vec4u(0u), edges_at, edges_exist);
    let none = vec4f(0.0);
    edges = mat4x4f(
      select(none, sums[place_in.x], edges_exist.x), select(none, sums[place_in.y], edges_exist.y),
      select(none, sums[place_in.z], edges_exist.z), select(none, sums[place_in.w], edges_exist.w));
  }
  var at = 0u;
  for (var x = 0u; 2u * x < count.y; x++) {
    let inside = vec2<bool>(tile.y + x + select(0u, 1u, odd.y) < grid.y, tile.y + x < grid.y);
    let s0 = sums_of(inside & vec2<bool>(here), 0u, own + at, next, row);
    let s1 = sums_of(inside & vec2<bool>(here), 1u, own + at, next, row);
    let s2 = sums_of(inside & vec2<bool>(here), 2u, own + at, next, row);
    let s3 = sums_of(inside & vec2<bool>(there), other_row, other + at, next, row);
    let r0 = across_large(odd.y, edges[0], s0);
    let r1 = across_large(odd.y, edges[1], s1);
    let r2 = across_large(odd.y, edges[2], s2);
    let r3 = across_large(odd.y, edges[3], s3);
    edges = mat4x4f(next_edge(odd.y, s0), next_edge(odd.y, s1), next_edge(odd.y, s2), next_edge(odd.y, s3));
    let within = r1 + r2 - r0;
    let between = r3 - r2;
    var up = r0 - r3;
    var down = within;
    if (odd.x) { up = within; down = between; }
    let pixel = vec2u(y, stride.y * (start.y + 2u * x) + place.phase.y - padding.y);
    let beside = 2u * x + 1u < count.y;
    store_large(place.image, true, size, pixel, column, up[0]);
    store_large(place.image, beside, size, pixel + vec2u(0u, stride.y), column, up[1]);
    store_large(place.image, lower, size, pixel + vec2u(stride.x, 0u), column, down[0]);
    store_large(place.image, lower && beside, size, pixel + stride, column, down[1]);
    at += tile_size;
  }
}

fn store_large(index: u32, exists: bool, size: vec3u, pixel: vec2u, column: Column, sum: vec4f) {
  if (exists) { store(((index * size.x + pixel.x) * size.y + pixel.y) * size.z, column, sum); }
}

// db: sums of dy over its pixels; one invocation per vec4 of db and part.
fn bias_sums(index: u32) {
  if (index >= shape.parts * shape.bias_c) { return; }
  let first = index / shape.bias_c * shape.bias_rows;
  let end = min(first + shape.bias_rows, shape.bias_pixels);
  var sum = vec4f(0.0);
  for (var pixel = first; pixel < end; pixel++) {
    sum += vec4f(image[pixel * shape.bias_c + index % shape.bias_c]);
  }
  db[index] = sum;
}

// A phase's 2x2 taps of a part of dW, from large^^T small^; and db.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_to_weight(group: Group, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(group);
  if (number >= shape.weight_groups) {
    bias_sums((number - shape.weight_groups) * WORKGROUP_SIZE + lane);
    return;
  }
  let count = weight_count();
  let index = number * WORKGROUP_SIZE + lane;
  if (index >= shape.parts * count) { return; }
  let part = index / count;
  var s0 = mat3x4f(); var s1 = mat3x4f(); var s2 = mat3x4f();
  if (part < shape.sum_parts) {
    let i = part * 8u * count + index;
    s0 = made_row(0u, i, count);
    s1 = made_row(1u, i, count);
    s2 = made_row(2u, i, count);
  }
  let r0 = to_taps(s0[0], s0[1], s0[2]);
  let r1 = to_taps(s1[0], s1[1], s1[2]);
  let r2 = to_taps(s2[0], s2[1], s2[2]);
  let c0 = to_taps(r0[0], r1[0], r2[0]);
  let c1 = to_taps(r0[1], r1[1], r2[1]);
  let at = taps_of(index - part * count) + vec3u(part * 4u * count, 0u, 0u);
  dW[at.x] = c0[0];
  dW[at.x + at.z] = c1[0];
  dW[at.x + at.y] = c0[1];
  dW[at.x + at.y + at.z] = c1[1];
}
