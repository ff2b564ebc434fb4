// gradient_norm.wgsl: norms[p] = sum over vec4 i = p, p + P, ... of |g_i|^2; and whether this step may change weights.
//   gradients [N]   reconstruction [slots, R]   kl [slots, K]   norms [slots, P]   norm [1]   health [2]
// A gradient that isn't finite marks its step, and the optimizer skips that one. A loss that isn't finite halts: this
// and all later steps change nothing, so the last good weights are still there when the host reads of it.
// The parts have no barrier, which would make this three times slower on a software adapter; the host adds them.
#import lib/step
#import lib/finite
#import lib/invocation

struct Shape {
  length: u32,           // N / 4
  parts: u32,            // P
  reconstructions: u32,  // R
  kls: u32,              // K / 4
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;           // [N]
@group(0) @binding(2) var<storage, read> reconstruction: array<f32>;        // [slots, R]
@group(0) @binding(3) var<storage, read> kl: array<vec4f>;                  // [slots, K]
@group(0) @binding(4) var<storage, read_write> norms: array<f32>;           // [slots, P], squares
@group(0) @binding(5) var<storage, read_write> health: array<atomic<u32>>;  // [2]: halted; 1 + the step to skip
@group(0) @binding(6) var<storage, read_write> norm: array<vec4f>;          // [1], padded

override WORKGROUP_SIZE: u32 = 64u;

var<workgroup> lane_sums: array<f32, WORKGROUP_SIZE>;

// One invocation per part of the norm; they share the check of the losses.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gradient_norm(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.parts) { return; }
  var squares = vec4f(0.0);
  for (var i = id; i < shape.length; i += shape.parts) { squares += gradients[i] * gradients[i]; }
  let sum = (squares.x + squares.y + (squares.z + squares.w)) / (step.gradient_scale * step.gradient_scale);
  norms[step.slot * shape.parts + id] = sum;
  if (!is_finite(sum)) { atomicStore(&health[1], step.step + 1u); }
  var finite = true;
  for (var i = id; i < shape.reconstructions; i += shape.parts) {
    finite = finite && is_finite(reconstruction[step.slot * shape.reconstructions + i]);
  }
  for (var i = id; i < shape.kls; i += shape.parts) {
    finite = finite && !any(not_finite4(kl[step.slot * shape.kls + i]));
  }
  if (!finite) { atomicStore(&health[0], 1u); }
}

// norm = sqrt(sum_p norms[p]), for clipping by it; one workgroup.
@compute @workgroup_size(WORKGROUP_SIZE)
fn total_norm(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var part = lane; part < shape.parts; part += WORKGROUP_SIZE) { sum += norms[step.slot * shape.parts + part]; }
  lane_sums[lane] = sum;
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  if (lane == 0u) { norm[0] = vec4f(sqrt(lane_sums[0]), 0.0, 0.0, 0.0); }
}
