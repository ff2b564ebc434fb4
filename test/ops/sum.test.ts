import { describe } from "vitest";
import { Device } from "../../src/device.js";
import { sumAll, sumParts } from "../../src/ops/sum.js";
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
