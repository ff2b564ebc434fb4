import { expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { dataTensor, gather } from "../../src/ops/gather.js";
import { gatherLabels, labelsTensor } from "../../src/ops/labels.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { edgeShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

const of = ([batch = 1, classes = 1, count = 1]: readonly number[], shuffle: boolean, step: object = {}): OpCase => ({
  name: `gather_labels ${batch} of ${count}, ${classes} classes${shuffle ? ", shuffled" : ""} ${JSON.stringify(step)}`,
  build: (random) => ({
    node: gatherLabels(labelsTensor(count), batch, classes, shuffle),
    values: { labels: random.integers(count, 0, classes) },
    step: { rows: batch, ...step },
  }),
});

testOps(device, [
  ...edgeShapes(3).map((shape) => of(shape, true)),
  of([10, 10, 40], false, { first_row: 20 }),
  // Beyond the data's end it starts over.
  of([10, 10, 25], true, { first_row: 20, rows: 5 }),
  of([10, 300, 25], false, { first_row: 20, rows: 5 }),
]);

it("are those of the rows that gather takes", async () => {
  const [count, batch, classes] = [117, 20, 117];
  const step = { ...defaultStep, rows: batch, first_row: 40 };
  // Each example's value is its label.
  const all = Float64Array.from({ length: count }, (_, i) => (i * 7) % classes);
  const x = await runNode(device, {
    node: gather(dataTensor("floats", count, 1), { batch, shuffle: true }),
    values: { floats: all },
    step,
  });
  const { outputs } = await runNode(device, {
    node: gatherLabels(labelsTensor(count), batch, classes, true),
    values: { labels: all },
    step,
  });
  const found = Array.from({ length: batch }, (_, row) => outputs.label!.indexOf(1, row * classes) - row * classes);
  expect(found).toEqual([...x.outputs.x!]);
});
