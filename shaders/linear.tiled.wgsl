// linear.tiled.wgsl: y = act(x W + b), and the gradients with respect to x, W and b.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
//   dx, dW, db, dy have the shapes of x, W, b, y; dy is the gradient before the activation
// Schedule `tiled`: a workgroup of 64 makes a 32x32 tile, 4x4 an invocation, and brings both operands 16 deep
// through workgroup memory: on a GPU each value is read from storage once for 32 results.
#import lib/linear_gradients
#import lib/tiles

override WORKGROUP_SIZE: u32 = 64u;

fn output_tile(tile: u32, lane: u32) {
  let across = (shape.outputs + VECTORS - 1u) / VECTORS;
  let row = tile / across * TILE;
  let column = tile % across * VECTORS;
  let ty = lane / VECTORS;
  let tx = lane % VECTORS;
  var sum = mat4x4f();
  for (var k = 0u; k < shape.inputs; k += DEPTH) {
    for (var i = lane; i < TILE * DEPTH; i += WORKGROUP_SIZE) {
      let kx = k + i % DEPTH;
      let value = vec4f(x[min(row + i / DEPTH, shape.rows - 1u) * shape.inputs + min(kx, shape.inputs - 1u)]);
      left[by_rows(i)] = select(vec4f(0.0), value, kx < shape.inputs);
      let kw = 4u * k + i / VECTORS;
      let across_W = min(column + i % VECTORS, shape.outputs - 1u);
      let weight = vec4f(W[min(kw, 4u * shape.inputs - 1u) * shape.outputs + across_W]);
      right[i] = select(vec4f(0.0), weight, kw < 4u * shape.inputs);
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) { sum += right_columns(4u * d, tx) * left_rows(4u * ty, d); }
    workgroupBarrier();
  }
  var rows = sum;
  for (var i = 0u; i < 4u; i++) { store_y(row + 4u * ty + i, column + tx, rows[i]); }
}

// One workgroup per 32x32 tile of dx.
fn input_gradient_tiles(tile: u32, lane: u32) {
  let across = (shape.inputs + VECTORS - 1u) / VECTORS;
  let row = tile / across * TILE;
  let column = tile % across * VECTORS;
  let ty = lane / VECTORS;
  let tx = lane % VECTORS;
  var sum = mat4x4f();
  for (var k = 0u; k < shape.outputs; k += DEPTH) {
    for (var i = lane; i < TILE * DEPTH; i += WORKGROUP_SIZE) {
      let at = k + i % DEPTH;
      let inside = at < shape.outputs;
      let clamped = min(at, shape.outputs - 1u);
      let value = vec4f(dy[min(row + i / DEPTH, shape.rows - 1u) * shape.outputs + clamped]);
      left[by_rows(i)] = select(vec4f(0.0), value, inside);
      let weight = vec4f(W[min(4u * column + i / DEPTH, 4u * shape.inputs - 1u) * shape.outputs + clamped]);
      right[by_rows(i)] = select(vec4f(0.0), weight, inside);
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) { sum += transpose(right_rows(4u * tx, d)) * left_rows(4u * ty, d); }
    workgroupBarrier();
  }
  var rows = sum;
  for (var i = 0u; i < 4u; i++) { store_dx(row + 4u * ty + i, column + tx, rows[i]); }
}

// One workgroup per 32x32 tile of a part of dW.
fn weight_gradient_tiles(tile: u32, lane: u32) {
  let across = (shape.outputs + VECTORS - 1u) / VECTORS;
  let down = (shape.inputs + VECTORS - 1u) / VECTORS;
  let part = tile / (across * down);
  let input = tile / across % down * VECTORS;
  let column = tile % across * VECTORS;
  let ty = lane / VECTORS;
  let tx = lane % VECTORS;
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var sum = mat4x4f();
  for (var k = first; k < end; k += 4u * DEPTH) {
    for (var i = lane; i < TILE * DEPTH; i += WORKGROUP_SIZE) {
      let row = k + i / VECTORS;
      let clamped = min(row, shape.rows - 1u);
      let inside = row < end;
      let at_input = min(input + i % VECTORS, shape.inputs - 1u);
      let at_output = min(column + i % VECTORS, shape.outputs - 1u);
      left[i] = select(vec4f(0.0), vec4f(x[clamped * shape.inputs + at_input]), inside);
      right[i] = select(vec4f(0.0), vec4f(dy[clamped * shape.outputs + at_output]), inside);
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) { sum += right_columns(4u * d, tx) * transpose(left_columns(4u * d, ty)); }
    workgroupBarrier();
  }
  var rows = sum;
  for (var i = 0u; i < 4u; i++) { store_dW(part, 4u * (input + ty) + i, column + tx, rows[i]); }
}

// y = act(x W + b); one workgroup per 32x32 tile of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(group: Group, @builtin(local_invocation_index) lane: u32) {
  output_tile(group_number(group), lane);
}
