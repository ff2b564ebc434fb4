import { describe } from "vitest";
import { Device } from "../../src/device.js";
import { partsOf } from "../../src/ops/op.js";
import { sumAll, sumPairs, sumParts } from "../../src/ops/sum.js";
import { like, tensor, weightTensor, type Tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { edges } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

function partsCase(parts: number, y: Tensor): OpCase {
  const stacked: Tensor = { ...y, name: "parts", shape: [parts, ...y.shape], storage: [parts, ...y.storage] };
  return {
    name: `sum_parts ${stacked.shape.join("x")}`,
    build: (random) => ({
      node: sumParts(stacked, y),
      values: {
        parts: random.normal(
          stacked.shape.reduce((a, b) => a * b),
          1 / 3,
        ),
      },
    }),
  };
}

describe("sum_parts", () => {
  const counts = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  testOps(device, [
    ...counts.map((parts) => partsCase(parts, like(weightTensor("W", "param", [65], [7]), "y", "gradient"))),
    ...edges.map((n) => partsCase(3, tensor("y", "gradient", [n]))),
  ]);
});

describe("sum_pairs", () => {
  const sizes = [
    [1, 1],
    [7, 65],
    [65, 3],
    [129, 64],
  ] as const;
  testOps(
    device,
    sizes.flatMap(([n, m]) =>
      [2, 9].map((parts): OpCase => {
        const stacked = (name: string, y: Tensor): Tensor => partsOf({ ...y, name }, parts);
        const [y, y2] = [like(weightTensor("W", "param", [5], [n]), "y", "gradient"), tensor("y2", "gradient", [m])];
        return {
          name: `sum_pairs ${parts}x5x${n} and ${parts}x${m}`,
          build: (random) => ({
            node: sumPairs(stacked("parts", y), y, stacked("parts2", y2), y2),
            values: { parts: random.normal(parts * 5 * n, 1 / 3), parts2: random.normal(parts * m, 1 / 3) },
          }),
        };
      }),
    ),
  );
});

describe("sum_all", () => {
  testOps(
    device,
    [...edges, 2, 4, 5, 6, 8, 9, 128, 1000].map((n): OpCase => {
      const values: Tensor = { name: "values", role: "activation", shape: [n, 1], storage: [n, 1] };
      return {
        name: `sum_all ${n}`,
        build: (random) => ({
          node: sumAll(values, tensor("y", "gradient", [1])),
          values: { values: random.uniform(n, -1 / n, 3 / n) },
        }),
      };
    }),
  );
});
