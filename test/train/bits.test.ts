// The same seed gives the same bits: compares each preset's weights after twenty steps with those stored for this kind
// of adapter. On another kind, or after a compiler or driver has changed, first generate the bits of a commit that is
// known to be right on this machine: npm run bits -- --against COMMIT.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openGpu } from "../../node/gpu.js";
import { VAE } from "../../src/index.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { bitsOf, computedOn, presets, specs, weightsHash } from "./bits/presets.js";

const adapter = await (await openGpu()).requestAdapter();
const on = adapter ? computedOn(adapter) : "no adapter";
const stored = JSON.parse(readFileSync(join(import.meta.dirname, "bits/stored.json"), "utf8")) as Partial<
  Record<string, Record<string, string>>
>;
const remedy =
  "npm run bits -- --against COMMIT, of a commit whose weights are right, computes both sides on this machine and " +
  "stores the bits if they agree";

test("there are stored bits for this kind of adapter", () => {
  expect(Object.keys(stored), `no bits are stored for ${on}. ${remedy}`).toContain(on);
});

test.each(presets)("%s", async (preset) => {
  const device = await testDevice();
  const bits = await withErrorScopes(device, () => bitsOf(preset, { device }));
  expect(
    bits,
    `${preset} ends with other weights than those stored for ${on}. If no source change explains this: ${remedy}`,
  ).toBe(stored[on]?.[preset]);
});

test("the hash covers every weight's bits", async () => {
  const device = await testDevice();
  using vae = await VAE.create(specs.points, { device, seed: 7 });
  const file = await vae.save();
  const hash = weightsHash(file);
  expect(weightsHash(await vae.save())).toBe(hash);
  file[file.length - 1]! ^= 1;
  expect(weightsHash(file)).not.toBe(hash);
});
