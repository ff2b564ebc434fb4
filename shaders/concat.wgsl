// concat.wgsl: y = [p | q], the rows of two tensors side by side, and the gradient with respect to p.
//   p, dp [B K, P]   q [B, Q]   y, dy [B K, P + Q]      P, Q and P + Q padded to 4 with zeros
// Each row of q stands beside the K rows of its example's draws. q is given, so no gradient goes there.
#import lib/activation
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,      // B K
  p_count: u32,   // P, before padding
  p_stride: u32,  // P, padded
  q_count: u32,
  q_stride: u32,
  y_stride: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> p: array<StoredValue>;    // [B K, P]
@group(0) @binding(2) var<storage, read> q: array<StoredValue>;    // [B, Q]
@group(0) @binding(3) var<storage, read> dy: array<Stored>;        // [B K, P + Q]
@group(0) @binding(4) var<storage, read> saved: array<Stored>;     // [B K, P], what p's own slope is computed from
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;   // [B K, P + Q]
@group(0) @binding(6) var<storage, read_write> dp: array<Stored>;  // [B K, P]

override WORKGROUP_SIZE: u32 = 64u;
// Draws of an example, K.
override COPIES: u32 = 1u;

// One invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn concat(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / (shape.y_stride / 4u);
  if (row >= shape.rows) { return; }
  let first = 4u * (id % (shape.y_stride / 4u));
  var values = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) {
    let column = first + i;
    if (column < shape.p_count) { values[i] = f32(p[row * shape.p_stride + column]); }
    else if (column < shape.p_count + shape.q_count) {
      values[i] = f32(q[row / COPIES * shape.q_stride + column - shape.p_count]);
    }
  }
  y[id] = Stored(values);
}

// dp = the first P columns of dy, times act'(p); one invocation per vec4 of dp.
@compute @workgroup_size(WORKGROUP_SIZE)
fn concat_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let across = shape.p_stride / 4u;
  let row = id / across;
  if (row >= shape.rows) { return; }
  let column = id % across;
  let slope = vec4f(dy[row * (shape.y_stride / 4u) + column]) * activation_slope(vec4f(saved[id]));
  let counts = vec4u(0u, 1u, 2u, 3u) + 4u * column < vec4u(shape.p_count);
  dp[id] = Stored(select(vec4f(0.0), slope, counts));
}
