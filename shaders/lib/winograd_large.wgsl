// lib/winograd_large.wgsl: the large image to Winograd's domain, and back from it.
//   large [B, LH, LW, CL]   large^ [tiles, 9, phases CL]
// From winograd.wgsl it uses the tensors, the transforms in one dimension, and an invocation's Place.
#import lib/conv2d_result
#import lib/invocation

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
