// Files of every version of the format that there was (files/): each is read as on the day it was saved, and its run
// continues bit for bit. Figures and hashes that the sources of version 0 gave are stored by kind of adapter, like the
// bits of the presets.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openGpu } from "../../node/gpu.js";
import { VAE } from "../../src/index.js";
import { readSafetensors, writeSafetensors } from "../../src/safetensors.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { computedOn, weightsHash } from "./bits/presets.js";
import { AFTER, BEFORE, elboOf, spec, trained, trainFor } from "./files/model.js";

const folder = join(import.meta.dirname, "files");
const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));

/** Of this kind of adapter, if it is one of those on which they were computed. */
const adapter = await (await openGpu()).requestAdapter();
const on = adapter ? computedOn(adapter) : "no adapter";
const stored = (
  JSON.parse(readFileSync(join(folder, "stored.json"), "utf8")) as Partial<
    Record<string, { reconstruction: number; kl: number; after: string }>
  >
)[on];

const load = (file: Uint8Array, device: GPUDevice) => VAE.load(file, { device, tuning: false });

test("there is a file of each version up to the one that is written", async () => {
  using vae = await VAE.create(spec, { device: await testDevice(), tuning: false });
  const version = Number(readSafetensors(await vae.save()).metadata.get("format_version"));
  expect(files.sort()).toEqual(Array.from({ length: version + 1 }, (_, i) => `version${i}.safetensors`));
  for (const [i, name] of files.entries()) {
    const said = readSafetensors(read(name)).metadata.get("format_version");
    expect([name, said]).toEqual([name, i === 0 ? undefined : String(i)]);
  }
});

describe.each(files)("%s", (name) => {
  test("gives the figures of its weights", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await load(read(name), device);
      expect(vae.spec).toEqual(spec);
      expect(vae.trained).toEqual({ steps: BEFORE, epochs: 1 });
      const figures = await elboOf(vae);
      // The same tensors, without anything that depends on the version.
      const tensors = [...readSafetensors(read(name)).tensors].map(([tensor, rest]) => ({ name: tensor, ...rest }));
      const bare = writeSafetensors(tensors.filter((tensor) => !tensor.name.startsWith("optimizer.")));
      using other = await VAE.load(bare, { device, spec, tuning: false });
      expect(await elboOf(other)).toEqual(figures);
      if (stored) expect(figures).toEqual({ reconstruction: stored.reconstruction, kl: stored.kl });
    });
  });

  test("continues its run bit for bit", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      const after = async (vae: VAE) => {
        await trainFor(vae, AFTER);
        expect(vae.trained.steps).toBe(BEFORE + AFTER);
        return weightsHash(await vae.save());
      };
      using vae = await load(read(name), device);
      const today = await vae.save({ trainingState: true });
      expect(weightsHash(today)).toBe(weightsHash(read(name)));
      const resumed = await after(vae);
      using again = await load(today, device);
      expect(await after(again)).toBe(resumed);
      // The moments count: without them the run ends elsewhere.
      using bare = await load(read(name), device);
      using fresh = await VAE.load(await bare.save(), { device, seed: 7, tuning: false });
      await trainFor(fresh, AFTER);
      expect(weightsHash(await fresh.save())).not.toBe(resumed);
      if (!stored) return;
      expect(resumed).toBe(stored.after);
      using unbroken = await trained({ device });
      expect(weightsHash(await unbroken.save({ trainingState: true }))).toBe(weightsHash(read(name)));
      expect(await after(unbroken)).toBe(resumed);
    });
  });
});
