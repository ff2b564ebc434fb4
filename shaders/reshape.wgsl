// reshape.wgsl: y[n] = x[n] for the n-th values, in order, of tensors with different padding; and its gradient.
//   x, dx [..., I]   y, dy [..., O]   equally many values; I and O padded to 4 with zeros
#import lib/activation
#import lib/stored
#import lib/invocation

struct Shape {
  x_length: u32,  // vec4s of x in total
  x_count: u32,   // I, before padding
  x_stride: u32,  // I, padded
  y_length: u32,  // vec4s of y in total
  y_count: u32,   // O, before padding
  y_stride: u32,  // O, padded
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<StoredValue>;    // [..., I]
@group(0) @binding(2) var<storage, read> dy: array<StoredValue>;   // [..., O]
@group(0) @binding(3) var<storage, read> saved: array<Stored>;     // [..., I], what x's own slope is computed from
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;   // [..., O]
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;  // [..., I]

override WORKGROUP_SIZE: u32 = 64u;

// The columns of a vec4 in rows of `stride` values.
fn columns(index: u32, stride: u32) -> vec4u {
  return vec4u(0u, 1u, 2u, 3u) + 4u * index % stride;
}

// The indices in another tensor of the values in those columns of one tensor, in rows of `count`.
fn places(index: u32, stride: u32, count: u32, other_stride: u32, other_count: u32) -> vec4u {
  // The padding also reads some value of the tensor, and drops it.
  let n = 4u * index / stride * count + min(columns(index, stride), vec4u(count - 1u));
  return n / other_count * other_stride + n % other_count;
}

// y = x; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reshape(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.y_length) { return; }
  let at = places(id, shape.y_stride, shape.y_count, shape.x_stride, shape.x_count);
  let copied = vec4f(f32(x[at.x]), f32(x[at.y]), f32(x[at.z]), f32(x[at.w]));
  y[id] = Stored(select(vec4f(0.0), copied, columns(id, shape.y_stride) < vec4u(shape.y_count)));
}

// dx = dy act'(x); one invocation per vec4 of dx.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reshape_grad(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.x_length) { return; }
  let at = places(id, shape.x_stride, shape.x_count, shape.y_stride, shape.y_count);
  let copied = vec4f(f32(dy[at.x]), f32(dy[at.y]), f32(dy[at.z]), f32(dy[at.w])) * activation_slope(vec4f(saved[id]));
  dx[id] = Stored(select(vec4f(0.0), copied, columns(id, shape.x_stride) < vec4u(shape.x_count)));
}
