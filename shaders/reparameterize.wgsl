// reparameterize.wgsl: z = mu + a exp(s/2) e with e ~ N(0, 1) and a the step's noise, which is 1 unless training is
// given another; KL = sum_j (mu^2 + exp(s) - 1 - s) / 2; and the gradient of beta KL and of what follows z with respect
// to mu and s.
//   heads [B, 2, Z] (mu, then s = log sigma^2)   z [B, Z]   kl [slots, B, Z/4, 2]   Z padded to 4 with zeros
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
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> heads: array<Stored>;         // [B, 2, Z]
@group(0) @binding(2) var<storage, read> dz: array<Stored>;            // [B, Z]
@group(0) @binding(3) var<storage, read_write> z: array<Stored>;       // [B, Z]
@group(0) @binding(4) var<storage, read_write> kl: array<vec2f>;       // [slots, B, Z/4]: nats, entries clamped
@group(0) @binding(5) var<storage, read_write> dheads: array<Stored>;  // [B, 2, Z]

override WORKGROUP_SIZE: u32 = 64u;
// Without noise z is the mean.
override NOISE: bool = true;

const LOG_VARIANCE_LIMIT = 10.0;

fn is_latent(column: u32) -> vec4<bool> {
  return vec4u(0u, 1u, 2u, 3u) + 4u * column < vec4u(shape.latent_count);
}

fn noise(row: u32, column: u32) -> vec4f {
  let element = (step.first_row + row) * shape.latents + column;
  return normal4(philox4x32(vec4u(element, step.step, step.stream, step.sample), vec2u(step.seed_low, step.seed_high)));
}

// z and the KL term; one invocation per vec4 of z.
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
  if (NOISE) { draw += step.noise * exp(0.5 * s) * noise(row, column); }
  z[id] = Stored(select(vec4f(0.0), draw, mask));
  // exp(s) - 1 - s cancels in f32 near 0; there its series.
  let series = 0.5 * s * s * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 12.0)));
  let spread = select(exp(s) - 1.0 - s, series, abs(s) < vec4f(0.05));
  let counted = vec4f(mask) * f32(row < step.rows);
  let terms = 0.5 * (mean * mean + spread);
  // clamp hides a NaN on some adapters; it must reach the loss.
  let visible = select(terms, raw, not_finite4(raw));
  let clamped = vec4f(abs(raw) > vec4f(LOG_VARIANCE_LIMIT));
  kl[step.slot * shape.rows * shape.latents + id] = vec2f(dot(visible, counted), dot(clamped, counted));
}

// dmu = dz + beta mu / B and ds = dz (z - mu) / 2 + beta (exp(s) - 1) / (2 B); one invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  let mask = is_latent(column);
  let weight = step.gradient_scale * step.beta / f32(step.rows);
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

// z = e: a draw from the prior; one invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn sample_prior(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  z[id] = Stored(select(vec4f(0.0), noise(row, column), is_latent(column)));
}
