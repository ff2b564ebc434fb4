// reparameterize.wgsl: z = mu + a exp(s/2) e with e ~ N(0, 1) and a the step's noise, which is 1 unless training is
// given another; KL = sum_j (mu^2 + exp(s) - 1 - s) / 2; and the gradient of beta KL and of what follows z with respect
// to mu and s.
//   heads [B, 2, Z] (mu, then s = log sigma^2)   z [B, Z]   kl [slots, B, Z]   clamped [slots, B, Z/4]
// The noise is not kept: s's gradient needs only a e exp(s/2) = z - mu.
// Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), eq. 10 and appendix B.
#import lib/latent

// z and the KL term of each latent; one invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  let raw = vec4f(heads[(row * 2u + 1u) * shape.latents + column]);
  var draw = mean;
  if (NOISE) { draw += knob(shape.noise) * exp(0.5 * limited(raw)) * noise(row, column); }
  z[id] = Stored(select(vec4f(0.0), draw, is_latent(column)));
  store_kl(row, column, mean, raw);
}

// One invocation per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize_grad(invocation: Invocation) {
  let id = number_of(invocation);
  if (id < shape.rows * shape.latents) { store_with_kl(id / shape.latents, id % shape.latents, vec4f(1.0)); }
}

// The same with a factor of each KL term's own.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize_grad_over(invocation: Invocation) {
  let id = number_of(invocation);
  if (id >= shape.rows * shape.latents) { return; }
  let row = id / shape.latents;
  store_with_kl(row, id % shape.latents, factors(row, id % shape.latents));
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
