// Dawn in Node crashes if a GPU object is garbage-collected while its devices live, so the library keeps a reference.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "webgpu";
import { expect, test } from "vitest";
import { openGpu } from "../../node/gpu.js";
import { models, VAE } from "../../src/index.js";

test("a GPU object that was local to a function", async () => {
  // GPUBufferUsage and the like as globals.
  await openGpu();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const opened = async () => VAE.create(models.mlp([4], 1), { gpu: create([]), tuning: false });
  const vae = await opened();
  for (let i = 0; i < 20; i++) {
    collect();
    await new Promise((done) => setTimeout(done, 5));
  }
  expect(await vae.sample(2)).toHaveLength(8);
  vae.dispose();
  collect();
});
