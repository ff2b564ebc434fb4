// linear.subgroups.wgsl: y = act(x W + b), and the gradients with respect to x, W and b.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
//   dx, dW, db, dy have the shapes of x, W, b, y; dy is the gradient before the activation
// Schedule `subgroups`: as `direct`, with 12x8 tiles, and the four lanes of a quad lie side by side along the
// columns: they need the same rows of the left operand, so each loads one row of every four and the others get it
// by quadBroadcast. Loads are what costs on a software adapter; this takes 11 of them per 384 products, not 20.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/linear_gradients

override WORKGROUP_SIZE: u32 = 16u;

// Four rows from the four lanes of the quad, as the columns of a matrix.
fn quad_rows(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

fn W_rows(row: u32, column: u32) -> mat4x4f {
  let at = row * shape.outputs + column;
  return mat4x4f(vec4f(W[at]), vec4f(W[at + shape.outputs]),
                 vec4f(W[at + 2u * shape.outputs]), vec4f(W[at + 3u * shape.outputs]));
}

fn dy_rows(row: u32, column: u32) -> mat4x4f {
  let at = row * shape.outputs + column;
  return mat4x4f(vec4f(dy[at]), vec4f(dy[at + shape.outputs]),
                 vec4f(dy[at + 2u * shape.outputs]), vec4f(dy[at + 3u * shape.outputs]));
}

fn dy_rows_or_zero(row: u32, k: u32) -> mat4x4f {
  return mat4x4f(dy_or_zero(row, k), dy_or_zero(row + 1u, k), dy_or_zero(row + 2u, k), dy_or_zero(row + 3u, k));
}

// y = act(x W + b); one invocation per 12x8 tile of y, one quad per 12x32.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(@builtin(global_invocation_id) id: vec3u) {
  let lane = id.x & 3u;
  let across = (shape.outputs + 7u) / 8u;
  let quad = id.x / 4u;
  let row = quad / across * 12u;
  let column = (quad % across * 4u + lane) * 2u;
  let last = shape.rows - 1u;
  let c0 = min(column, shape.outputs - 1u);
  let c1 = min(column + 1u, shape.outputs - 1u);
  let r0 = min(row + lane, last) * shape.inputs;
  let r1 = min(row + 4u + lane, last) * shape.inputs;
  let r2 = min(row + 8u + lane, last) * shape.inputs;
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f();
  for (var k = 0u; k < shape.inputs; k++) {
    let W0 = W_rows(4u * k, c0);
    let W1 = W_rows(4u * k, c1);
    let x0 = quad_rows(vec4f(x[r0 + k]));
    t00 += W0 * x0; t01 += W1 * x0;
    let x1 = quad_rows(vec4f(x[r1 + k]));
    t10 += W0 * x1; t11 += W1 * x1;
    let x2 = quad_rows(vec4f(x[r2 + k]));
    t20 += W0 * x2; t21 += W1 * x2;
  }
  // A copy: an index that varies puts what it indexes in memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 6>(t00, t01, t10, t11, t20, t21);
  for (var i = 0u; i < 24u; i++) {
    store_y(row + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per 12x8 tile of dx.
fn input_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let across = (shape.inputs + 7u) / 8u;
  let row = tile / 4u / across * 12u;
  let column = (tile / 4u % across * 4u + lane) * 2u;
  let last = shape.rows - 1u;
  let c0 = 4u * min(column, shape.inputs - 1u);
  let c1 = 4u * min(column + 1u, shape.inputs - 1u);
  let r0 = min(row + lane, last) * shape.outputs;
  let r1 = min(row + 4u + lane, last) * shape.outputs;
  let r2 = min(row + 8u + lane, last) * shape.outputs;
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f();
  for (var k = 0u; k < shape.outputs; k++) {
    let W0 = transpose(W_rows(c0, k));
    let W1 = transpose(W_rows(c1, k));
    let dy0 = quad_rows(vec4f(dy[r0 + k]));
    t00 += W0 * dy0; t01 += W1 * dy0;
    let dy1 = quad_rows(vec4f(dy[r1 + k]));
    t10 += W0 * dy1; t11 += W1 * dy1;
    let dy2 = quad_rows(vec4f(dy[r2 + k]));
    t20 += W0 * dy2; t21 += W1 * dy2;
  }
  var tiles = array<mat4x4f, 6>(t00, t01, t10, t11, t20, t21);
  for (var i = 0u; i < 24u; i++) {
    store_dx(row + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per 12x8 tile of a part of dW.
fn weight_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let across = (shape.outputs + 7u) / 8u;
  let down = (shape.inputs + 2u) / 3u;
  let quad = tile / 4u;
  let part = quad / (across * down);
  let input = quad / across % down * 3u;
  let column = (quad % across * 4u + lane) * 2u;
  let i0 = input;
  let i1 = min(input + 1u, shape.inputs - 1u);
  let i2 = min(input + 2u, shape.inputs - 1u);
  let c0 = min(column, shape.outputs - 1u);
  let c1 = min(column + 1u, shape.outputs - 1u);
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f();
  var row = first;
  for (; row + 4u <= end; row += 4u) {
    let dy0 = dy_rows(row, c0);
    let dy1 = dy_rows(row, c1);
    let at = (row + lane) * shape.inputs;
    let x0 = transpose(quad_rows(vec4f(x[at + i0])));
    t00 += dy0 * x0; t01 += dy1 * x0;
    let x1 = transpose(quad_rows(vec4f(x[at + i1])));
    t10 += dy0 * x1; t11 += dy1 * x1;
    let x2 = transpose(quad_rows(vec4f(x[at + i2])));
    t20 += dy0 * x2; t21 += dy1 * x2;
  }
  if (row < end) {
    let dy0 = dy_rows_or_zero(row, c0);
    let dy1 = dy_rows_or_zero(row, c1);
    let at = min(row + lane, shape.rows - 1u) * shape.inputs;
    let x0 = transpose(quad_rows(vec4f(x[at + i0])));
    t00 += dy0 * x0; t01 += dy1 * x0;
    let x1 = transpose(quad_rows(vec4f(x[at + i1])));
    t10 += dy0 * x1; t11 += dy1 * x1;
    let x2 = transpose(quad_rows(vec4f(x[at + i2])));
    t20 += dy0 * x2; t21 += dy1 * x2;
  }
  if (part >= part_count()) { return; }
  var tiles = array<mat4x4f, 6>(t00, t01, t10, t11, t20, t21);
  for (var i = 0u; i < 24u; i++) {
    store_dW(part, 4u * input + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}
