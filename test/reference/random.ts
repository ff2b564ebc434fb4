// Twin of shaders/lib/random.wgsl. Philox itself is src/random.ts, which is checked against the published answers;
// the kernels are thereby checked against those.
import type { StepValues } from "../../src/executable.js";
import type { Node } from "../../src/graph.js";
import { philox4x32, type Words4 } from "../../src/random.js";

/** The four words at a place: what a kernel's counter is made of. `stream` and `sample` default to the step's. */
export function wordsAt(element: number, step: StepValues, stream = step.stream, sample = step.sample): Words4 {
  return philox4x32([element, step.step, stream, sample], [step.seed_low, step.seed_high]);
}

/** The third word of the counters of a node that draws from `stream`: each site has numbers of its own. */
export function streamAt({ attributes }: Node, stream: number): number {
  return stream + 256 * Number(attributes.site ?? 0);
}

/** (word >> 8) + 0.5 on a grid of 2^-24, with the one rounding that f32 makes of it. */
export function uniform(word: number): number {
  return Math.fround((word >>> 8) + 0.5) * 2 ** -24;
}

/** Four standard normals from four words: cosine and sine of the first two, then of the last two. */
export function normal4(words: Words4): [number, number, number, number] {
  const pair = (first: number, second: number): [number, number] => {
    const radius = Math.sqrt(-2 * Math.log(uniform(first)));
    const angle = 2 * Math.PI * uniform(second) - Math.PI;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  };
  return [...pair(words[0], words[1]), ...pair(words[2], words[3])];
}

/** Noise for row `row` of a batch with `latents` latent dimensions: counters go by vec4, across padded rows. */
export function noiseRow(row: number, latents: number, step: StepValues, stream = step.stream): Float64Array {
  const groups = Math.ceil(latents / 4);
  const noise = new Float64Array(latents);
  for (let j = 0; j < latents; j++) {
    const element = (step.first_row + row) * groups + Math.floor(j / 4);
    noise[j] = normal4(wordsAt(element, step, stream))[j % 4]!;
  }
  return noise;
}
