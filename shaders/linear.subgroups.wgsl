// linear.subgroups.wgsl: y = act(x W + b), and the gradients with respect to x, W and b.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
//   dx, dW, db, dy have the shapes of x, W, b, y; dy is the gradient before the activation
// Schedule `subgroups`: like `direct`, with tiles of 16x8, 16x16 or 16x20, whichever the columns fill best, and the
// four lanes of a quad side by side along the columns: they need the same rows of the left operand, so each loads one
// row of every four and the others get it by quadBroadcast. Loads are the main cost on a software adapter; the widest
// tile takes 24 of them per 1280 products, the direct schedule 80. Variables written in the loop also cost time there,
// about 17 instructions per float under the lane mask, so everything but the sums is `let`.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/linear_gradients

override WORKGROUP_SIZE: u32 = 16u;
// vec4 columns of a tile: 2, 4 or 5.
override COLUMNS: u32 = 2u;

// The position of a quad's tile among the tiles `across` a result of `columns` vec4, and this lane's first column.
struct Place {
  index: u32,
  column: u32,
}

fn place_of(tile: u32, columns: u32) -> Place {
  let across = (columns + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  return Place(tile / 4u / across, (tile / 4u % across * 4u + (tile & 3u)) * COLUMNS);
}

// Four rows from the four lanes of the quad, as the columns of a matrix.
fn quad_rows(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

// 16 rows of a vec4, in fours.
struct Rows {
  r0: mat4x4f,
  r1: mat4x4f,
  r2: mat4x4f,
  r3: mat4x4f,
}

// The left operand of a tile. Rows that don't exist count as zero.
fn left(own0: vec4f, own1: vec4f, own2: vec4f, own3: vec4f, exists: bool) -> Rows {
  let none = vec4f(0.0);
  return Rows(quad_rows(select(none, own0, exists)), quad_rows(select(none, own1, exists)),
              quad_rows(select(none, own2, exists)), quad_rows(select(none, own3, exists)));
}

fn x_tile(at: vec4u, exists: bool) -> Rows {
  return left(vec4f(x[at.x]), vec4f(x[at.y]), vec4f(x[at.z]), vec4f(x[at.w]), exists);
}

fn dy_tile(at: vec4u, exists: bool) -> Rows {
  return left(vec4f(dy[at.x]), vec4f(dy[at.y]), vec4f(dy[at.z]), vec4f(dy[at.w]), exists);
}

fn transposed(rows: Rows) -> Rows {
  return Rows(transpose(rows.r0), transpose(rows.r1), transpose(rows.r2), transpose(rows.r3));
}

fn W_rows(row: u32, column: u32) -> mat4x4f {
  let at = row * shape.outputs + column;
  return mat4x4f(vec4f(W[at]), vec4f(W[at + shape.outputs]),
                 vec4f(W[at + 2u * shape.outputs]), vec4f(W[at + 3u * shape.outputs]));
}

fn dy_rows(at: vec4u) -> mat4x4f {
  return mat4x4f(vec4f(dy[at.x]), vec4f(dy[at.y]), vec4f(dy[at.z]), vec4f(dy[at.w]));
}

// y = act(x W + b); one invocation per tile of y, with four side by side in a quad.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(invocation: Invocation) {
  let id = number_of(invocation);
  let place = place_of(id, shape.outputs);
  let row = place.index * 16u;
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.outputs - 1u));
  let last = min(4u + place.column, shape.outputs - 1u);
  let r = min(vec4u(0u, 4u, 8u, 12u) + row + (id & 3u), vec4u(shape.rows - 1u)) * shape.inputs;
  var t00 = mat4x4f(); var t10 = mat4x4f(); var t20 = mat4x4f(); var t30 = mat4x4f();
  var t01 = mat4x4f(); var t11 = mat4x4f(); var t21 = mat4x4f(); var t31 = mat4x4f();
  var t02 = mat4x4f(); var t12 = mat4x4f(); var t22 = mat4x4f(); var t32 = mat4x4f();
  var t03 = mat4x4f(); var t13 = mat4x4f(); var t23 = mat4x4f(); var t33 = mat4x4f();
  var t04 = mat4x4f(); var t14 = mat4x4f(); var t24 = mat4x4f(); var t34 = mat4x4f();
  for (var k = 0u; k < shape.inputs; k += 2u) {
    let next = min(k + 1u, shape.inputs - 1u);
    let a = x_tile(r + k, true);
    let d = x_tile(r + next, next > k);
    let b0 = W_rows(4u * k, c.x); let e0 = W_rows(4u * next, c.x);
    t00 = t00 + b0 * a.r0 + e0 * d.r0; t10 = t10 + b0 * a.r1 + e0 * d.r1;
    t20 = t20 + b0 * a.r2 + e0 * d.r2; t30 = t30 + b0 * a.r3 + e0 * d.r3;
    let b1 = W_rows(4u * k, c.y); let e1 = W_rows(4u * next, c.y);
    t01 = t01 + b1 * a.r0 + e1 * d.r0; t11 = t11 + b1 * a.r1 + e1 * d.r1;
    t21 = t21 + b1 * a.r2 + e1 * d.r2; t31 = t31 + b1 * a.r3 + e1 * d.r3;
    if (COLUMNS > 2u) {
      let b2 = W_rows(4u * k, c.z); let e2 = W_rows(4u * next, c.z);
      t02 = t02 + b2 * a.r0 + e2 * d.r0; t12 = t12 + b2 * a.r1 + e2 * d.r1;
      t22 = t22 + b2 * a.r2 + e2 * d.r2; t32 = t32 + b2 * a.r3 + e2 * d.r3;
      let b3 = W_rows(4u * k, c.w); let e3 = W_rows(4u * next, c.w);
      t03 = t03 + b3 * a.r0 + e3 * d.r0; t13 = t13 + b3 * a.r1 + e3 * d.r1;
      t23 = t23 + b3 * a.r2 + e3 * d.r2; t33 = t33 + b3 * a.r3 + e3 * d.r3;
    }
    if (COLUMNS > 4u) {
      let b4 = W_rows(4u * k, last); let e4 = W_rows(4u * next, last);
      t04 = t04 + b4 * a.r0 + e4 * d.r0; t14 = t14 + b4 * a.r1 + e4 * d.r1;
      t24 = t24 + b4 * a.r2 + e4 * d.r2; t34 = t34 + b4 * a.r3 + e4 * d.r3;
    }
  }
  // A copy, because a variable index forces an array into memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 20>(
    t00, t10, t20, t30,
    t01, t11, t21, t31,
    t02, t12, t22, t32,
    t03, t13, t23, t33,
    t04, t14, t24, t34);
  for (var i = 0u; i < 16u * COLUMNS; i++) {
    store_y(row + i % 16u, place.column + i / 16u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per tile of dx.
fn input_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let place = place_of(tile, shape.inputs);
  let row = place.index * 16u;
  let c = 4u * min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.inputs - 1u));
  let last = 4u * min(4u + place.column, shape.inputs - 1u);
  let r = min(vec4u(0u, 4u, 8u, 12u) + row + (tile & 3u), vec4u(shape.rows - 1u)) * shape.outputs;
  var t00 = mat4x4f(); var t10 = mat4x4f(); var t20 = mat4x4f(); var t30 = mat4x4f();
  var t01 = mat4x4f(); var t11 = mat4x4f(); var t21 = mat4x4f(); var t31 = mat4x4f();
  var t02 = mat4x4f(); var t12 = mat4x4f(); var t22 = mat4x4f(); var t32 = mat4x4f();
  var t03 = mat4x4f(); var t13 = mat4x4f(); var t23 = mat4x4f(); var t33 = mat4x4f();
  var t04 = mat4x4f(); var t14 = mat4x4f(); var t24 = mat4x4f(); var t34 = mat4x4f();
  for (var k = 0u; k < shape.outputs; k += 2u) {
    let next = min(k + 1u, shape.outputs - 1u);
    let a = dy_tile(r + k, true);
    let d = dy_tile(r + next, next > k);
    let b0 = transpose(W_rows(c.x, k)); let e0 = transpose(W_rows(c.x, next));
    t00 = t00 + b0 * a.r0 + e0 * d.r0; t10 = t10 + b0 * a.r1 + e0 * d.r1;
    t20 = t20 + b0 * a.r2 + e0 * d.r2; t30 = t30 + b0 * a.r3 + e0 * d.r3;
    let b1 = transpose(W_rows(c.y, k)); let e1 = transpose(W_rows(c.y, next));
    t01 = t01 + b1 * a.r0 + e1 * d.r0; t11 = t11 + b1 * a.r1 + e1 * d.r1;
    t21 = t21 + b1 * a.r2 + e1 * d.r2; t31 = t31 + b1 * a.r3 + e1 * d.r3;
    if (COLUMNS > 2u) {
      let b2 = transpose(W_rows(c.z, k)); let e2 = transpose(W_rows(c.z, next));
      t02 = t02 + b2 * a.r0 + e2 * d.r0; t12 = t12 + b2 * a.r1 + e2 * d.r1;
      t22 = t22 + b2 * a.r2 + e2 * d.r2; t32 = t32 + b2 * a.r3 + e2 * d.r3;
      let b3 = transpose(W_rows(c.w, k)); let e3 = transpose(W_rows(c.w, next));
      t03 = t03 + b3 * a.r0 + e3 * d.r0; t13 = t13 + b3 * a.r1 + e3 * d.r1;
      t23 = t23 + b3 * a.r2 + e3 * d.r2; t33 = t33 + b3 * a.r3 + e3 * d.r3;
    }
    if (COLUMNS > 4u) {
      let b4 = transpose(W_rows(last, k)); let e4 = transpose(W_rows(last, next));
      t04 = t04 + b4 * a.r0 + e4 * d.r0; t14 = t14 + b4 * a.r1 + e4 * d.r1;
      t24 = t24 + b4 * a.r2 + e4 * d.r2; t34 = t34 + b4 * a.r3 + e4 * d.r3;
    }
  }
  var tiles = array<mat4x4f, 20>(
    t00, t10, t20, t30,
    t01, t11, t21, t31,
    t02, t12, t22, t32,
    t03, t13, t23, t33,
    t04, t14, t24, t34);
  for (var i = 0u; i < 16u * COLUMNS; i++) {
    store_dx(row + i % 16u, place.column + i / 16u, tiles[i / 4u][i % 4u]);
  }
}

