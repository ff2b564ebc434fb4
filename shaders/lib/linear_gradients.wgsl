// lib/linear_gradients.wgsl: the gradients' entry points, the same for every schedule. A schedule defines how a
// workgroup computes its tiles: input_gradient_tiles and weight_gradient_tiles, given the workgroup's number among
// those of its kind and the invocation's position in it.
#import lib/linear_layer
#import lib/invocation

// dx = dy Wt * act'(x).
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_grad_input(group: Group, @builtin(local_invocation_index) lane: u32) {
  input_gradient_tiles(group_number(group), lane);
}

// dW = xt dy and db = sum dy; after dW's workgroups, one invocation per vec4 of db.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_grad_weight(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = group_number(group);
  if (index < shape.weight_groups) { weight_gradient_tiles(index, lane); }
  else { bias_gradient((index - shape.weight_groups) * WORKGROUP_SIZE + lane); }
}

// dx, dW and db in one dispatch, since they read the same dy independently.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_grad(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = group_number(group);
  let after_input = index - shape.input_groups;
  if (index < shape.input_groups) { input_gradient_tiles(index, lane); }
  else if (after_input < shape.weight_groups) { weight_gradient_tiles(after_input, lane); }
  else { bias_gradient((after_input - shape.weight_groups) * WORKGROUP_SIZE + lane); }
}
