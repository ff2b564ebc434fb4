// npm run record:demo as a developer runs it, with the shortest possible run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { afterAll, describe, expect, test } from "vitest";
import { imageCount, type Recording } from "../../demo/recorded/recording.js";

const project = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "webvae-record-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const record = (...args: string[]) => {
  const command = ["node/start.mjs", "demo/recorded/record.ts", ...args];
  return spawnSync(process.execPath, command, { cwd: project, encoding: "utf8", timeout: 590_000 });
};

describe("record:demo", () => {
  test("writes a recording of the run that it makes", () => {
    const out = join(folder, "new");
    const { status, stdout, stderr } = record("--epochs", "2", "--count", "300", "--out", out);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const recording = JSON.parse(readFileSync(join(out, "recorded.json"), "utf8")) as Recording;
    expect(recording).toMatchObject({ format: 1, epochs: 2, train: 300, batchSize: 128 });
    // With so few steps a report may cover several, but there is at least a moment at the beginning and one at the end.
    const steps = recording.moments.map(({ step }) => step);
    expect([steps[0], steps.at(-1)]).toEqual([0, 6]);
    expect(recording.losses.test.map(([epoch]) => epoch)).toEqual([1, 2]);
    const { height, width } = PNG.sync.read(readFileSync(join(out, "recorded.png")));
    const { side, columns } = recording.sheet;
    expect(width).toBe(columns * side);
    expect(height).toBe(Math.ceil(imageCount(recording.sheet, steps.length) / columns) * side);
    expect(stdout).toContain(recording.adapter);
  }, 600_000);

  test("rejects options that allow no run", () => {
    const { status, stderr } = record("--count", "20", "--out", folder);
    expect(status).toBe(1);
    expect(stderr).toContain("--count must be a whole number of at least 128, not 20");
  });
});
