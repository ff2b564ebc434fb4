// gradient_norm.wgsl: |g|^2 in 64 parts, and whether this step may change the weights.
//   gradients [N]   reconstruction [slots, R]   kl [slots, K]   norms [slots, 64]   halted [1]
// A gradient that isn't finite makes its part of the norm not finite, and the optimizer skips the step. A loss that
// isn't finite halts: this and all later steps change nothing, so the last good weights are still there when the
// host reads of it, some steps later.
#import lib/step
#import lib/finite

struct Shape {
  length: u32,           // N / 4
  reconstructions: u32,  // R
  kls: u32,              // K
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;           // [N]
@group(0) @binding(2) var<storage, read> reconstruction: array<f32>;        // [slots, R]
@group(0) @binding(3) var<storage, read> kl: array<f32>;                    // [slots, K]
@group(0) @binding(4) var<storage, read_write> norms: array<f32>;           // [slots, 64], squares
@group(0) @binding(5) var<storage, read_write> halted: array<atomic<u32>>;  // [1], 1 once a loss was not finite

const PARTS = 64u;
const WORKGROUP = 64u;

var<workgroup> lane_sums: array<f32, WORKGROUP>;

// One workgroup per part of the norm; they share the check of the losses.
@compute @workgroup_size(WORKGROUP)
fn gradient_norm(@builtin(workgroup_id) part: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = part.x * WORKGROUP + lane;
  let stride = PARTS * WORKGROUP;
  var sum = vec4f(0.0);
  for (var i = first; i < shape.length; i += stride) { sum += gradients[i] * gradients[i]; }
  var finite = true;
  for (var i = first; i < shape.reconstructions; i += stride) {
    finite = finite && is_finite(reconstruction[step.slot * shape.reconstructions + i]);
  }
  for (var i = first; i < shape.kls; i += stride) { finite = finite && is_finite(kl[step.slot * shape.kls + i]); }
  if (!finite) { atomicStore(&halted[0], 1u); }
  lane_sums[lane] = sum.x + sum.y + (sum.z + sum.w);
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  if (lane == 0u) { norms[step.slot * PARTS + part.x] = lane_sums[0]; }
}
