// Runs that are rejected, stopped, or fail midway: the command's messages, and the files it leaves.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeModel } from "../../cli/files.js";
import { readSafetensors } from "../../src/safetensors.js";
import { command } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "webvae-broken-off-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("Ctrl-C stops the run and still writes the model", async () => {
  const out = join(folder, "stopped");
  let asked = false;
  const args = ["--limit", "256", "--epochs", "100000", "--batch", "64", "--out", out, "--json"];
  const { code, stdout, stderr } = await command("train", args, (text, kill) => {
    if (!asked && /epoch +2\//.test(text)) {
      asked = true;
      kill();
    }
  });
  expect(stderr).toContain("stopping");
  expect(code).toBe(130);
  const { steps } = JSON.parse(stdout.trim().split("\n").at(-1)!) as { steps: number };
  expect(steps).toBeGreaterThanOrEqual(8);
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(join(out, "model.safetensors"))));
  expect(tensors.size).toBe(10);
  expect(existsSync(join(out, "samples.png"))).toBe(true);
});

const blocked = join(folder, "a-file");
const bad: [string, string[], RegExp][] = [
  ["an out folder that is a file", ["--out", blocked], /cannot write to the out folder .*a file is in the way/],
  ["not a number", ["--lr", "fast"], /--lr.*fast/],
  ["zero epochs", ["--epochs", "0"], /--epochs.*0.*whole number/],
  ["images of a size that the preset cannot halve", ["--model", "conv64"], /conv64 needs images.* by 16.*28, 28, 1/],
  ["convolutions of points", ["--data", "gaussians", "--model", "conv"], /conv needs images.* by 4, not \[2\]/],
  ["an epsilon of zero", ["--epsilon", "0"], /adam\.epsilon must be a number from 1e-30 to 1, not 0/],
  ["an unknown initialization", ["--init", "zeros"], /--init.*zeros.*torch, glorot/],
  ["a folder for generated data", ["--data", "sprites", "--data-dir", folder], /sprites is generated/],
  ["an unknown data set", ["--data", "cats"], /cats.*digits, mnist/],
  ["a missing model", ["--model", "nowhere.json"], /nowhere\.json is neither one of mlp/],
  ["a folder without IDX files", ["--data", "mnist", "--data-dir", folder], /INVALID_FILE|train-images/],
  ["a spec for other data", ["--data", "gaussians", "--model", join(folder, "images.json")], /2 values.*784/],
];
test.each(bad)("%s is rejected at once", async (_, args, message) => {
  writeFileSync(blocked, "");
  const decoder = [{ type: "dense", units: 784 }];
  const images = { input: [784], encoder: [], latent: 2, decoder, likelihood: { type: "gaussian", variance: 1 } };
  writeFileSync(join(folder, "images.json"), JSON.stringify(images));
  const { code, stderr } = await command("train", ["--out", join(folder, "refused"), ...args]);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(1);
});

test("a model that cannot be written to its folder is written elsewhere", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const error = await writeModel(join(folder, "gone", "model.safetensors"), bytes).catch((thrown: Error) => thrown);
  const rescue = /was written to (\S+) instead/.exec(error?.message ?? "")?.[1] ?? "";
  expect(new Uint8Array(readFileSync(rescue))).toEqual(bytes);
  rmSync(rescue);
});

test("an error mid-run keeps the weights, and a rejected run leaves an earlier one untouched", async () => {
  const out = join(folder, "faults");
  const args = ["--data", "gaussians", "--limit", "1000", "--out", out];
  // At this rate the loss overflows within the first epochs.
  const broken = await command("train", [...args, "--batch", "10", "--lr", "1e6", "--epochs", "3"]);
  expect(broken.code).toBe(1);
  const kept = readFileSync(join(out, "model.safetensors"));
  expect(readSafetensors(new Uint8Array(kept)).tensors.size).toBeGreaterThan(4);
  writeFileSync(join(out, "metrics.jsonl"), "earlier\n");
  const refused = await command("train", [...args, "--epsilon", "0"]);
  expect(refused.stderr).toMatch(/adam\.epsilon/);
  expect(readFileSync(join(out, "metrics.jsonl"), "utf8")).toBe("earlier\n");
  expect(readFileSync(join(out, "model.safetensors"))).toEqual(kept);
});

test("two signals within a second count as one, and a run stopped before its first step writes nothing", async () => {
  const out = join(folder, "early");
  // Compiling its first step takes seconds, so that the signals come before it even on a busy machine.
  const args = ["--model", "conv", "--limit", "256", "--epochs", "9", "--batch", "64", "--out", out, "--json"];
  let asked = false;
  const early = await command("train", args, (text, kill) => {
    if (asked || !/adapter: /.test(text)) return;
    asked = true;
    kill();
    kill();
  });
  expect(early.stderr).toContain("stopped before the first step; nothing was written");
  expect(early.code).toBe(130);
  expect(existsSync(join(out, "model.safetensors"))).toBe(false);
});
