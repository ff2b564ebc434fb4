// lib/logits.wgsl: what the term of a Bernoulli likelihood, its gradients and its draws share.
//   logits, dlogits [B K, D]   x [B, D]   reconstruction [slots, B K, segments]
// D, or an image [H, W, C]: D or C padded to 4. Each x is met by the K rows of its example's draws.
#import lib/step
#import lib/activation
#import lib/random
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,         // B K
  pixels: u32,       // vec4 of an example, padded
  inner: u32,        // vec4 of its innermost size, padded: D, or an image's channels
  inner_count: u32,  // that size, before padding
  segments: u32,     // ceil(pixels / 16)
  weight: u32,       // knob: how much the loss counts
  over_row: u32,     // how far apart the values of `over` lie
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<Stored>;             // [B K, D]
@group(0) @binding(2) var<storage, read> x: array<Stored>;                  // [B, D]
@group(0) @binding(3) var<storage, read_write> reconstruction: array<f32>;  // [slots, B K, segments], nats
@group(0) @binding(4) var<storage, read_write> dlogits: array<Stored>;      // [B K, D]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;            // [B K, D]

override WORKGROUP_SIZE: u32 = 64u;
// Draws of an example, K.
override COPIES: u32 = 1u;

const SEGMENT = 16u;

fn mask_at(column: u32) -> vec4f {
  return vec4f(vec4u(0u, 1u, 2u, 3u) + 4u * (column % shape.inner) < vec4u(shape.inner_count));
}

// sigmoid(a), where t = exp(-|a|).
fn probability(logit: vec4f, t: vec4f) -> vec4f {
  return select(t, vec4f(1.0), logit >= vec4f(0.0)) / (1.0 + t);
}
