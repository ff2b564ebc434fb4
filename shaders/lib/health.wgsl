// lib/health.wgsl: gradient_norm.wgsl's result for a step, for all code that updates a model's state. The shader binds
//   health [2]: 1 once a loss was not finite; 1 + the last step with a non-finite gradient
#import lib/step

// Whether this step must leave everything unchanged.
fn changes_nothing() -> bool {
  return health[0] != 0u || health[1] == step.step + 1u;
}
