// winograd.subgroups.wgsl: the products in Winograd's domain (winograd.wgsl), nine at a time, one for each position in
// a tile.
//   large [T, 9, I]   small [T, 9, O]   W [9, I, O]      row-major, f32; I and O multiples of 4
// T tiles, I channels of all phases of the large image, O of the small one. In tiles of 24x4, 24x8 or 24x16 values,
// with operands shared by the four lanes of a quad, as in linear.subgroups.wgsl.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/invocation

override WORKGROUP_SIZE: u32 = 16u;
// vec4 columns of a tile: 1, 2 or 4.
override COLUMNS: u32 = 2u;
// W is transposed.
override UP: bool = false;

struct Shape {
  rows: u32,             // T
  inputs: u32,           // I / 4
  outputs: u32,          // O / 4
  groups: u32,           // workgroups of one of the nine
  part_rows: u32,        // rows that one part of dW sums, a multiple of 4
  parts: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> left: array<vec4f>;         // [T, 9, I] large; up [T, 9, O] small
@group(0) @binding(2) var<storage, read> small: array<vec4f>;        // [T, 9, O]
@group(0) @binding(3) var<storage, read> W: array<vec4f>;            // [9, I, O]
@group(0) @binding(4) var<storage, read_write> sums: array<vec4f>;   // [T, 9, O], [T, 9, I], [parts, 9, I, O]

// An invocation's tile: the matrix, the tile's position among the tiles `across` a result of `columns` vec4, and this
// lane's first column.
struct Place {
  matrix: u32,
  index: u32,
  column: u32,
}

fn place_of(group: u32, lane: u32, columns: u32) -> Place {
  // An excess workgroup is beyond the end of the last matrix.
  let matrix = min(group / shape.groups, 8u);
  let tile = (group - matrix * shape.groups) * WORKGROUP_SIZE + lane;
  let across = (columns + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  return Place(matrix, tile / 4u / across, (tile / 4u % across * 4u + (tile & 3u)) * COLUMNS);
}

// Four rows from the four lanes of the quad, as the columns of a matrix.
fn quad_rows(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

// The left operand of a tile: 24 rows in groups of four. Rows that don't exist count as zero.
struct Left {
  r0: mat4x4f,
  r1: mat4x4f,
  r2: mat4x4f,
  r3: mat4x4f,
  r4: mat4x4f,
  r5: mat4x4f,
}

fn left_rows(at: u32, exists: bool) -> mat4x4f {
  return quad_rows(select(vec4f(0.0), left[at], exists));
}

fn left_tile(near: vec4u, far: vec2u, exists: bool) -> Left {
  return Left(left_rows(near.x, exists), left_rows(near.y, exists), left_rows(near.z, exists),
              left_rows(near.w, exists), left_rows(far.x, exists), left_rows(far.y, exists));
}

fn W_rows(at: u32) -> mat4x4f {
  let across = shape.outputs;
  return mat4x4f(W[at], W[at + across], W[at + 2u * across], W[at + 3u * across]);
}

fn small_rows(at: vec4u) -> mat4x4f {
  return mat4x4f(small[at.x], small[at.y], small[at.z], small[at.w]);
}

fn W_block(at: u32) -> mat4x4f {
  if (UP) { return transpose(W_rows(at)); }
  return W_rows(at);
}

// The rows of `left` times W or, going up, its transpose.
fn times_W(group: u32, lane: u32) {
  let inner = select(shape.inputs, shape.outputs, UP);
  let columns = select(shape.outputs, shape.inputs, UP);
  let place = place_of(group, lane, columns);
  let row = place.index * 24u;
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(columns - 1u)) * select(1u, 4u * shape.outputs, UP);
  let first = place.matrix * 4u * shape.inputs * shape.outputs + c;
  let next = select(4u * shape.outputs, 1u, UP);
  let own = vec4u(row + (lane & 3u));
  let near = (9u * min(own + vec4u(0u, 4u, 8u, 12u), vec4u(shape.rows - 1u)) + place.matrix) * inner;
  let far = (9u * min(own.xy + vec2u(16u, 20u), vec2u(shape.rows - 1u)) + place.matrix) * inner;
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  var t40 = mat4x4f(); var t41 = mat4x4f(); var t42 = mat4x4f(); var t43 = mat4x4f();
  var t50 = mat4x4f(); var t51 = mat4x4f(); var t52 = mat4x4f(); var t53 = mat4x4f();
  for (var k = 0u; k < inner; k += 2u) {
    let then = min(k + 1u, inner - 1u);
    let at = first + next * k;
    let to = first + next * then;
    let a = left_tile(near + k, far + k, true);
    let d = left_tile(near + then, far + then, then > k);
    let b0 = W_block(at.x); let e0 = W_block(to.x);
    t00 = t00 + b0 * a.r0 + e0 * d.r0; t10 = t10 + b0 * a.r1 + e0 * d.r1;
    t20 = t20 + b0 * a.r2 + e0 * d.r2; t30 = t30 + b0 * a.r3 + e0 * d.r3;
    t40 = t40 + b0 * a.r4 + e0 * d.r4; t50 = t50 + b0 * a.r5 + e0 * d.r5;
    if (COLUMNS > 1u) {
      let b1 = W_block(at.y); let e1 = W_block(to.y);
      t01 = t01 + b1 * a.r0 + e1 * d.r0; t11 = t11 + b1 * a.r1 + e1 * d.r1;
      t21 = t21 + b1 * a.r2 + e1 * d.r2; t31 = t31 + b1 * a.r3 + e1 * d.r3;
      t41 = t41 + b1 * a.r4 + e1 * d.r4; t51 = t51 + b1 * a.r5 + e1 * d.r5;
    }
    if (COLUMNS > 2u) {
      let b2 = W_block(at.z); let e2 = W_block(to.z);
      t02 = t02 + b2 * a.r0 + e2 * d.r0; t12 = t12 + b2 * a.r1 + e2 * d.r1;
      t22 = t22 + b2 * a.r2 + e2 * d.r2; t32 = t32 + b2 * a.r3 + e2 * d.r3;
      t42 = t42 + b2 * a.r4 + e2 * d.r4; t52 = t52 + b2 * a.r5 + e2 * d.r5;
      let b3 = W_block(at.w); let e3 = W_block(to.w);
      t03 = t03 + b3 * a.r0 + e3 * d.r0; t13 = t13 + b3 * a.r1 + e3 * d.r1;
      t23 = t23 + b3 * a.r2 + e3 * d.r2; t33 = t33 + b3 * a.r3 + e3 * d.r3;
      t43 = t43 + b3 * a.r4 + e3 * d.r4; t53 = t53 + b3 * a.r5 + e3 * d.r5;
    }
  }
  // A copy, because a variable index forces an array into memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 24>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33,
    t40, t41, t42, t43, t50, t51, t52, t53);
  for (var j = 0u; j < COLUMNS && place.column + j < columns; j++) {
    for (var i = 0u; i < 24u && row + i < shape.rows; i++) {
      sums[(9u * (row + i) + place.matrix) * columns + place.column + j] = tiles[i / 4u * 4u + j][i % 4u];
    }
  }
}

// small = large W.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_down(group: Group, @builtin(local_invocation_index) lane: u32) {
  times_W(group_number(group), lane);
}

