// linear.wgsl: y = act(x W + b), and the gradients with respect to x, W and b.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
//   dx, dW, db, dy have the shapes of x, W, b, y; dy is the gradient before the activation
// Schedule `direct`: operands go from storage to registers. On a software adapter a barrier halves the speed, and this
// form compiles ten times faster than the tiled one.
#import lib/linear_gradients

override WORKGROUP_SIZE: u32 = 16u;

// Four rows of an operand as the columns of a matrix. Rows beyond the last repeat it; their products are not stored.
fn x_rows(row: u32, k: u32) -> mat4x4f {
  let last = shape.rows - 1u;
  return mat4x4f(vec4f(x[min(row, last) * shape.inputs + k]), vec4f(x[min(row + 1u, last) * shape.inputs + k]),
                 vec4f(x[min(row + 2u, last) * shape.inputs + k]), vec4f(x[min(row + 3u, last) * shape.inputs + k]));
}

fn dy_rows(row: u32, k: u32) -> mat4x4f {
  let last = shape.rows - 1u;
  return mat4x4f(vec4f(dy[min(row, last) * shape.outputs + k]),
                 vec4f(dy[min(row + 1u, last) * shape.outputs + k]),
                 vec4f(dy[min(row + 2u, last) * shape.outputs + k]),
                 vec4f(dy[min(row + 3u, last) * shape.outputs + k]));
}

fn dy_rows_or_zero(row: u32, k: u32) -> mat4x4f {
  return mat4x4f(dy_or_zero(row, k), dy_or_zero(row + 1u, k), dy_or_zero(row + 2u, k), dy_or_zero(row + 3u, k));
}

fn W_rows(row: u32, column: u32) -> mat4x4f {
  let at = row * shape.outputs + column;
  return mat4x4f(vec4f(W[at]), vec4f(W[at + shape.outputs]),
                 vec4f(W[at + 2u * shape.outputs]), vec4f(W[at + 3u * shape.outputs]));
}

// y = act(x W + b); one invocation per 8x8 tile of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(invocation: Invocation) {
  let id = number_of(invocation);
  let across = (shape.outputs + 1u) / 2u;
  let row = id / across * 8u;
  let column = id % across * 2u;
  let column1 = min(column + 1u, shape.outputs - 1u);
  if (row >= shape.rows) { return; }
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  for (var k = 0u; k < shape.inputs; k++) {
    let x0 = x_rows(row, k);
    let x1 = x_rows(row + 4u, k);
    let W0 = W_rows(4u * k, column);
    let W1 = W_rows(4u * k, column1);
    t00 += W0 * x0; t01 += W1 * x0; t10 += W0 * x1; t11 += W1 * x1;
  }
  // A copy, because a variable index forces an array into memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  for (var i = 0u; i < 16u; i++) {
    store_y(row + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per 8x8 tile of dx.
fn input_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let across = (shape.inputs + 1u) / 2u;
  let row = tile / across * 8u;
  let column = tile % across * 2u;
  let column1 = min(column + 1u, shape.inputs - 1u);
  if (row >= shape.rows) { return; }
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  for (var k = 0u; k < shape.outputs; k++) {
    let dy0 = dy_rows(row, k);
    let dy1 = dy_rows(row + 4u, k);
    let W0 = transpose(W_rows(4u * column, k));
    let W1 = transpose(W_rows(4u * column1, k));
    t00 += W0 * dy0; t01 += W1 * dy0; t10 += W0 * dy1; t11 += W1 * dy1;
  }
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  for (var i = 0u; i < 16u; i++) {
    store_dx(row + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per 8x8 tile of a part of dW.
fn weight_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let across = (shape.outputs + 1u) / 2u;
  let down = (shape.inputs + 1u) / 2u;
  let part = tile / (across * down);
  let input = tile / across % down * 2u;
  let input1 = min(input + 1u, shape.inputs - 1u);
  let column = tile % across * 2u;
  let column1 = min(column + 1u, shape.outputs - 1u);
  if (part >= part_count()) { return; }
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t10 = mat4x4f(); var t11 = mat4x4f();
  var row = first;
  for (; row + 4u <= end; row += 4u) {
    let x0 = transpose(x_rows(row, input));
    let x1 = transpose(x_rows(row, input1));
    let dy0 = dy_rows(row, column);
    let dy1 = dy_rows(row, column1);
    t00 += dy0 * x0; t01 += dy1 * x0; t10 += dy0 * x1; t11 += dy1 * x1;
  }
  if (row < end) {
    let x0 = transpose(x_rows(row, input));
    let x1 = transpose(x_rows(row, input1));
    let dy0 = dy_rows_or_zero(row, column);
    let dy1 = dy_rows_or_zero(row, column1);
    t00 += dy0 * x0; t01 += dy1 * x0; t10 += dy0 * x1; t11 += dy1 * x1;
  }
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  for (var i = 0u; i < 16u; i++) {
    store_dW(part, 4u * input + i / 8u * 4u + i % 4u, column + i / 4u % 2u, tiles[i / 4u][i % 4u]);
  }
}
