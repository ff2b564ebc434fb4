import { describe, expect } from "vitest";
import { Device } from "../../src/device.js";
import { fuse } from "../../src/fuse.js";
import { partsOf } from "../../src/ops/op.js";
import { sumAll, sumPairs } from "../../src/ops/sum.js";
import { like, size, tensor, weightTensor, type Tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { edges } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

describe("sum_pairs", () => {
  const sizes = [
    [1, 1],
    [7, 65],
    [65, 3],
    [129, 64],
    [63, 1],
  ] as const;
  testOps(
    device,
    sizes.flatMap(([n, m]) =>
      [1, 2, 3, 4, 5, 9].map((parts): OpCase => {
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

describe("sum_two_pairs", () => {
  /** Two pairs [n, m] in as many parts each as given, joined as a gradient's nodes are. */
  function joined(sizes: readonly (readonly [number, number])[], counts: readonly number[]): OpCase {
    const names = ["", "2", "3", "4"];
    const nodes = sizes.map(([n, m], i) => {
      const y = like(weightTensor("W", "param", [5], [n]), `y${names[2 * i]}`, "gradient");
      const y2 = tensor(`y${names[2 * i + 1]}`, "gradient", [m]);
      const parts = partsOf({ ...y, name: `parts${names[2 * i]}` }, counts[i]!);
      return sumPairs(parts, y, partsOf({ ...y2, name: `parts${names[2 * i + 1]}` }, counts[i]!), y2);
    });
    return {
      name: `sum_two_pairs ${sizes.map((pair) => pair.join(" and ")).join(", ")} in ${counts.join(" and ")}`,
      build: (random) => {
        const [node, ...others] = fuse({ nodes }).nodes;
        expect([node?.op, others]).toEqual(["sum_two_pairs", []]);
        const given = Object.entries(node!.inputs).map(([key, { shape }]) => [key, random.normal(size(shape), 1 / 3)]);
        return { node: node!, values: Object.fromEntries(given) as Record<string, Float64Array> };
      },
    };
  }
  testOps(device, [
    joined(
      [
        [1, 1],
        [129, 64],
      ],
      [2, 9],
    ),
    joined(
      [
        [65, 3],
        [7, 65],
      ],
      [9, 3],
    ),
    joined(
      [
        [63, 64],
        [1, 1],
      ],
      [4, 2],
    ),
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
