// mixture.wgsl: -log p(z) of the mixture p(z) = (1/C) sum_c N(z; m_c, exp(s_c)) with diagonal covariances, its
// gradients, and draws from it. With the loss's weight w and r_c, the share of component c in p(z):
//   dz = w sum_c r_c (z - m_c) exp(-s_c) / B     dm_c = -sum_b w r_c (z - m_c) exp(-s_c) / B
//   ds_c = sum_b w r_c (1 - (z - m_c)^2 exp(-s_c)) / (2 B)
//   heads, dheads [C, 2, Z] (m, then s)   z, dz [B, Z]   prior [slots, B, 1]   shares [B, C]: w r / B
// Z padded to 4 with zeros. s is held in [-10, 10], beyond which no gradient leads.
#import lib/step
#import lib/random
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,          // B
  latents: u32,       // Z / 4, padded
  latent_count: u32,  // Z, before padding
  components: u32,    // C
  noise: u32,         // knob: what the noise of a draw is multiplied by
  weight: u32,        // knob: how much the loss counts
  over_row: u32,      // how far apart the values of `over` lie
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> heads: array<vec4f>;          // [C, 2, Z]
@group(0) @binding(2) var<storage, read> z: array<Stored>;             // [B, Z]
@group(0) @binding(3) var<storage, read_write> prior: array<f32>;      // [slots, B, 1], nats
@group(0) @binding(4) var<storage, read_write> dz: array<Stored>;      // [B, Z]
@group(0) @binding(5) var<storage, read_write> shares: array<f32>;     // [B, C]
@group(0) @binding(6) var<storage, read_write> dheads: array<vec4f>;   // [C, 2, Z]
@group(0) @binding(7) var<storage, read> over: array<f32>;             // [B or 1, 1]
@group(0) @binding(8) var<storage, read_write> drawn: array<Stored>;   // [B, Z]

override WORKGROUP_SIZE: u32 = 64u;
override KEEP_GRADIENT: bool = false;
// Draws of an example, whose rows lie side by side.
override COPIES: u32 = 1u;

const LOG_VARIANCE_LIMIT = 10.0;
const LOG_TWO_PI = 1.8378770664093453;

fn log_variance(component: u32, column: u32) -> vec4f {
  let raw = heads[(component * 2u + 1u) * shape.latents + column];
  return clamp(raw, vec4f(-LOG_VARIANCE_LIMIT), vec4f(LOG_VARIANCE_LIMIT));
}

fn mean(component: u32, column: u32) -> vec4f {
  return heads[component * 2u * shape.latents + column];
}

// log N(z; m_c, exp(s_c)). The padding has z = m = s = 0.
fn log_density(row: u32, component: u32) -> f32 {
  var sum = vec4f(0.0);
  for (var column = 0u; column < shape.latents; column++) {
    let s = log_variance(component, column);
    let difference = vec4f(z[row * shape.latents + column]) - mean(component, column);
    sum += difference * difference * exp(-s) + s;
  }
  return -0.5 * (sum.x + sum.y + (sum.z + sum.w) + f32(shape.latent_count) * LOG_TWO_PI);
}

// log sum_c N(z; m_c, exp(s_c)), with a running maximum.
fn log_sum(row: u32) -> f32 {
  var most = log_density(row, 0u);
  var sum = 1.0;
  for (var component = 1u; component < shape.components; component++) {
    let next = log_density(row, component);
    if (next > most) {
      sum = sum * exp(most - next) + 1.0;
      most = next;
    } else { sum += exp(next - most); }
  }
  return most + log(sum);
}

// The shares of a row, times the weight, and dz.
fn store_gradient(row: u32, total: f32, weight: f32) {
  for (var component = 0u; component < shape.components; component++) {
    shares[row * shape.components + component] = weight * exp(log_density(row, component) - total);
  }
  for (var column = 0u; column < shape.latents; column++) {
    let at = row * shape.latents + column;
    var sum = vec4f(0.0);
    for (var component = 0u; component < shape.components; component++) {
      let pull = (vec4f(z[at]) - mean(component, column)) * exp(-log_variance(component, column));
      sum += shares[row * shape.components + component] * pull;
    }
    dz[at] = Stored(sum);
  }
}

fn weight_of(row: u32) -> f32 {
  let weight = step.gradient_scale * knob(shape.weight) / f32(step.rows * COPIES);
  return select(0.0, weight, row < step.rows * COPIES);
}

// The loss and, where its weight is a knob alone, its gradient; one invocation per row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn mixture(invocation: Invocation) {
  let row = number_of(invocation);
  if (row >= shape.rows) { return; }
  let total = log_sum(row);
  prior[step.slot * shape.rows + row] =
    select(0.0, log(f32(shape.components)) - total, row < step.rows * COPIES);
  if (KEEP_GRADIENT) { store_gradient(row, total, weight_of(row)); }
}

// The gradient alone, where each row's loss has a weight of its own; one invocation per row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn mixture_grad(invocation: Invocation) {
  let row = number_of(invocation);
  if (row < shape.rows) { store_gradient(row, log_sum(row), weight_of(row) * over[row * shape.over_row]); }
}

// dheads from the weighted shares; one invocation per vec4 of the means.
@compute @workgroup_size(WORKGROUP_SIZE)
fn mixture_grad_heads(invocation: Invocation) {
  let id = number_of(invocation);
  let component = id / shape.latents;
  let column = id % shape.latents;
  if (component >= shape.components) { return; }
  let at = component * 2u * shape.latents + column;
  let raw = heads[at + shape.latents];
  let m = mean(component, column);
  let spread = exp(-log_variance(component, column));
  var dmean = vec4f(0.0);
  var ds = vec4f(0.0);
  for (var row = 0u; row < shape.rows; row++) {
    let share = shares[row * shape.components + component];
    let difference = vec4f(z[row * shape.latents + column]) - m;
    dmean -= share * difference * spread;
    ds += 0.5 * share * (1.0 - difference * difference * spread);
  }
  let counts = vec4u(0u, 1u, 2u, 3u) + 4u * column < vec4u(shape.latent_count);
  dheads[at] = select(vec4f(0.0), dmean, counts);
  dheads[at + shape.latents] = select(vec4f(0.0), ds, counts & (abs(raw) <= vec4f(LOG_VARIANCE_LIMIT)));
}

// drawn = m_c + a exp(s_c / 2) e with c uniform and e ~ N(0, 1); one invocation per vec4 of a draw.
@compute @workgroup_size(WORKGROUP_SIZE)
fn mixture_sample(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  let seed = vec2u(step.seed_low, step.seed_high);
  let chosen = philox4x32(vec4u(step.first_row + row, step.step, at_site(STREAM_COMPONENT), step.sample), seed).x;
  let component = min(u32(uniform4(vec4u(chosen)).x * f32(shape.components)), shape.components - 1u);
  let element = step.first_row * shape.latents + id;
  let e = normal4(philox4x32(vec4u(element, step.step, at_site(step.stream), step.sample), seed));
  let value = mean(component, column) + knob(shape.noise) * exp(0.5 * log_variance(component, column)) * e;
  let counts = vec4u(0u, 1u, 2u, 3u) + 4u * column < vec4u(shape.latent_count);
  drawn[id] = Stored(select(vec4f(0.0), value, counts));
}
