// Which examples lie near a position in the latent space, and where each class has its mean.
import { distance } from "./path.js";

/** The most frequent label among the nearest points, and how many of them have it. */
export interface Neighbourhood {
  readonly label: number;
  readonly count: number;
  readonly of: number;
}

/** Searches points [n, latent] with labels. */
export function neighbourhood(
  z: Float32Array,
  points: Float32Array,
  labels: Uint8Array,
  nearest = 15,
): Neighbourhood | undefined {
  const latent = z.length;
  const found = Array.from({ length: points.length / latent }, (_, row) => ({
    far: distance(z, points.subarray(row * latent, (row + 1) * latent)),
    label: labels[row]!,
  }));
  found.sort((a, b) => a.far - b.far);
  const around = found.slice(0, nearest);
  const counts = new Map<number, number>();
  for (const { label } of around) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most && { label: most[0], count: most[1], of: around.length };
}

/** The mean of each class's points, by label; classes without points are left out. */
export function classMeans(points: Float32Array, width: number, labels: Uint8Array): Map<number, Float32Array> {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const means = new Map([...counts.keys()].sort((a, b) => a - b).map((label) => [label, new Float32Array(width)]));
  labels.forEach((label, row) => {
    const mean = means.get(label)!;
    for (let i = 0; i < width; i++) mean[i]! += points[row * width + i]! / counts.get(label)!;
  });
  return means;
}
