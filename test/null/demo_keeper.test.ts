// When the demo saves its model: the last save has the final state, and failed saves are tried again.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defaults } from "../../demo/settings.js";
import type { Autosave } from "../../demo/training/autosave.js";
import { Gate } from "../../demo/training/gate.js";
import { Keeper } from "../../demo/training/keeper.js";
import type { Trainer } from "../../demo/training/trainer.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function trainerAt(steps: number, save = () => Promise.resolve(new Uint8Array(1))) {
  const vae = { trained: { steps, epochs: 0 }, save };
  const trainer = { vae, settings: defaults, losses: { all: { train: [], test: [] } }, gate: new Gate() };
  return { vae, trainer: trainer as unknown as Trainer };
}

/** Saves at once, or when `keep` resolves. */
function storage(keep: (steps: number) => Promise<boolean> = () => Promise.resolve(true)) {
  const kept: number[] = [];
  const failures: string[] = [];
  const autosave = {
    open: true,
    keep: (_: unknown, { steps }: { steps: number }) => {
      kept.push(steps);
      return keep(steps);
    },
    failed: (error: Error) => failures.push(error.message),
    forget: () => {},
  };
  return { kept, failures, autosave, keeper: new Keeper(autosave as unknown as Autosave) };
}

it("writes once more if the model was trained further during the write", async () => {
  let written = () => {};
  const { kept, keeper } = storage(() => new Promise((done) => (written = () => done(true))));
  const { vae, trainer } = trainerAt(3);
  const consider = () => keeper.consider(trainer, "digits", true);

  const first = consider();
  await vi.waitFor(() => expect(kept).toEqual([3]));
  vae.trained = { steps: 5, epochs: 0 };
  // Its last step, which nothing else would report.
  await consider();
  expect(kept).toEqual([3]);
  written();
  await vi.waitFor(() => expect(kept).toEqual([3, 5]));
  written();
  await first;
  await consider();
  expect(kept).toEqual([3, 5]);
});

it("a different model with the same number of steps is saved too", async () => {
  const { kept, keeper } = storage();
  await keeper.consider(trainerAt(4).trainer, "digits", true);
  keeper.forget();
  await keeper.consider(trainerAt(4).trainer, "digits", true);
  expect(kept).toEqual([4, 4]);
});

it("retries by itself until the model is saved and stored, and reports why it was not", async () => {
  let online = false;
  const { vae, trainer } = trainerAt(6, () =>
    online ? Promise.resolve(new Uint8Array(1)) : Promise.reject(new Error("files.js could not be loaded")),
  );
  let room = false;
  const { kept, failures, autosave, keeper } = storage(() => Promise.resolve(room));
  await keeper.consider(trainer, "digits", true);
  expect([failures, kept]).toEqual([["files.js could not be loaded"], []]);
  await vi.advanceTimersByTimeAsync(45_000);
  expect([failures.length, kept]).toEqual([3, []]);
  online = true;
  // While paused, nothing else would consider it.
  await vi.advanceTimersByTimeAsync(20_000);
  expect([failures.length, kept]).toEqual([3, [6]]);
  // Not stored: another tab has the lock, or there is no space.
  autosave.open = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(kept).toEqual([6]);
  [autosave.open, room] = [true, true];
  await vi.advanceTimersByTimeAsync(20_000);
  expect(kept).toEqual([6, 6]);
  expect(vi.getTimerCount()).toBe(0);
  // The gate is open all the while.
  await trainer.gate.pass();
  expect(vae.trained.steps).toBe(6);
});

it.each(["DEVICE_LOST", "DISPOSED"])("a model that is gone is neither reported nor retried: %s", async (code) => {
  const { failures, keeper } = storage();
  const { trainer } = trainerAt(2, () => Promise.reject(Object.assign(new Error("gone"), { code })));
  await keeper.consider(trainer, "digits", true);
  expect([failures, vi.getTimerCount()]).toEqual([[], 0]);
});
