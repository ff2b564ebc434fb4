// A recorded run: the contents of recorded.json, and where each picture is on the sheet, recorded.png.

/** One moment of the run; the first is before any training. */
export interface Moment {
  /** Passes over the training set so far; a fraction within one. */
  readonly epoch: number;
  readonly step: number;
  /** Training time until then. */
  readonly seconds: number;
  /** The test examples' latent means, from packPoints(). */
  readonly points: string;
}

export interface Recording {
  readonly format: 1;
  readonly adapter: string;
  readonly software: boolean;
  /** Whether the machine's processors were also busy with other work. */
  readonly busy: boolean;
  /** YYYY-MM-DD. */
  readonly date: string;
  /** Total training time. */
  readonly seconds: number;
  /** As shown: "mlp-deep, 784 – 256 – 128 – 2 – 128 – 256 – 784". */
  readonly model: string;
  readonly parameters: number;
  readonly train: number;
  readonly test: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** −ELBO in nats per example: [epoch, loss]. */
  readonly losses: { readonly train: readonly Loss[]; readonly test: readonly Loss[] };
  readonly moments: readonly Moment[];
  /** The points' classes, one character each. */
  readonly labels: string;
  readonly sheet: Sheet;
}

export type Loss = readonly [epoch: number, loss: number];

/** The images of recorded.png, row by row: originals, the manifold, then each moment's samples and reconstructions. */
export interface Sheet {
  /** Side of an image, in pixels. */
  readonly side: number;
  readonly columns: number;
  readonly pairs: number;
  /** Columns of the manifold, and also its rows. */
  readonly manifoldColumns: number;
  readonly samples: number;
}

/** The sheet's indices of the originals, the manifold, and one moment's pictures. */
export function imagesOf({ pairs, manifoldColumns, samples }: Sheet, moment: number) {
  const manifold = pairs;
  const first = manifold + manifoldColumns ** 2 + moment * (samples + pairs);
  return {
    originals: range(0, pairs),
    manifold: range(manifold, manifoldColumns ** 2),
    samples: range(first, samples),
    reconstructions: range(first + samples, pairs),
  };
}

/** Number of images on a sheet of that many moments. */
export function imageCount({ pairs, manifoldColumns, samples }: Sheet, moments: number): number {
  return pairs + manifoldColumns ** 2 + moments * (samples + pairs);
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

/** Latents within ±REACH are stored in steps of 1/32; the few others are moved to the edge. */
export const REACH = 127 / 32;

export function packPoints(latents: Float32Array): string {
  const bytes = Array.from(latents, (z) => Math.round(Math.min(Math.max(z, -REACH), REACH) * 32) & 255);
  return btoa(String.fromCharCode(...bytes));
}

export function unpackPoints(text: string): Float32Array {
  return Float32Array.from(atob(text), (character) => ((character.charCodeAt(0) << 24) >> 24) / 32);
}

/** At most `most` points: averages neighbours if there are more. */
export function thinned(losses: readonly Loss[], most: number): Loss[] {
  const run = Math.ceil(losses.length / most);
  return Array.from({ length: Math.ceil(losses.length / run) }, (_, i) => {
    const part = losses.slice(i * run, (i + 1) * run);
    const mean = part.reduce((sum, [, loss]) => sum + loss, 0) / part.length;
    return [part.at(-1)![0], mean] as const;
  });
}
