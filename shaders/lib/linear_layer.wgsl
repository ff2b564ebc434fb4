// lib/linear_layer.wgsl: the code that all schedules of a linear layer share: its tensors, how a tile's values are
// stored, and the bias's gradient. A schedule adds only how its tiles are multiplied.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
#import lib/activation
#import lib/stored

struct Shape {
  rows: u32,           // B
  inputs: u32,         // I / 4, padded
  outputs: u32,        // O / 4, padded
  inner: u32,          // vec4 in the innermost of O's sizes, padded: each of an image's pixels is padded separately
  inner_count: u32,    // that size, before padding
  part_rows: u32,      // rows of the batch that one part of dW sums, a multiple of 4
  input_groups: u32,   // linear_grad: workgroups that compute dx; those for dW and then db follow
  weight_groups: u32,  // linear_grad: workgroups that compute dW
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<Stored>;          // [B, I]
@group(0) @binding(2) var<storage, read> W: array<Stored>;          // [I, O]
@group(0) @binding(3) var<storage, read> b: array<Stored>;          // [O]
@group(0) @binding(4) var<storage, read> dy: array<Stored>;         // [B, O], before the activation
@group(0) @binding(5) var<storage, read> saved: array<Stored>;      // [B, I], what x's own slope is computed from
@group(0) @binding(6) var<storage, read_write> y: array<Stored>;    // [B, O]
@group(0) @binding(7) var<storage, read_write> pre: array<Stored>;  // [B, O], before the activation
@group(0) @binding(8) var<storage, read_write> dx: array<Stored>;   // [B, I]
@group(0) @binding(9) var<storage, read_write> dW: array<vec4f>;    // [parts, I, O]
@group(0) @binding(10) var<storage, read_write> db: array<vec4f>;   // [parts, O]

// Keep the value before the activation, for activations whose slope needs it.
override KEEP_PRE: bool = false;

// y = act(pre) at a row and a vec4 column; the padding stays zero whatever act(0) is.
fn store_y(row: u32, column: u32, product: vec4f) {
  if (row < shape.rows && column < shape.outputs) {
    let at = row * shape.outputs + column;
    let sum = product + vec4f(b[column]);
    if (KEEP_PRE) { pre[at] = Stored(sum); }
    let padding = vec4u(0u, 1u, 2u, 3u) + 4u * (column % shape.inner) >= vec4u(shape.inner_count);
    y[at] = Stored(select(activate(sum), vec4f(0.0), padding));
  }
}

// The gradient with respect to x before its own activation.
fn store_dx(row: u32, column: u32, product: vec4f) {
  if (row < shape.rows && column < shape.inputs) {
    let at = row * shape.inputs + column;
    dx[at] = Stored(product * activation_slope(vec4f(saved[at])));
  }
}

fn store_dW(part: u32, row: u32, column: u32, product: vec4f) {
  if (row < 4u * shape.inputs && column < shape.outputs) {
    dW[(part * 4u * shape.inputs + row) * shape.outputs + column] = product;
  }
}

// Row `row` of dy, or zeros beyond the batch's end, for the tail of a reduction over rows.
fn dy_or_zero(row: u32, column: u32) -> vec4f {
  let value = vec4f(dy[min(row, shape.rows - 1u) * shape.outputs + column]);
  return select(vec4f(0.0), value, row < shape.rows);
}

fn part_count() -> u32 {
  return (shape.rows + shape.part_rows - 1u) / shape.part_rows;
}

// db = sum over rows of dy; one invocation per vec4 of db and part.
fn bias_gradient(index: u32) {
  if (index >= part_count() * shape.outputs) { return; }
  let column = index % shape.outputs;
  let first = index / shape.outputs * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var sum = vec4f(0.0);
  for (var row = first; row < end; row++) { sum += vec4f(dy[row * shape.outputs + column]); }
  db[index] = sum;
}