// Four rows of a part of dW, those of a vec4 of inputs. Not in a loop as above: dW has so many floats that indexing
// would take 0.4 of the 10.5 ms of a product with 784 inputs.
fn store_dW_rows(part: u32, input: u32, column: u32, rows: mat4x4f) {
  if (input < shape.inputs && column < shape.outputs) {
    let at = (part * shape.inputs + input) * 4u * shape.outputs + column;
    dW[at] = rows[0];
    dW[at + shape.outputs] = rows[1];
    dW[at + 2u * shape.outputs] = rows[2];
    dW[at + 3u * shape.outputs] = rows[3];
  }
}

fn store_dW_column(part: u32, input: u32, column: u32, tile: Rows) {
  store_dW_rows(part, input, column, tile.r0);
  store_dW_rows(part, input + 1u, column, tile.r1);
  store_dW_rows(part, input + 2u, column, tile.r2);
  store_dW_rows(part, input + 3u, column, tile.r3);
}

// One invocation per tile of a part of dW.
fn weight_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let place = place_of(tile, shape.outputs);
  let down = (shape.inputs + 3u) / 4u;
  let part = place.index / down;
  let input = place.index % down * 4u;
  let i = min(vec4u(0u, 1u, 2u, 3u) + input, vec4u(shape.inputs - 1u));
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.outputs - 1u));
  let last = min(4u + place.column, shape.outputs - 1u);
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var t00 = mat4x4f(); var t10 = mat4x4f(); var t20 = mat4x4f(); var t30 = mat4x4f();
  var t01 = mat4x4f(); var t11 = mat4x4f(); var t21 = mat4x4f(); var t31 = mat4x4f();
  var t02 = mat4x4f(); var t12 = mat4x4f(); var t22 = mat4x4f(); var t32 = mat4x4f();
  var t03 = mat4x4f(); var t13 = mat4x4f(); var t23 = mat4x4f(); var t33 = mat4x4f();
  var t04 = mat4x4f(); var t14 = mat4x4f(); var t24 = mat4x4f(); var t34 = mat4x4f();
  // A row beyond the end does not count: its x is zero, and dy is read from an existing row.
  for (var row = first; row < end; row += 8u) {
    let at = min(vec4u(0u, 1u, 2u, 3u) + row, vec4u(shape.rows - 1u)) * shape.outputs;
    let then = min(vec4u(4u, 5u, 6u, 7u) + row, vec4u(shape.rows - 1u)) * shape.outputs;
    let a = transposed(x_tile(min(row + lane, shape.rows - 1u) * shape.inputs + i, row + lane < end));
    let d = transposed(x_tile(min(row + lane + 4u, shape.rows - 1u) * shape.inputs + i, row + lane + 4u < end));
    let b0 = dy_rows(at + c.x); let e0 = dy_rows(then + c.x);
    t00 = t00 + b0 * a.r0 + e0 * d.r0; t10 = t10 + b0 * a.r1 + e0 * d.r1;
    t20 = t20 + b0 * a.r2 + e0 * d.r2; t30 = t30 + b0 * a.r3 + e0 * d.r3;
    let b1 = dy_rows(at + c.y); let e1 = dy_rows(then + c.y);
    t01 = t01 + b1 * a.r0 + e1 * d.r0; t11 = t11 + b1 * a.r1 + e1 * d.r1;
    t21 = t21 + b1 * a.r2 + e1 * d.r2; t31 = t31 + b1 * a.r3 + e1 * d.r3;
    if (COLUMNS > 2u) {
      let b2 = dy_rows(at + c.z); let e2 = dy_rows(then + c.z);
      t02 = t02 + b2 * a.r0 + e2 * d.r0; t12 = t12 + b2 * a.r1 + e2 * d.r1;
      t22 = t22 + b2 * a.r2 + e2 * d.r2; t32 = t32 + b2 * a.r3 + e2 * d.r3;
      let b3 = dy_rows(at + c.w); let e3 = dy_rows(then + c.w);
      t03 = t03 + b3 * a.r0 + e3 * d.r0; t13 = t13 + b3 * a.r1 + e3 * d.r1;
      t23 = t23 + b3 * a.r2 + e3 * d.r2; t33 = t33 + b3 * a.r3 + e3 * d.r3;
    }
    if (COLUMNS > 4u) {
      let b4 = dy_rows(at + last); let e4 = dy_rows(then + last);
      t04 = t04 + b4 * a.r0 + e4 * d.r0; t14 = t14 + b4 * a.r1 + e4 * d.r1;
      t24 = t24 + b4 * a.r2 + e4 * d.r2; t34 = t34 + b4 * a.r3 + e4 * d.r3;
    }
  }
  if (part >= part_count()) { return; }
  store_dW_column(part, input, place.column, Rows(t00, t10, t20, t30));
  store_dW_column(part, input, place.column + 1u, Rows(t01, t11, t21, t31));
  if (COLUMNS > 2u) {
    store_dW_column(part, input, place.column + 2u, Rows(t02, t12, t22, t32));
    store_dW_column(part, input, place.column + 3u, Rows(t03, t13, t23, t33));
  }
  if (COLUMNS > 4u) { store_dW_column(part, input, place.column + 4u, Rows(t04, t14, t24, t34)); }
}
