// lib/health.wgsl: what gradient_norm.wgsl found of a step, for all that changes what a model keeps. The shader binds
//   health [2]: 1 once a loss wasn't finite; 1 + the last step whose gradient wasn't
#import lib/step

// Whether this step must leave everything as it is.
fn changes_nothing() -> bool {
  return health[0] != 0u || health[1] == step.step + 1u;
}
