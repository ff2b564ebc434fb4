// bernoulli.wgsl: -log p(x|a) = sum_d max(a, 0) - a x + log(1 + exp(-|a|)), its gradient w (sigmoid(a) - x) / B with
// the loss's weight w, and draws of x.
//   logits, dlogits [B K, D]   x [B, D]   reconstruction [slots, B K, segments]
// A row's sum is left in segments of 16 vec4, one an invocation: no barrier, and the last sum is made in f64.
#import lib/logits

override KEEP_DLOGITS: bool = false;

// The term and, where its weight is a knob alone, its gradient; one invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn bernoulli(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let counts = f32(row < step.rows * COPIES);
  let at_x = row / COPIES * shape.pixels;
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let weight = step.gradient_scale * knob(shape.weight);
  var sum = vec4f(0.0);
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let mask = counts * mask_at(column);
    let logit = vec4f(logits[at]);
    let target_value = vec4f(x[at_x + column]);
    let t = exp(-abs(logit));
    // abs and max hide a NaN on some adapters; the product shows it.
    sum += mask * (max(logit, vec4f(0.0)) - logit * target_value + log_one_plus(t));
    if (KEEP_DLOGITS) {
      dlogits[at] = Stored(mask * (probability(logit, t) - target_value) * weight / f32(step.rows * COPIES));
    }
  }
  reconstruction[step.slot * shape.rows * shape.segments + id] = sum.x + sum.y + (sum.z + sum.w);
}

// y = 1 with probability sigmoid(a), else 0; one invocation per vec4 of y.
@compute @workgroup_size(WORKGROUP_SIZE)
fn bernoulli_sample(invocation: Invocation) {
  let id = number_of(invocation);
  let column = id % shape.pixels;
  if (id >= shape.rows * shape.pixels) { return; }
  let counter = vec4u(step.first_row * shape.pixels + id, step.step, at_site(STREAM_OBSERVATION), step.sample);
  let drawn = uniform4(philox4x32(counter, vec2u(step.seed_low, step.seed_high))) < logistic(vec4f(logits[id]));
  y[id] = Stored(vec4f(drawn) * mask_at(column));
}
