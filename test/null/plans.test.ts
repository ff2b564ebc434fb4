// The presets' dispatches in each use, compared with the text stored next to this file, so that a change to the engine
// does not change plans by accident. If a plan is meant to change, write its text again:
//   WEBVAE_UPDATE_PLANS=1 npm test -- test/null/plans.test.ts
// and review the change in git's diff.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { planTexts, type AdapterKind } from "../support/plans.js";
import { specs } from "../train/bits/presets.js";

const REMEDY = "If the plan should have changed: WEBVAE_UPDATE_PLANS=1 npm test -- test/null/plans.test.ts";
const updating = process.env["WEBVAE_UPDATE_PLANS"] === "1";

/** Stored as text; for the others, which differ little from one of these, a hash is enough. */
const readable: Record<AdapterKind, RegExp> = {
  software: /^(train|evaluate|encode|decode|sample with noise|reconstruct), batch (128|256|64)$/,
  hardware: /^train, /,
};
const kinds = ["software", "hardware"] as const;

const hash = (text: string) => `sha256 ${createHash("sha256").update(text).digest("hex")}`;
const fileOf = (preset: string) => join(import.meta.dirname, "plans", `${preset}.txt`);

/** A stored file's texts and hashes by the lines above them. */
function storedPlans(preset: string): Map<string, string> {
  const [, ...parts] = readFileSync(fileOf(preset), "utf8").split(/^== (.+) ==\n/m);
  return new Map(parts.flatMap((part, i) => (i % 2 === 0 ? [[part, parts[i + 1]!.trimEnd()] as const] : [])));
}

describe.each(Object.entries(specs))("%s", async (preset, spec) => {
  const now = new Map<string, { readonly text: string; readonly kept: string }>();
  for (const kind of kinds) {
    for (const [use, text] of await planTexts(spec, kind)) {
      now.set(`${kind}: ${use}`, { text, kept: readable[kind].test(use) ? text : hash(text) });
    }
  }
  if (updating) {
    const parts = [...now].map(([use, { kept }]) => `== ${use} ==\n${kept}\n`);
    writeFileSync(fileOf(preset), parts.join("\n"));
  }
  const stored = storedPlans(preset);

  test("the same uses are stored", () => expect([...now.keys()], REMEDY).toEqual([...stored.keys()]));

  test.each([...now])("%s", (use, { text, kept }) => {
    const other = kept === text ? "" : `\nOnly its hash is stored. Now it is:\n${text}\n`;
    expect(kept, `another plan than the stored one. ${REMEDY}${other}`).toBe(stored.get(use));
  });
});

test("two presets' plans, and those of both kinds of adapter, are told apart", () => {
  const [mlp, conv] = [storedPlans("mlp"), storedPlans("conv")];
  const of = (kind: AdapterKind) => `${kind}: train, batch 128`;
  expect(mlp.get(of("software"))).toMatch(
    /^ 0 gather_bytes x .*\n.* rows=128 .*\n(.*\n)+ {3}slot0 \(slot\) \d+ bytes\n/,
  );
  expect(new Set([mlp, conv].flatMap((plans) => kinds.map((kind) => plans.get(of(kind))))).size).toBe(4);
});
