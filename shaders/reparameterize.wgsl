// reparameterize.wgsl: z = mu + a exp(s/2) e with e ~ N(0, 1) and a the step's noise, which is 1 unless training is
// given another; KL = sum_j (mu^2 + exp(s) - 1 - s) / 2; and the gradient of beta KL and of what follows z with respect
// to mu and s.
//   heads [B, 2, Z] (mu, then s = log sigma^2)   z [B, Z]   kl [slots, B, Z]   clamped [slots, B, Z/4]
// with Z padded to 4 by zeros.
// The noise is not kept: s's gradient needs only a e exp(s/2) = z - mu.
// Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), eq. 10 and appendix B.
#import lib/step
#import lib/random
#import lib/finite
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,          // B
  latents: u32,       // Z / 4, padded
  latent_count: u32,  // Z, before padding
  noise: u32,         // knob: what the noise is multiplied by; 0 gives z = mu
  weight: u32,        // knob: how much the KL terms count
  over_row: u32,      // how far apart the values of `over` lie
  over_part: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> heads: array<Stored>;         // [B, 2, Z]
@group(0) @binding(2) var<storage, read> dz: array<Stored>;            // [B, Z]
@group(0) @binding(3) var<storage, read_write> z: array<Stored>;       // [B, Z]
@group(0) @binding(4) var<storage, read_write> kl: array<vec4f>;       // [slots, B, Z]: nats
@group(0) @binding(5) var<storage, read_write> clamped: array<f32>;    // [slots, B, Z/4]: entries outside the limits
@group(0) @binding(6) var<storage, read_write> dheads: array<Stored>;  // [B, 2, Z]
@group(0) @binding(7) var<storage, read> over: array<f32>;             // [B or 1, Z or 1]

override WORKGROUP_SIZE: u32 = 64u;
// Without noise z is the mean.
override NOISE: bool = true;
override KEEP_KL: bool = false;
override KEEP_CLAMPED: bool = false;

const LOG_VARIANCE_LIMIT = 10.0;

fn is_latent(column: u32) -> vec4<bool> {
  return vec4u(0u, 1u, 2u, 3u) + 4u * column < vec4u(shape.latent_count);
}

fn noise(row: u32, column: u32) -> vec4f {
  let element = (step.first_row + row) * shape.latents + column;
  let counter = vec4u(element, step.step, at_site(step.stream), step.sample);
  return normal4(philox4x32(counter, vec2u(step.seed_low, step.seed_high)));
}

// z and the KL term of each latent; one invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  let mask = is_latent(column);
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  let raw = vec4f(heads[(row * 2u + 1u) * shape.latents + column]);
  let s = clamp(raw, vec4f(-LOG_VARIANCE_LIMIT), vec4f(LOG_VARIANCE_LIMIT));
  var draw = mean;
  if (NOISE) { draw += knob(shape.noise) * exp(0.5 * s) * noise(row, column); }
  z[id] = Stored(select(vec4f(0.0), draw, mask));
  // exp(s) - 1 - s cancels in f32 near 0; there its series.
  let series = 0.5 * s * s * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 12.0)));
  let spread = select(exp(s) - 1.0 - s, series, abs(s) < vec4f(0.05));
  let terms = 0.5 * (mean * mean + spread);
  // clamp hides a NaN on some adapters; it must reach the loss.
  let visible = select(terms, raw, not_finite4(raw));
  let counted = mask & vec4<bool>(row < step.rows);
  let outside = counted & (abs(raw) > vec4f(LOG_VARIANCE_LIMIT));
  let place = step.slot * shape.rows * shape.latents + id;
  if (KEEP_KL) { kl[place] = select(vec4f(0.0), visible, counted); }
  if (KEEP_CLAMPED) { clamped[place] = dot(vec4f(outside), vec4f(1.0)); }
}

// dmu = dz + w mu / B and ds = dz (z - mu) / 2 + w (exp(s) - 1) / (2 B), with the KL terms' weight w.
fn store_gradient(id: u32, row: u32, column: u32, factor: vec4f) {
  let mask = is_latent(column);
  let weight = step.gradient_scale * knob(shape.weight) / f32(step.rows) * factor;
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  let raw = vec4f(heads[(row * 2u + 1u) * shape.latents + column]);
  let s = clamp(raw, vec4f(-LOG_VARIANCE_LIMIT), vec4f(LOG_VARIANCE_LIMIT));
  let upstream = vec4f(dz[id]);
  let ds = 0.5 * (upstream * (vec4f(z[id]) - mean) + weight * (exp(s) - 1.0));
  // Outside the limits the gradient passes only where a descent step leads back inside.
  let above = (raw > vec4f(LOG_VARIANCE_LIMIT)) & (ds < vec4f(0.0));
  let below = (raw < vec4f(-LOG_VARIANCE_LIMIT)) & (ds > vec4f(0.0));
  dheads[row * 2u * shape.latents + column] = Stored(select(vec4f(0.0), upstream + weight * mean, mask));
  dheads[(row * 2u + 1u) * shape.latents + column] = Stored(select(vec4f(0.0), ds, mask & !above & !below));
}

// One invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize_grad(invocation: Invocation) {
  let id = number_of(invocation);
  if (id < shape.rows * shape.latents) { store_gradient(id, id / shape.latents, id % shape.latents, vec4f(1.0)); }
}

// The same with a factor of each KL term's own.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize_grad_over(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.rows * shape.latents) { return; }
  let row = id / shape.latents;
  let column = id % shape.latents;
  let first = row * shape.over_row + 4u * column * shape.over_part;
  let part = shape.over_part;
  let factor = vec4f(over[first], over[first + part], over[first + 2u * part], over[first + 3u * part]);
  store_gradient(id, row, column, factor);
}

// z = a e: a draw from the prior, or with another a from a wider or narrower one; one invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sample_prior(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  z[id] = Stored(select(vec4f(0.0), knob(shape.noise) * noise(row, column), is_latent(column)));
}
