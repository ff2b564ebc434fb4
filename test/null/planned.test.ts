// What `npm run plan` and `npm run profile` take from a call as it binds its plan.
import { expect, test } from "vitest";
import { boundBy, planOf } from "../../bench/support/planned.js";
import { givenModel, someData } from "../../bench/support/model.js";
import { VAE } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { nullDevice } from "../support/gpu.js";

test("the plan of a call, which then binds nothing; or what it bound, and the call goes on", async () => {
  const spec = await givenModel("minimal", { input: [4, 4, 1], latent: 2 });
  using vae = await VAE.create(spec, { device: await nullDevice(), tuning: false });
  const data = someData(spec, 8);
  const { dispatches } = await planOf(() => vae.train(data, { batchSize: 8 }).next());
  expect(dispatches.map(({ entryPoint }) => entryPoint)).toContain("adam");
  const decoded = await planOf(() => vae.decode(new Float32Array(2)));
  expect(decoded.dispatches.map(({ entryPoint }) => entryPoint)).toEqual(["linear"]);
  const [outcome, executable] = await boundBy(async () => (await vae.decode(new Float32Array(2))).length, 1);
  expect([outcome, executable.plan]).toEqual([16, decoded]);
  await expect(planOf(() => Promise.resolve())).rejects.toThrow("bound no plan");
});

test("a model by name, of its usual shape, and its faults", async () => {
  expect((await givenModel("points", {})).input).toEqual([2]);
  expect((await givenModel("conv64", { latent: 3 })).latent).toBe(3);
  await expect(givenModel("none.json", {})).rejects.toThrow(
    fault("INVALID_OPTION", /^the model none\.json is neither/),
  );
  await expect(givenModel("conv", { input: [5, 5, 1] })).rejects.toThrow(fault("INVALID_SPEC", /divisible by 4/));
});