// large = small W^T.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_up(group: Group, @builtin(local_invocation_index) lane: u32) {
  times_W(group_number(group), lane);
}

// A part of W = large^T small.
@compute @workgroup_size(WORKGROUP_SIZE)
fn winograd_across(group: Group, @builtin(local_invocation_index) lane: u32) {
  let place = place_of(group_number(group), lane, shape.outputs);
  let down = (shape.inputs + 5u) / 6u;
  let part = place.index / down;
  let m = place.index % down * 6u;
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.outputs - 1u));
  let near = min(vec4u(0u, 1u, 2u, 3u) + m, vec4u(shape.inputs - 1u));
  let far = min(vec2u(4u, 5u) + m, vec2u(shape.inputs - 1u));
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  var t40 = mat4x4f(); var t41 = mat4x4f(); var t42 = mat4x4f(); var t43 = mat4x4f();
  var t50 = mat4x4f(); var t51 = mat4x4f(); var t52 = mat4x4f(); var t53 = mat4x4f();
  // A row beyond the end does not count: its large^ is zero, and small^ is read from an existing row.
  for (var row = first; row < end; row += 4u) {
    let at = (9u * min(vec4u(0u, 1u, 2u, 3u) + row, vec4u(shape.rows - 1u)) + place.matrix) * shape.outputs;
    let own = (9u * min(row + (lane & 3u), shape.rows - 1u) + place.matrix) * shape.inputs;
    let exists = row + (lane & 3u) < end;
    let b0 = small_rows(at + c.x);
    let a0 = transpose(quad_rows(select(vec4f(0.0), left[own + near.x], exists)));
    t00 += b0 * a0;
    let a1 = transpose(quad_rows(select(vec4f(0.0), left[own + near.y], exists)));
    t10 += b0 * a1;
    let a2 = transpose(quad_rows(select(vec4f(0.0), left[own + near.z], exists)));
    t20 += b0 * a2;
    let a3 = transpose(quad_rows(select(vec4f(0.0), left[own + near.w], exists)));
    t30 += b0 * a3;
    let a4 = transpose(quad_rows(select(vec4f(0.0), left[own + far.x], exists)));
    t40 += b0 * a4;
    let a5 = transpose(quad_rows(select(vec4f(0.0), left[own + far.y], exists)));
    t50 += b0 * a5;
    if (COLUMNS > 1u) {
      let b1 = small_rows(at + c.y);
      t01 += b1 * a0; t11 += b1 * a1;
      t21 += b1 * a2; t31 += b1 * a3;
      t41 += b1 * a4; t51 += b1 * a5;
    }
    if (COLUMNS > 2u) {
      let b2 = small_rows(at + c.z);
      let b3 = small_rows(at + c.w);
      t02 += b2 * a0; t03 += b3 * a0;
      t12 += b2 * a1; t13 += b3 * a1;
      t22 += b2 * a2; t23 += b3 * a2;
      t32 += b2 * a3; t33 += b3 * a3;
      t42 += b2 * a4; t43 += b3 * a4;
      t52 += b2 * a5; t53 += b3 * a5;
    }
  }
  if (part >= shape.parts) { return; }
  var tiles = array<mat4x4f, 24>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33,
    t40, t41, t42, t43, t50, t51, t52, t53);
  let rows = 4u * shape.inputs;
  for (var j = 0u; j < COLUMNS && place.column + j < shape.outputs; j++) {
    for (var i = 0u; i < 24u && 4u * m + i < rows; i++) {
      let to = (part * 9u + place.matrix) * rows + 4u * m + i;
      sums[to * shape.outputs + place.column + j] = tiles[i / 4u * 4u + j][i % 4u];
    }
  }
}
