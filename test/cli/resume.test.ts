// A run killed at any moment continues from its checkpoint and ends with the same bits as an uninterrupted one.
import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepareFolder, writeWhole } from "../../cli/files.js";
import { openResumed } from "../../cli/resume.js";
import { recordOf } from "../../cli/training_file.js";
import { SEED } from "../support/sizes.js";

const project = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "webvae-resume-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const EPOCHS = 6;
const begin = ["--data", "gaussians", "--limit", "4000", "--batch", "40", "--epochs", String(EPOCHS), "--seed", "3"];

/** Runs `train`; `onOutput` receives the output as it grows, and may send a signal to it and to its launcher. */
function train(args: string[], onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void) {
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    // A separate process group, so that the program is killed too, and not only its launcher.
    const options = { cwd: project, detached: true } as const;
    const child = spawn(process.execPath, ["node/start.mjs", "cli/train.ts", ...args], options);
    let output = "";
    const add = (part: Buffer) => {
      output += part.toString();
      onOutput?.(output, (signal) => {
        // It may have ended by itself by then.
        if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, signal);
      });
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const read = (out: string, file: string) => readFileSync(join(out, file));
const metrics = (out: string) =>
  read(out, "metrics.jsonl")
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { epoch: number; train: { elbo: number }; test: object });

const whole = join(folder, "whole");
beforeAll(async () => {
  const { code, output } = await train([...begin, "--out", whole]);
  expect(code, output).toBe(0);
});

/** Checks that the run in `out` ended like the uninterrupted one. */
function expectSameEnd(out: string): void {
  expect(read(out, "model.safetensors").equals(read(whole, "model.safetensors"))).toBe(true);
  const [found, expected] = [out, whole].map(metrics);
  expect(found!.map(({ epoch }) => epoch)).toEqual(Array.from({ length: EPOCHS }, (_, i) => i + 1));
  expect(found!.map((one) => one.test)).toEqual(expected!.map((one) => one.test));
  // An interrupted epoch has the mean over the steps reported before and after.
  for (const [i, { train }] of found!.entries())
    expect(Math.abs(train.elbo - expected![i]!.train.elbo)).toBeLessThan(0.2);
  const [ours, theirs] = [out, whole].map((at) => recordOf(at, read(at, "checkpoint.safetensors")));
  expect(ours!.trained).toEqual(theirs!.trained);
  expect(ours!.partial).toMatchObject({ steps: 0 });
  expect(readdirSync(out).filter((name) => name.endsWith(".part"))).toEqual([]);
  // The chart's curve begins with the first process.
  expect(ours!.curve[0]![0]).toBeLessThan(1);
  expect(ours!.curve.at(-1)![0]).toBe(EPOCHS);
}

test("killed five times at random moments, it ends with the same bits", async () => {
  const out = join(folder, "killed");
  let seed = SEED;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  let kills = 0;
  let step = -1;
  for (let i = 0; i < 5; i++) {
    const going = existsSync(join(out, "checkpoint.safetensors"));
    const args = going ? ["--resume", out] : [...begin, "--out", out];
    const wait = 300 * random();
    let timer: NodeJS.Timeout | undefined;
    const { code, output } = await train([...args, "--save-every", "0"], (text, kill) => {
      // After the end of the first epoch; before that, most of the time goes into starting.
      if (/epoch +\d+\/6:/.test(text)) timer ??= setTimeout(() => kill("SIGKILL"), wait);
    });
    clearTimeout(timer);
    // A run that was faster than the kill has ended, and is compared all the same.
    if (code === 0) break;
    kills++;
    const { trained } = recordOf(out, read(out, "checkpoint.safetensors"));
    expect(trained.steps, output).toBeGreaterThanOrEqual(Math.max(step, 1));
    step = trained.steps;
  }
  expect(kills).toBeGreaterThan(0);
  const { code, output } = await train(["--resume", join(out, "checkpoint.safetensors")]);
  expect(code, output).toBe(0);
  expect(output).toMatch(/continuing after \d+ steps, \d of 6 epochs/);
  expectSameEnd(out);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s leaves a checkpoint, from which it ends with the same bits", async (signal, expected) => {
  const out = join(folder, signal);
  // Without any checkpoint during training except the first.
  const { code, output } = await train([...begin, "--out", out], (text, kill) => {
    if (/epoch +2\/6:/.test(text) && !text.includes("stopping")) kill(signal);
  });
  expect(output).toContain("stopping; writing the model and its training state first");
  expect(code, output).toBe(expected);
  expect(recordOf(out, read(out, "checkpoint.safetensors")).trained.steps).toBeGreaterThanOrEqual(200);
  const resumed = await train(["--resume", out]);
  expect(resumed.code, resumed.output).toBe(0);
  expectSameEnd(out);
});

