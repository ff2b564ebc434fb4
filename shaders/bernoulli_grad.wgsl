// bernoulli_grad.wgsl: the gradient of bernoulli.wgsl's term, w (sigmoid(a) - x) / B, where w has a factor for each
// row.
//   logits, dlogits [B K, D]   x [B, D]   over [B K or 1, 1]
#import lib/logits

@group(0) @binding(6) var<storage, read> over: array<f32>;  // [B K or 1, 1]

// One invocation per segment of a row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn bernoulli_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.segments;
  if (row >= shape.rows) { return; }
  let at_x = row / COPIES * shape.pixels;
  let first = id % shape.segments * SEGMENT;
  let end = min(first + SEGMENT, shape.pixels);
  let weight = f32(row < step.rows * COPIES) * step.gradient_scale * knob(shape.weight) * over[row * shape.over_row];
  for (var column = first; column < end; column++) {
    let at = row * shape.pixels + column;
    let logit = vec4f(logits[at]);
    let p = probability(logit, exp(-abs(logit)));
    dlogits[at] = Stored(mask_at(column) * (p - vec4f(x[at_x + column])) * weight / f32(step.rows * COPIES));
  }
}
