// lib/winograd_small.wgsl: the small image to Winograd's domain, and back from it.
//   small [B, SH, SW, CS]   small^ [tiles, 9, CS]
// From winograd.wgsl it uses the tensors, the transforms in one dimension, and an invocation's Place.
#import lib/conv2d_result
#import lib/invocation

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
