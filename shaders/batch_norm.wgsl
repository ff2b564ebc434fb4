// batch_norm.wgsl: y = act(gamma xhat + beta) with xhat = (x - mean) / sqrt(variance + epsilon), for each channel over
// the whole batch and all pixels; its gradients; and the running statistics that replace a batch's after training.
//   x, y [N, C]: N rows of C channels, an example's values or its pixels   gamma, beta, running_mean [C]
// Ioffe and Szegedy, "Batch normalization" (2015), Algorithm 1. The running variance uses the batch's biased variance,
// like Keras; the paper corrects it by N / (N - 1). One section of lib/norm: S = 1, R = N.
#import lib/norm
#import lib/finite
#import lib/health
#import lib/invocation

@group(0) @binding(14) var<storage, read_write> batch_mean: array<vec4f>;        // [C]
@group(0) @binding(15) var<storage, read_write> batch_variance: array<vec4f>;    // [C]
@group(0) @binding(16) var<storage, read_write> running_mean: array<vec4f>;      // [C]
@group(0) @binding(17) var<storage, read_write> running_variance: array<vec4f>;  // [C]
@group(0) @binding(18) var<storage, read_write> gradient_means: array<vec4f>;    // [1, 2, C]
@group(0) @binding(19) var<storage, read_write> dgamma: array<vec4f>;            // [C]
@group(0) @binding(20) var<storage, read_write> dbeta: array<vec4f>;             // [C]
@group(0) @binding(21) var<storage, read> health: array<u32>;                    // [2]

// Mean and squared deviations of a part; one invocation per part and vec4 of channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm_moments(invocation: Invocation) { moments(number_of(invocation)); }

// Combines the parts' moments (Chan et al. 1979), about the first part's mean; one invocation per vec4 of channels.
// Being one of the means, it is close enough to the overall mean that the difference of squares keeps its digits.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm_combine(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.channels) { return; }
  let pivot = all_parts[id];
  var sum = vec4f(0.0);
  var squares = vec4f(0.0);
  for (var part = 0u; part < shape.parts; part++) {
    let at = 2u * part * shape.channels + id;
    let d = all_parts[at] - pivot;
    sum += part_rows(part) * d;
    squares += all_parts[at + shape.channels] + part_rows(part) * d * d;
  }
  let shift = sum / f32(shape.rows);
  batch_mean[id] = pivot + shift;
  batch_variance[id] = (squares - sum * shift) / f32(shape.rows);
}

// running = momentum running + (1 - momentum) of the batch's, in a step that changes the weights too; one invocation
// per vec4 of channels. A channel with non-finite batch statistics keeps its values.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm_running(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.channels || changes_nothing()) { return; }
  let lost = not_finite4(variance[id]);
  running_mean[id] = select(mix(mean[id], running_mean[id], shape.momentum), running_mean[id], lost);
  running_variance[id] = select(mix(variance[id], running_variance[id], shape.momentum), running_variance[id], lost);
}

// y = act(gamma xhat + beta), with a batch's statistics or the running ones; one invocation per strip.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm(invocation: Invocation) { normalize(number_of(invocation)); }

// Sums of dy and dy xhat of a part; one invocation per part and vec4 of channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm_sums(invocation: Invocation) { gradient_sums(number_of(invocation)); }

// dgamma = sum dy xhat, dbeta = sum dy, and the means that dx needs; one invocation per vec4 of channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm_grad_params(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.channels) { return; }
  var sum = vec4f(0.0);
  var product = vec4f(0.0);
  for (var part = 0u; part < shape.parts; part++) {
    let at = 2u * part * shape.channels + id;
    sum += all_parts[at];
    product += all_parts[at + shape.channels];
  }
  dbeta[id] = sum;
  dgamma[id] = product;
  let scale = gamma[id] / f32(shape.rows);
  gradient_means[id] = scale * sum;
  gradient_means[id + shape.channels] = scale * product;
}

// dx = (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)) / sqrt(variance + epsilon) * act'(x); one invocation
// per strip.
@compute @workgroup_size(WORKGROUP_SIZE)
fn batch_norm_grad(invocation: Invocation) { input_gradient(number_of(invocation)); }
