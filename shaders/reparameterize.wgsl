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

// dmu = dz + w mu / B and ds = dz (z - mu) / 2 + w (exp(s) - 1) / (2 B), with the KL terms' weight w; one invocation
// per vec4 of z.
@compute @workgroup_size(WORKGROUP_SIZE)
fn reparameterize_grad(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.latents;
  let column = id % shape.latents;
  if (row >= shape.rows) { return; }
  let weight = step.gradient_scale * knob(shape.weight) / f32(step.rows);
  let mean = vec4f(heads[row * 2u * shape.latents + column]);
  let s = limited(vec4f(heads[(row * 2u + 1u) * shape.latents + column]));
  let upstream = vec4f(dz[id]);
  let ds = 0.5 * (upstream * (vec4f(z[id]) - mean) + weight * (exp(s) - 1.0));
  store_gradient(row, column, upstream + weight * mean, ds);
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
