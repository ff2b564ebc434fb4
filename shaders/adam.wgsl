// adam.wgsl: m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr c1 m / (sqrt(c2 v) + eps).
//   params, gradients, moment1, moment2 [N]   norm [1]   health [2]
// c1 = 1/(1-b1^t) and c2 = 1/(1-b2^t) come with the step. Weight decay is added to g (Adam), or shrinks w by
// lr decay (AdamW). All weights of a model lie in one buffer, so this is one dispatch.
// Kingma and Ba (2015), algorithm 1; Loshchilov and Hutter (2019), algorithm 2; gradient clipping by global norm:
// Pascanu et al. (2013), algorithm 1.
#import lib/health
#import lib/stored
#import lib/invocation

struct Shape {
  length: u32,       // N / 4
  beta1: f32,
  beta2: f32,
  gain1: f32,        // 1 - beta1, made in f64: of 0.999 in f32 the difference would be off by 1e-5
  gain2: f32,        // 1 - beta2
  epsilon: f32,
  weight_decay: f32,
  clip_norm: f32,    // 0: no clipping
  rate: u32,         // knob: lr
  correction1: u32,  // knob: c1
  correction2: u32,  // knob: c2
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;           // [N]
@group(0) @binding(2) var<storage, read> norm: array<f32>;                  // [1], read where it is clipped
@group(0) @binding(3) var<storage, read> health: array<u32>;                // [2]: halted; 1 + the step to skip
@group(0) @binding(4) var<storage, read_write> params: array<vec4f>;        // [N]
@group(0) @binding(5) var<storage, read_write> moment1: array<vec4f>;       // [N]
@group(0) @binding(6) var<storage, read_write> moment2: array<vec4f>;       // [N]
@group(0) @binding(7) var<storage, read_write> weights: array<Stored>;      // [N], as the products read them in f16

override WORKGROUP_SIZE: u32 = 64u;
override DECOUPLED: bool = false;
// Keep the copy in f16 beside the weights themselves, which stay f32.
override KEEP_WEIGHTS: bool = false;

const PER_INVOCATION = 16u;

// Eight invocations side by side share a run of the buffer, of which each takes every eighth vec4: what they read at
// once is a cache line of 128 bytes, and what they read next follows it. A workgroup's width apart took 1.1 times as
// long on SwiftShader, whose subgroups are 4 lanes.
const RUN = 8u;

fn first_of_run(invocation: u32) -> u32 {
  return invocation / RUN * (RUN * PER_INVOCATION) + invocation % RUN;
}

// One invocation per 16 vec4 of w.
@compute @workgroup_size(WORKGROUP_SIZE)
fn adam(invocation: Invocation) {
  if (changes_nothing()) { return; }
  var scale = 1.0 / step.gradient_scale;
  if (shape.clip_norm > 0.0) { scale *= min(1.0, shape.clip_norm / (norm[0] + 1e-6)); }
  let decay = select(shape.weight_decay, knob(shape.rate) * shape.weight_decay, DECOUPLED);
  let rate = knob(shape.rate) * knob(shape.correction1);
  let correction2 = knob(shape.correction2);
  let first = first_of_run(number_of(invocation));
  let end = min(first + RUN * PER_INVOCATION, shape.length);
  for (var i = first; i < end; i += RUN) {
    // No `var`: each float that is written to one costs a software adapter some 17 instructions.
    let old = params[i];
    // Adam's decay is a part of the gradient, AdamW's is not.
    let decayed = decay * old;
    let inside = select(decayed, vec4f(), DECOUPLED);
    let g = scale * gradients[i] + inside;
    let m = shape.beta1 * moment1[i] + shape.gain1 * g;
    let v = shape.beta2 * moment2[i] + shape.gain2 * g * g;
    let w = old - (decayed - inside) - rate * m / (sqrt(correction2 * v) + shape.epsilon);
    moment1[i] = m;
    moment2[i] = v;
    params[i] = w;
    if (KEEP_WEIGHTS) { weights[i] = Stored(w); }
  }
}

// The copy before the first step; one invocation per 16 vec4, as above.
@compute @workgroup_size(WORKGROUP_SIZE)
fn store_weights(invocation: Invocation) {
  let first = first_of_run(number_of(invocation));
  let end = min(first + RUN * PER_INVOCATION, shape.length);
  for (var i = first; i < end; i += RUN) { weights[i] = Stored(params[i]); }
}
