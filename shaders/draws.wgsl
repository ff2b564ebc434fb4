// draws.wgsl: K draws z = mu + a exp(s/2) e of each example, the KL terms of reparameterize.wgsl, and the ratio
//   log q(z|x) - log p(z) = sum_j (z^2 - e^2 - s) / 2
// of each draw against the prior N(0, 1), or log q(z|x) alone; and the gradient of either with respect to mu and s.
//   heads [B, 2, Z] (mu, then s = log sigma^2)   z, ratio [(slots,) B K, Z]
//   kl [slots, B, Z]   clamped [slots, B, Z/4]
// Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders" (2016), eq. 8 and 13.
#import lib/latent

@group(0) @binding(7) var<storage, read> over: array<f32>;           // [B or 1, Z or 1]; of a ratio [B K or 1, 1]
@group(0) @binding(8) var<storage, read_write> ratio: array<vec4f>;  // [slots, B K, Z]: nats

override KEEP_RATIO: bool = false;
// The ratio's prior is N(0, 1); otherwise it is log q(z|x) alone.
override STANDARD: bool = true;

const LOG_TWO_PI = 1.8378770664093453;

// z, ratio and, by an example's first draw, the KL term of each latent; one invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn draws(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  let example = row / COPIES;
  let mask = is_latent(column);
  let mean = vec4f(heads[example * 2u * shape.latents + column]);
  let raw = vec4f(heads[(example * 2u + 1u) * shape.latents + column]);
  let s = limited(raw);
  let e = noise(row, column);
  let a = knob(shape.noise);
  let draw = mean + a * exp(0.5 * s) * e;
  z[id] = Stored(select(vec4f(0.0), draw, mask));
  if (KEEP_RATIO) {
    let prior = select(vec4f(-LOG_TWO_PI), draw * draw, STANDARD);
    // clamp hides a NaN on some adapters; it must reach the loss.
    let visible = select(0.5 * (prior - (a * e) * (a * e) - s), raw, not_finite4(raw));
    let counts = mask & vec4<bool>(example < step.rows);
    ratio[step.slot * shape.rows * shape.latents + id] = select(vec4f(0.0), visible, counts);
  }
  if (row % COPIES == 0u) { store_kl(example, column, mean, raw); }
}

// dmu = sum dz + w mu / B and ds = sum dz (z - mu) / 2 + w (exp(s) - 1) / (2 B), over an example's draws, with the KL
// terms' weight w, times a factor of each one's own.
fn store_with_kl(row: u32, column: u32, factor: vec4f) {
  let weight = step.gradient_scale * knob(shape.weight) / f32(step.rows) * factor;
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  let s = limited(vec4f(heads[(row * 2u + 1u) * shape.latents + column]));
  let first = row * COPIES * shape.latents + column;
  var upstream = vec4f(dz[first]);
  var across = upstream * (vec4f(z[first]) - mean);
  for (var copy = 1u; copy < COPIES; copy++) {
    let at = first + copy * shape.latents;
    upstream += vec4f(dz[at]);
    across += vec4f(dz[at]) * (vec4f(z[at]) - mean);
  }
  store_gradient(row, column, upstream + weight * mean, 0.5 * (across + weight * (exp(s) - 1.0)));
}

// The factors of a vec4 of an example's KL terms.
fn factors(row: u32, column: u32) -> vec4f {
  let first = row * shape.over_row + 4u * column * shape.over_part;
  let part = shape.over_part;
  return vec4f(over[first], over[first + part], over[first + 2u * part], over[first + 3u * part]);
}

// Of the KL terms; one invocation per vec4 of a row of heads.
@compute @workgroup_size(WORKGROUP_SIZE)
fn draws_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  if (row < shape.rows / COPIES) { store_with_kl(row, id % shape.latents, vec4f(1.0)); }
}

// The same with a factor of each KL term's own.
@compute @workgroup_size(WORKGROUP_SIZE)
fn draws_grad_over(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  if (row < shape.rows / COPIES) { store_with_kl(row, id % shape.latents, factors(row, id % shape.latents)); }
}

// What an example's draws add up to: dmu, and 2 ds.
struct Sums { mean: vec4f, spread: vec4f }

// With one more draw, whose ratio has weight w: dmu = sum g and ds = sum (g (z - mu) - w) / 2, with g = dz and, where
// the prior is N(0, 1), w z more. For e stays where it is, and z moves with mu and s.
fn with_draw(sums: Sums, at: u32, mean: vec4f, w: f32) -> Sums {
  let drawn = vec4f(z[at]);
  let g = vec4f(dz[at]) + select(0.0, w, STANDARD) * drawn;
  return Sums(sums.mean + g, sums.spread + g * (drawn - mean) - w);
}

fn ratio_weight() -> f32 {
  return step.gradient_scale * knob(shape.weight) / f32(step.rows * COPIES);
}

// Of the ratio; one invocation per vec4 of a row of heads.
@compute @workgroup_size(WORKGROUP_SIZE)
fn draws_grad_ratio(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows / COPIES) { return; }
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  var sums = Sums();
  for (var draw = row * COPIES; draw < (row + 1u) * COPIES; draw++) {
    sums = with_draw(sums, draw * shape.latents + column, mean, ratio_weight());
  }
  store_gradient(row, column, sums.mean, 0.5 * sums.spread);
}

// The same with a factor of each draw's own.
@compute @workgroup_size(WORKGROUP_SIZE)
fn draws_grad_ratio_over(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows / COPIES) { return; }
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  var sums = Sums();
  for (var draw = row * COPIES; draw < (row + 1u) * COPIES; draw++) {
    let w = ratio_weight() * over[draw * shape.over_row];
    sums = with_draw(sums, draw * shape.latents + column, mean, w);
  }
  store_gradient(row, column, sums.mean, 0.5 * sums.spread);
}
