// importance.wgsl: L = log((1/K) sum_k w_k) with log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x), the bound on
// log p(x) of K draws, and what each draw counts in its gradient, K w_k / sum_j w_j: 1 on average.
//   reconstruction [slots, B K, R]   ratio [slots, B K, Z]   prior [slots, B K, 1]   the losses that make -log w
//   bound, squares [slots, B, 1]: -L, and log sum_k w_k^2    weights [B K, 1]
// Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders" (2016), eq. 8 and 14.
#import lib/step
#import lib/invocation

struct Shape {
  rows: u32,            // B
  reconstructions: u32, // R
  ratios: u32,          // Z, padded
  draws: u32,           // knob: how many draws count, if not all do
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> reconstruction: array<f32>;  // [slots, B K, R]
@group(0) @binding(2) var<storage, read> ratio: array<f32>;           // [slots, B K, Z]
@group(0) @binding(3) var<storage, read> prior: array<f32>;           // [slots, B K, 1]
@group(0) @binding(4) var<storage, read_write> bound: array<f32>;     // [slots, B, 1], nats
@group(0) @binding(5) var<storage, read_write> squares: array<f32>;   // [slots, B, 1]
@group(0) @binding(6) var<storage, read_write> weights: array<f32>;   // [B K, 1]

override WORKGROUP_SIZE: u32 = 64u;
// Draws of an example, K.
override COPIES: u32 = 1u;
// Only the first draws count.
override PARTIAL: bool = false;
override KEEP_WEIGHTS: bool = false;
override KEEP_SQUARES: bool = false;

// log w of a row, without the prior's loss.
fn log_weight(row: u32) -> f32 {
  var sum = 0.0;
  let first = (step.slot * shape.rows * COPIES + row) * shape.reconstructions;
  for (var i = first; i < first + shape.reconstructions; i++) { sum -= reconstruction[i]; }
  let start = (step.slot * shape.rows * COPIES + row) * shape.ratios;
  for (var i = start; i < start + shape.ratios; i++) { sum -= ratio[i]; }
  return sum;
}

// The largest log w so far, and sums of w and of its square over the largest's.
struct Sums { most: f32, one: f32, two: f32 }

fn with_weight(sums: Sums, w: f32) -> Sums {
  if (w > sums.most) {
    let less = exp(sums.most - w);
    return Sums(w, sums.one * less + 1.0, sums.two * less * less + 1.0);
  }
  let more = exp(w - sums.most);
  return Sums(sums.most, sums.one + more, sums.two + more * more);
}

fn store_bound(row: u32, draws: u32, sums: Sums) {
  let counts = row < step.rows;
  let place = step.slot * shape.rows + row;
  bound[place] = select(0.0, log(f32(draws)) - sums.most - log(sums.one), counts);
  if (KEEP_SQUARES) { squares[place] = select(0.0, 2.0 * sums.most + log(sums.two), counts); }
}

fn draws_of() -> u32 {
  if (PARTIAL) { return u32(knob(shape.draws)); }
  return COPIES;
}

// With a prior whose loss is part of the ratio; one invocation per example.
@compute @workgroup_size(WORKGROUP_SIZE)
fn importance(invocation: Invocation) {
  let row = number_of(invocation);
  if (row >= shape.rows) { return; }
  let first = row * COPIES;
  let draws = draws_of();
  var sums = Sums(log_weight(first), 1.0, 1.0);
  for (var k = 1u; k < draws; k++) { sums = with_weight(sums, log_weight(first + k)); }
  store_bound(row, draws, sums);
  if (!KEEP_WEIGHTS) { return; }
  let share = select(0.0, f32(draws) / sums.one, row < step.rows);
  for (var k = 0u; k < COPIES; k++) {
    weights[first + k] = select(0.0, share * exp(log_weight(first + k) - sums.most), k < draws);
  }
}

// With a prior that has a loss of its own.
@compute @workgroup_size(WORKGROUP_SIZE)
fn importance_prior(invocation: Invocation) {
  let row = number_of(invocation);
  if (row >= shape.rows) { return; }
  let first = row * COPIES;
  let at = step.slot * shape.rows * COPIES + first;
  let draws = draws_of();
  var sums = Sums(log_weight(first) - prior[at], 1.0, 1.0);
  for (var k = 1u; k < draws; k++) { sums = with_weight(sums, log_weight(first + k) - prior[at + k]); }
  store_bound(row, draws, sums);
  if (!KEEP_WEIGHTS) { return; }
  let share = select(0.0, f32(draws) / sums.one, row < step.rows);
  for (var k = 0u; k < COPIES; k++) {
    let w = exp(log_weight(first + k) - prior[at + k] - sums.most);
    weights[first + k] = select(0.0, share * w, k < draws);
  }
}
