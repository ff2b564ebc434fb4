// The noise that webvae draws on the GPU while training, computed on the host so that peers get the same: Philox by
// element, step, stream and sample (shaders/lib/random.wgsl, shaders/reparameterize.wgsl).
import { philox4x32, seedKey, Stream } from "../../src/random.js";

/** e ~ N(0, 1) of training step `step`, [batch, latents], for the first batch of an epoch. */
export function trainingNoise(seed: number, step: number, batch: number, latents: number): Float32Array<ArrayBuffer> {
  const groups = Math.ceil(latents / 4);
  const key = seedKey(seed);
  const noise = new Float32Array(batch * latents);
  for (let row = 0; row < batch; row++) {
    for (let group = 0; group < groups; group++) {
      const words = philox4x32([row * groups + group, step, Stream.training, 0], key);
      const draws = [...boxMuller(words[0], words[1]), ...boxMuller(words[2], words[3])];
      for (let j = 4 * group; j < Math.min(latents, 4 * group + 4); j++) noise[row * latents + j] = draws[j % 4]!;
    }
  }
  return noise;
}

function boxMuller(first: number, second: number): [number, number] {
  const uniform = (word: number) => Math.fround((word >>> 8) + 0.5) * 2 ** -24;
  const radius = Math.sqrt(Math.max(-2 * Math.log(uniform(first)), 0));
  const angle = 2 * Math.PI * uniform(second) - Math.PI;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
