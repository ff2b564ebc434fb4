// npm run docs: API pages of every entry, without a warning.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ENTRIES } from "../../build/entries.mjs";

const root = join(import.meta.dirname, "../..");
const out = mkdtempSync(join(tmpdir(), "webvae-docs-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

test("npm run docs documents every export, without warnings", { timeout: 300_000 }, () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { docs: string } };
  expect(scripts.docs).toBe("typedoc");
  const typedoc = [join(root, "node_modules/typedoc/bin/typedoc"), "--out", out];
  const { status, stdout, stderr } = spawnSync(process.execPath, typedoc, { cwd: root, encoding: "utf8" });
  // Any warning makes it fail.
  expect({ status, said: `${stdout}${stderr}`.match(/^.*\b(?:warning|error)\b.*$/gim) ?? [] }).toEqual({
    status: 0,
    said: [],
  });
  for (const { specifier } of ENTRIES) {
    const page = readFileSync(join(out, `modules/${specifier.replace("/", "_")}.html`), "utf8");
    expect(page).toContain(`Module ${specifier}`);
  }
  expect(readFileSync(join(out, "classes/webvae.VAE.html"), "utf8")).toContain(
    "training can continue where it stopped",
  );
  expect(existsSync(join(out, "index.html"))).toBe(true);
});
