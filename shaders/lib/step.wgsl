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
  gradient_scale: f32,   // what all gradients are multiplied by until Adam, so that f16 holds the small ones
  knobs: array<vec4f, 12>,  // what a plan has by name (Plan.knobs); the first one is 1
}
@group(1) @binding(0) var<uniform> step: Step;

// The value of the knob at a place, which a node's uniform holds.
fn knob(place: u32) -> f32 {
  return step.knobs[place / 4u][place % 4u];
}
