// dropout.wgsl: y = x m / (1 - rate), where m is 0 with probability `rate`, else 1; and its gradient.
//   x, y, dy, dx [B, ..., C]   flat or images; C padded to 4 with zeros
// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014), scaled during training
// rather than afterwards. The mask is not stored: the gradient draws it again.
#import lib/step
#import lib/activation
#import lib/random
#import lib/stored
#import lib/invocation

struct Shape {
  length: u32,     // vec4s in total
  layer: u32,      // the dropout's number in the model
  threshold: u32,  // a word below it drops its value: rate 2^32, rounded up
  scale: f32,      // 1 / (1 - rate)
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<Stored>;         // [B, ..., C]
@group(0) @binding(2) var<storage, read> dy: array<Stored>;        // [B, ..., C]
@group(0) @binding(3) var<storage, read> saved: array<Stored>;     // [B, ..., C], what x's own slope is computed from
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;   // [B, ..., C]
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;  // [B, ..., C]

override WORKGROUP_SIZE: u32 = 64u;

// The factors for four values of the batch. Multiplied rather than selected, because a NaN must reach the loss.
fn mask(element: u32) -> vec4f {
  let counter = vec4u(element, step.step, STREAM_DROPOUT, shape.layer);
  let words = philox4x32(counter, vec2u(step.seed_low, step.seed_high));
  return select(vec4f(0.0), vec4f(shape.scale), words >= vec4u(shape.threshold));
}

// y = x m / (1 - rate); one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn dropout(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.length) { return; }
  y[id] = Stored(vec4f(x[id]) * mask(id));
}

// dx = dy m / (1 - rate) act'(x); one invocation per vec4 of dx.
@compute @workgroup_size(WORKGROUP_SIZE)
fn dropout_grad(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.length) { return; }
  dx[id] = Stored(vec4f(dy[id]) * mask(id) * activation_slope(vec4f(saved[id])));
}
