// lib/step.wgsl: what changes from one step to the next. The host writes one Step for each of the next K steps;
// a step's dispatches are recorded with that Step's offset, so no value of it is baked into a command.
struct Step {
  seed_low: u32,
  seed_high: u32,
  step: u32,             // steps since the first, over all epochs
  slot: u32,             // the row of this step in the rings of sums
  epoch: u32,            // keys the shuffle
  first_row: u32,        // place of the batch's first example in the epoch's order
  rows: u32,             // examples that count; rows past them add nothing
  stream: u32,           // which use of random numbers this is
  sample: u32,           // which draw for the same example
  learning_rate: f32,
  beta: f32,             // weight of the KL term
  noise: f32,            // what the noise of the reparameterization is multiplied by; 0 trains z = mu
  gradient_scale: f32,   // what all gradients are multiplied by until Adam, so that f16 holds the small ones
  correction1: f32,      // 1 / (1 - beta1^t) of Adam
  correction2: f32,      // 1 / (1 - beta2^t)
}
@group(1) @binding(0) var<uniform> step: Step;
