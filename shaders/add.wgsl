// add.wgsl: y = act(p + q), its gradient with respect to an operand that an activation made, dp = dy act'(p), and the
// sum of two gradients of one parameter.
//   p, q, y [..., C]   flat or images, all of the same shape; C padded to 4 with zeros
// The sum of a residual connection (He et al., "Deep residual learning for image recognition", 2016).
#import lib/activation
#import lib/stored
#import lib/invocation

struct Shape {
  length: u32,         // vec4s in total
  channels: u32,       // C / 4, padded
  channel_count: u32,  // C, before padding
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> p: array<Stored>;          // [..., C]
@group(0) @binding(2) var<storage, read> q: array<Stored>;          // [..., C]
@group(0) @binding(3) var<storage, read> dy: array<Stored>;         // [..., C], before the activation
@group(0) @binding(4) var<storage, read> saved: array<Stored>;      // [..., C], what p's own slope is computed from
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;    // [..., C]
@group(0) @binding(6) var<storage, read_write> pre: array<Stored>;  // [..., C], before the activation
@group(0) @binding(7) var<storage, read_write> dp: array<Stored>;   // [..., C]
@group(0) @binding(8) var<storage, read> dW: array<vec4f>;          // [..., C], of a parameter
@group(0) @binding(9) var<storage, read> dW2: array<vec4f>;         // [..., C]
@group(0) @binding(10) var<storage, read_write> total: array<vec4f>;  // [..., C]

override WORKGROUP_SIZE: u32 = 64u;
// Keep the value before the activation, for activations whose slope needs it.
override KEEP_PRE: bool = false;

// y = act(p + q); one invocation per vec4 of y, whose padding stays zero whatever act(0) is.
@compute @workgroup_size(WORKGROUP_SIZE)
fn add(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.length) { return; }
  let sum = vec4f(p[id]) + vec4f(q[id]);
  if (KEEP_PRE) { pre[id] = Stored(sum); }
  let padding = vec4u(0u, 1u, 2u, 3u) + id % shape.channels * 4u >= vec4u(shape.channel_count);
  y[id] = Stored(select(activate(sum), vec4f(0.0), padding));
}

// dp = dy act'(p), and for q likewise; one invocation per vec4 of dp.
@compute @workgroup_size(WORKGROUP_SIZE)
fn add_grad(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.length) { return; }
  dp[id] = Stored(vec4f(dy[id]) * activation_slope(vec4f(saved[id])));
}

// total = dW + dW2, in f32 as all gradients of parameters are; one invocation per vec4.
@compute @workgroup_size(WORKGROUP_SIZE)
fn add_gradients(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.length) { return; }
  total[id] = dW[id] + dW2[id];
}
