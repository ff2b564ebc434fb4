// The conv preset trained on pictures of digits (glorot, Keras's epsilon): compares its first ten steps with the f64
// twins, starting from the library's initial weights. For other layers and sizes see twin_images.test.ts.
import { describe } from "vitest";
import { readDataDir } from "../../cli/data_dir.js";
import { digits, take } from "../../src/datasets.js";
import { Device } from "../../src/device.js";
import { models, type Dataset } from "../../src/index.js";
import { testDevice } from "../support/gpu.js";
import { localMnist } from "../support/idx.js";
import { testTrainingSteps, type Setup } from "../support/training.js";

const device = await Device.open({ device: await testDevice() });

const setup = (data: Dataset): Setup => ({
  spec: models.conv([28, 28, 1], 2),
  count: data.count,
  values: Float64Array.from(data.values),
  initialisation: "glorot",
  gather: { batch: 8, shuffle: true },
  adam: { epsilon: 1e-7 },
  // Most of its 16 units before the heads turn off within these steps, each across its kink, and with this epsilon Adam
  // amplifies rounding errors too. Observed: 4.5e-6 of a reconstruction, 8.5e-4 of a KL term of 0.007.
  kinks: true,
  schedules: ["direct", "subgroups"],
});

const folder = localMnist();
const sets = [
  digits({ split: "train", count: 80, seed: 1 }),
  ...(folder ? [take(await readDataDir(folder, { split: "train", name: "MNIST" }), 80)] : []),
];

describe.each(sets)("$name", (data) => testTrainingSteps(device, `conv on ${data.name}`, setup(data)));
