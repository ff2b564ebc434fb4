// npm run train -- --browser, as a user starts it: headless Chrome trains, and the results are in the folder.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "webvae-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("npm run train -- --browser --json", async () => {
  const options = ["--browser", "--json", "--epochs", "1", "--limit", "512", "--batch", "64", "--seed", "1"];
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const child = spawn(npm, ["run", "train", "--", ...options, "--out", folder], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
  const code = await new Promise((done) => child.on("close", done));
  expect(code, error).toBe(0);

  const result = JSON.parse(out.trimEnd().split("\n").at(-1)!) as Record<string, unknown>;
  expect(Object.keys(result).sort()).toEqual(
    ["adapter", "epochs", "files", "model", "seconds", "software", "steps", "stepsPerSecond", "test"].sort(),
  );
  expect(result).toMatchObject({ model: "mlp", epochs: 1, steps: 8, adapter: expect.stringMatching(/\w/) as string });
  const test = result["test"] as { elbo: number; reconstruction: number; kl: number };
  expect(test.elbo).toBeLessThan(-50);
  expect(test.elbo).toBeGreaterThan(-543);
  expect(test.reconstruction + test.kl).toBeCloseTo(-test.elbo, 6);
  const files = result["files"] as string[];
  expect(files.length).toBeGreaterThanOrEqual(4);
  for (const file of files) {
    expect(file.startsWith(folder)).toBe(true);
    expect(statSync(file).size, file).toBeGreaterThan(100);
    if (file.endsWith(".png")) expect(readFileSync(file).subarray(1, 4).toString()).toBe("PNG");
  }
  expect(error).not.toContain("Chrome:");
});
