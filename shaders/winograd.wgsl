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
// its transforms: the transform to large^ is the transpose of the one from it back to a gradient. A tensor's way there
// and back is in a file of its own: lib/winograd_large.wgsl, lib/winograd_small.wgsl, lib/winograd_weight.wgsl.
#import lib/stored
#import lib/winograd_large
#import lib/winograd_small
#import lib/winograd_weight

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
