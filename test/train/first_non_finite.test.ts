// Where a value stops being finite, in plans whose dispatches are one for each node of the graph, fewer, or more.
import { describe, expect, it } from "vitest";
import { firstNonFinite } from "../../src/debug.js";
import { Device } from "../../src/device.js";
import { Executable } from "../../src/executable.js";
import { conv2d, convTranspose2d, dense, reshape, type ModelSpec } from "../../src/index.js";
import { flats } from "../../src/parameters.js";
import { plan } from "../../src/plan.js";
import { runnable } from "../../src/products.js";
import { memberOffsets } from "../../src/tensor.js";
import { forced } from "../support/forced.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { toStorage } from "../support/layout.js";
import { build } from "../support/training.js";

const gpu = await testDevice();
const device = await Device.open({ device: gpu });
// An activation may make a number of a NaN.
const kernel = { stride: 2 };
const spec: ModelSpec = {
  input: [8, 8, 1],
  encoder: [conv2d(8, 4, kernel), dense(6)],
  latent: 2,
  decoder: [dense(4 * 4 * 8), reshape(4, 4, 8), convTranspose2d(8, 4, kernel), conv2d(1, 3)],
  likelihood: "bernoulli",
};
const built = build({ spec, count: 8, gather: { batch: 4 } }, "first non-finite");
const { model, given, weights, training } = built;
const [[data, values]] = given;
const able = runnable(device).includes("winograd");

describe.each(able ? (["direct", "winograd"] as const) : (["direct"] as const))("%s", (schedule) => {
  const planned = plan(training, { flats: flats(model), schedule: forced(device, schedule) });

  /** What is found with a NaN as the first value of a parameter. */
  const foundWith = (parameter: string | undefined) =>
    withErrorScopes(gpu, async () => {
      const executable = await Executable.create(device, planned);
      const write = (name: string, bytes: Uint8Array<ArrayBuffer>) => {
        const { buffer, offset } = executable.locate(name);
        gpu.queue.writeBuffer(buffer, offset, bytes);
      };
      const poisoned = weights.slice();
      const member = model.params.members?.find(({ name }) => name === parameter);
      if (member) poisoned[memberOffsets(model.params).get(member.name)!] = NaN;
      write(model.params.name, new Uint8Array(poisoned.buffer));
      write(data.name, toStorage(data, values));
      try {
        return await firstNonFinite(device, executable, built.steps[0]!);
      } finally {
        executable.dispose();
      }
    });

  it("has as many dispatches as the schedule needs", () => {
    const { dispatches, nodes } = planned.plan;
    expect(dispatches).toHaveLength(nodes.length);
    if (schedule === "winograd") expect(nodes.length).toBeGreaterThan(training.nodes.length);
    else expect(nodes.length).toBeLessThan(training.nodes.length);
  });

  it("finds nothing where all is finite", async () => expect(await foundWith(undefined)).toBeUndefined());

  it("finds a transposed convolution's weight", async () => {
    const { tensor, op } = (await foundWith("decoder.2.weight"))!;
    if (schedule === "direct") expect([op, tensor]).toEqual(["conv2d_transpose", "decoder.2.output"]);
    else expect([op, tensor.split(" ")[0]]).toEqual(["winograd_weight", "decoder.2.weight.weight"]);
  });

  it("finds a weight after what is several dispatches", async () => {
    expect(await foundWith("decoder.3.weight")).toEqual({ tensor: "logits", op: "conv2d" });
  });
});
