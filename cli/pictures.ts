// The pictures of a run, by file name.
import type { Dataset, ModelSpec } from "../src/index.js";
import { lossChart, type LossHistory } from "./charts.js";
import { classesOf } from "./classes.js";
import { imageGrid, reconstructionGrid } from "./png.js";
import { svgToPng } from "./rasterise.js";
import { latentScatter, pointsScatter } from "./scatter.js";
import { hasManifold, isNormal, MANIFOLD_SIDE, type RunResult } from "./run.js";

export type ImageShape = readonly [number, number, number];

/** The shape of an image data set; undefined for points. */
export function imageShape(shape: readonly number[]): ImageShape | undefined {
  const [h, w, c = 1] = shape;
  return h !== undefined && w !== undefined && (c === 1 || c === 3) ? [h, w, c] : undefined;
}

/** samples.png from images [count, h, w, c]. */
export function samplesPicture(images: Float32Array, shape: ImageShape, columns = 10): Uint8Array {
  const count = images.length / (shape[0] * shape[1] * shape[2]);
  return imageGrid({ images, count, shape: [...shape], columns: Math.min(columns, count) });
}

/** Sentences on the pictures of a model whose prior or condition changes them. */
export function pictureNotes(spec: ModelSpec, dataShape: readonly number[]): string[] {
  const notes: string[] = [];
  const classes = classesOf(spec);
  if (classes !== undefined && imageShape(dataShape)) {
    notes.push(`samples.png: a row for each class, 0 to ${classes - 1}; each column decodes the same draw of z`);
  }
  if (spec.latent === 2 && !hasManifold(spec)) {
    const why = classes === undefined ? "its grid is spaced for the prior N(0, 1)" : "it would show one class only";
    notes.push(`no manifold.png: ${why}`);
  }
  return notes;
}

/** Every file name that runPictures may return. */
export const pictureNames = ["samples.png", "reconstructions.png", "manifold.png", "latent.png", "loss.svg"] as const;

export async function runPictures(
  result: RunResult,
  test: Dataset,
  history: LossHistory,
  title: string,
  spec: ModelSpec,
): Promise<Record<string, Uint8Array | string>> {
  const files: Record<string, Uint8Array | string> = {};
  const { samples, originals, reconstructions, means, manifold } = result;
  const shape = imageShape(test.shape);
  if (shape) {
    files["samples.png"] = samplesPicture(samples, shape);
    const count = originals.length / (shape[0] * shape[1] * shape[2]);
    files["reconstructions.png"] = reconstructionGrid({
      originals,
      reconstructions,
      count,
      shape: [...shape],
      columns: 10,
    });
    if (manifold) {
      files["manifold.png"] = imageGrid({
        images: manifold,
        count: MANIFOLD_SIDE ** 2,
        shape: [...shape],
        columns: MANIFOLD_SIDE,
        gap: 0,
      });
    }
  } else if (test.shape.length === 1 && test.shape[0] === 2) {
    const data = { name: "Data", points: originals };
    files["samples.png"] = await svgToPng(
      pointsScatter({ title: `Samples, ${title}`, sets: [data, { name: "Samples", points: samples }] }),
    );
    files["reconstructions.png"] = await svgToPng(
      pointsScatter({
        title: `Reconstructions, ${title}`,
        sets: [data, { name: "Reconstructions", points: reconstructions }],
        linked: true,
      }),
    );
    if (manifold) {
      files["manifold.png"] = await svgToPng(
        pointsScatter({
          title: `Decoded grid of latents, ${title}`,
          sets: [data, { name: "Decoded grid", points: manifold }],
        }),
      );
    }
  }
  if (means) {
    const posterior = spec.condition ? "q(z|x, c)" : "q(z|x)";
    const labels = test.labels?.subarray(0, means.length / 2);
    files["latent.png"] = await svgToPng(
      latentScatter({
        means,
        ...(labels ? { labels } : {}),
        circle: isNormal(spec),
        title: `Means of ${posterior}, ${title}`,
      }),
    );
  }
  if (history.epochs.length > 0 || (history.steps?.length ?? 0) > 0) {
    files["loss.svg"] = lossChart(history, { title });
  }
  return files;
}
