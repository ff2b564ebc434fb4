// lib/latent.wgsl: what the draws of a latent share: how q(z|x) lies in its heads, the noise, the KL terms, and how a
// gradient reaches the heads.
//   heads, dheads [B, 2, Z] (mu, then s = log sigma^2)   z, dz [B K, Z]   kl [slots, B, Z]   clamped [slots, B, Z/4]
// with Z padded to 4 by zeros. K draws of each example lie side by side; draw k of an example is the same for any K.
#import lib/step
#import lib/random
#import lib/finite
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,          // B K
  latents: u32,       // Z / 4, padded
  latent_count: u32,  // Z, before padding
  noise: u32,         // knob: what the noise is multiplied by; 0 gives z = mu
  weight: u32,        // knob: how much the loss counts
  over_row: u32,      // how far apart the values of `over` lie
  over_part: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> heads: array<Stored>;         // [B, 2, Z]
@group(0) @binding(2) var<storage, read> dz: array<Stored>;            // [B K, Z]
@group(0) @binding(3) var<storage, read_write> z: array<Stored>;       // [B K, Z]
@group(0) @binding(4) var<storage, read_write> kl: array<vec4f>;       // [slots, B, Z]: nats
@group(0) @binding(5) var<storage, read_write> clamped: array<f32>;    // [slots, B, Z/4]: entries outside the limits
@group(0) @binding(6) var<storage, read_write> dheads: array<Stored>;  // [B, 2, Z]

override WORKGROUP_SIZE: u32 = 64u;
// Without noise z is the mean.
override NOISE: bool = true;
override KEEP_KL: bool = false;
override KEEP_CLAMPED: bool = false;
// Draws of an example, K.
override COPIES: u32 = 1u;

const LOG_VARIANCE_LIMIT = 10.0;

fn is_latent(column: u32) -> vec4<bool> {
  return vec4u(0u, 1u, 2u, 3u) + 4u * column < vec4u(shape.latent_count);
}

fn noise(row: u32, column: u32) -> vec4f {
  let element = (step.first_row + row / COPIES) * shape.latents + column;
  let counter = vec4u(element, step.step, at_site(step.stream), step.sample + row % COPIES);
  return normal4(philox4x32(counter, vec2u(step.seed_low, step.seed_high)));
}

fn limited(raw: vec4f) -> vec4f {
  return clamp(raw, vec4f(-LOG_VARIANCE_LIMIT), vec4f(LOG_VARIANCE_LIMIT));
}

// The KL term of each latent of an example, and how many of its log variances are outside the limits.
fn store_kl(row: u32, column: u32, mean: vec4f, raw: vec4f) {
  let s = limited(raw);
  // exp(s) - 1 - s cancels in f32 near 0; there its series.
  let series = 0.5 * s * s * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 12.0)));
  let spread = select(exp(s) - 1.0 - s, series, abs(s) < vec4f(0.05));
  let terms = 0.5 * (mean * mean + spread);
  // clamp hides a NaN on some adapters; it must reach the loss.
  let visible = select(terms, raw, not_finite4(raw));
  let counted = is_latent(column) & vec4<bool>(row < step.rows);
  let outside = counted & (abs(raw) > vec4f(LOG_VARIANCE_LIMIT));
  let place = (step.slot * (shape.rows / COPIES) + row) * shape.latents + column;
  if (KEEP_KL) { kl[place] = select(vec4f(0.0), visible, counted); }
  if (KEEP_CLAMPED) { clamped[place] = dot(vec4f(outside), vec4f(1.0)); }
}

// Outside the limits the gradient passes only where a descent step leads back inside.
fn store_gradient(row: u32, column: u32, dmean: vec4f, ds: vec4f) {
  let mask = is_latent(column);
  let raw = vec4f(heads[(row * 2u + 1u) * shape.latents + column]);
  let above = (raw > vec4f(LOG_VARIANCE_LIMIT)) & (ds < vec4f(0.0));
  let below = (raw < vec4f(-LOG_VARIANCE_LIMIT)) & (ds > vec4f(0.0));
  dheads[row * 2u * shape.latents + column] = Stored(select(vec4f(0.0), dmean, mask));
  dheads[(row * 2u + 1u) * shape.latents + column] = Stored(select(vec4f(0.0), ds, mask & !above & !below));
}
