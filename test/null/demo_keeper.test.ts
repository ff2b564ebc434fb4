// When the demo keeps its model: what is kept last is the model as it stands.
import { expect, it, vi } from "vitest";
import { defaults } from "../../demo/settings.js";
import type { Autosave } from "../../demo/training/autosave.js";
import { Gate } from "../../demo/training/gate.js";
import { Keeper } from "../../demo/training/keeper.js";
import type { Trainer } from "../../demo/training/trainer.js";

it("writes once more where the model has gone on while it was written", async () => {
  const kept: number[] = [];
  let written = () => {};
  const keep = (_: unknown, { steps }: { steps: number }) => {
    kept.push(steps);
    return new Promise<void>((done) => (written = done));
  };
  const vae = { trained: { steps: 3, epochs: 0 }, save: () => Promise.resolve(new Uint8Array(1)) };
  const trainer = { vae, settings: defaults, losses: { all: { train: [], test: [] } }, gate: new Gate() };
  const keeper = new Keeper({ keep } as unknown as Autosave);
  const consider = () => keeper.consider(trainer as unknown as Trainer, "digits", true);

  const first = consider();
  await vi.waitFor(() => expect(kept).toEqual([3]));
  vae.trained = { steps: 5, epochs: 0 };
  // Its last step; nothing else would tell of it.
  await consider();
  expect(kept).toEqual([3]);
  written();
  await vi.waitFor(() => expect(kept).toEqual([3, 5]));
  written();
  await first;
  await consider();
  expect(kept).toEqual([3, 5]);
});