test("a finished run can be continued for more epochs, at another rate if given", async () => {
  const out = join(folder, "more");
  const { code, output } = await train(["--resume", whole, "--out", out, "--epochs", "7", "--lr", "1e-4"]);
  expect(code, output).toBe(0);
  expect(output).toMatch(/--lr changes from 0\.001 to 0\.0001[^]*continuing after 600 steps, 6 of 7 epochs/);
  expect(metrics(out).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const again = await train(["--resume", out]);
  expect(again.code, again.output).toBe(0);
  expect(again.output).toMatch(/all 7 epochs are already trained: only writing the results/);
});

describe("--resume rejects", () => {
  const cases: [string, () => string[], RegExp][] = [
    ["a missing folder", () => [join(folder, "nowhere")], /cannot read .*nowhere: no such file or folder/],
    ["a folder without a checkpoint", () => [folder], /cannot read .*checkpoint\.safetensors: no such file/],
    [
      "a model without its state",
      () => [join(whole, "model.safetensors")],
      /INVALID_FILE.*has weights but no training state/,
    ],
    [
      "half a file",
      () => {
        const half = join(folder, "half.safetensors");
        const bytes = read(whole, "checkpoint.safetensors");
        writeFileSync(half, bytes.subarray(0, 1000));
        return [half];
      },
      /INVALID_FILE.*half\.safetensors is not a complete safetensors file: it is truncated/,
    ],
    ["a picture", () => [join(whole, "samples.png")], /INVALID_FILE.*samples\.png is not a complete safetensors file/],
    ["another batch", () => [whole, "--batch", "64"], /INVALID_OPTION.*--batch 64 contradicts .* has 40/],
    ["another seed", () => [whole, "--seed", "4"], /INVALID_OPTION.*--seed 4 contradicts .* has 3/],
    ["other data", () => [whole, "--data", "digits"], /--data digits contradicts .* has gaussians/],
    ["another limit", () => [whole, "--limit", "9"], /--limit 9 contradicts .* has 4000/],
    ["another model", () => [whole, "--model", "mlp"], /--model mlp contradicts .* has points/],
    ["other latents", () => [whole, "--latent", "5"], /--latent 5 contradicts .* has 2/],
    ["fewer epochs than already trained", () => [whole, "--epochs", "2"], /--epochs 2 is less than the 6/],
  ];
  const given = { epochs: 10, lr: 1e-3, beta: 1, out: "out" };
  test.each(cases)("%s", async (_, args, message) => {
    const [path = "", option = "", value = ""] = args();
    const name = option.slice(2);
    const options = name ? { ...given, [name]: /^\d+$/.test(value) ? Number(value) : value } : given;
    const refused = openResumed(path, options, (key) => key === name).then(
      () => "nothing",
      (error: Error & { code?: string }) => `${error.code ?? ""} ${error.message}`,
    );
    expect(await refused).toMatch(message);
  });

  test("and the command says so", async () => {
    const { code, output } = await train(["--resume", whole, "--batch", "64"]);
    expect(output).toMatch(/^error \(INVALID_OPTION\): --batch 64 contradicts the run in .*, which has 40\n$/);
    expect(code).toBe(1);
  });

  test("data that has changed", async () => {
    const changed = join(folder, "changed.safetensors");
    const text = read(whole, "checkpoint.safetensors").toString("latin1");
    writeFileSync(changed, text.replace('dataHash\\":\\"4000:', 'dataHash\\":\\"4001:'), "latin1");
    const { code, output } = await train(["--resume", changed, "--out", join(folder, "changed")]);
    expect(output).toMatch(/INVALID_DATA.*training data of gaussians differs from that of the run/);
    expect(code).toBe(1);
  });
});

describe("a file is written completely", () => {
  test.runIf(existsSync("/dev/full"))("or the old one is kept, if the disk is full", async () => {
    const path = join(folder, "kept.txt");
    await writeWhole(path, "old");
    symlinkSync("/dev/full", `${path}.${process.pid}.part`);
    await expect(writeWhole(path, "new")).rejects.toThrow(/cannot write .*kept\.txt: the disk is full/);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("leftovers of a process killed while writing are removed by the next one", async () => {
    const out = join(folder, "parts");
    await prepareFolder(out);
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => dead.on("close", resolve));
    copyFileSync(join(whole, "metrics.jsonl"), join(out, `model.safetensors.${dead.pid}.part`));
    writeFileSync(join(out, `model.safetensors.${process.pid}.part`), "of a process that lives");
    writeFileSync(join(out, "notes.part"), "somebody's own");
    await prepareFolder(out);
    expect(readdirSync(out).sort()).toEqual([`model.safetensors.${process.pid}.part`, "notes.part"]);
  });
});
