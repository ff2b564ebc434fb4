// Labels of a chart moved apart.

/** Pushes points that are closer than `gap` apart, moving each as little as possible. */
export function spread(points: readonly (readonly [number, number])[], gap: number): [number, number][] {
  const moved = points.map(([x, y]): [number, number] => [x, y]);
  for (let round = 0; round < 200; round++) {
    let touching = false;
    for (let i = 0; i < moved.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [moved[i]!, moved[j]!];
        const [dx, dy] = [a[0] - b[0], a[1] - b[1]];
        const distance = Math.hypot(dx, dy);
        if (distance >= gap * 0.99) continue;
        touching = true;
        // Points at the same position separate in different directions.
        const [ux, uy] = distance > gap * 1e-6 ? [dx / distance, dy / distance] : [Math.cos(i), Math.sin(i)];
        const push = (gap - distance) / 2;
        moved[i] = [a[0] + ux * push, a[1] + uy * push];
        moved[j] = [b[0] - ux * push, b[1] - uy * push];
      }
    }
    if (!touching) break;
  }
  return moved;
}
