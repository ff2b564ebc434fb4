// publint and attw (Are The Types Wrong) must not find anything in the packed package.
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { beforeAll, expect, test } from "vitest";
import { ENTRIES } from "../../build/entries.mjs";
import { packed, type Packed } from "./packed.js";

let made: Packed;
let manifest: Record<string, unknown>;
beforeAll(async () => {
  made = await packed();
  manifest = JSON.parse(readFileSync(join(made.folder, "package.json"), "utf8")) as Record<string, unknown>;
});

/** publint's findings in the tarball, or in one with another manifest. */
async function linted(change: (manifest: Record<string, unknown>) => void = () => {}) {
  const changed = structuredClone(manifest);
  change(changed);
  const paths = ["LICENSE", "README.md", ...distFiles().map((name) => `dist/${name}`)];
  const files = paths.map((name) => ({ name: `package/${name}`, data: readFileSync(join(made.folder, name)) }));
  files.push({ name: "package/package.json", data: Buffer.from(JSON.stringify(changed)) });
  const { messages } = await publint({ pkgDir: "package", pack: { files }, level: "suggestion", strict: true });
  return messages.map((message) => formatMessage(message, changed, { color: false }));
}

const distFiles = () => [
  ...Object.keys(JSON.parse(readFileSync(join(made.folder, "dist/sri.json"), "utf8")) as object),
  ...ENTRIES.map(({ types }) => `types/${types}`),
];

test("publint finds nothing, not even a suggestion", async () => {
  expect(await linted()).toEqual([]);
});

test("publint finds a planted error", async () => {
  const types = await linted((manifest) => {
    manifest.exports = { ".": { default: "./dist/webvae.js", types: "./dist/types/index.d.ts" } };
  });
  expect(types.join()).toMatch(/types/);
  expect((await linted((manifest) => (manifest.unpkg = manifest.main = "./dist/none.js"))).join()).toMatch(/none\.js/);
});

test("attw finds no problem in any entry, for bundlers and for Node's modules", async () => {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(made.tarball))));
  if (!result.types) throw new Error("attw sees no types");
  // TypeScript's resolution of 2012 knows no exports; from CommonJS Node 20.19 and later takes modules by require().
  const outside = ["NoResolution", "CJSResolvesToESM"];
  const problems = result.problems.filter(
    (problem) =>
      !("resolutionKind" in problem && outside.includes(problem.kind) && /node10|cjs/.test(problem.resolutionKind)),
  );
  expect(problems).toEqual([]);
  const names = ENTRIES.map(({ specifier }) => specifier.replace(/^webvae\/?/, "./").replace(/\/$/, ""));
  const kinds = names.map((name) => [name, result.entrypoints[name]?.resolutions.bundler.resolution?.fileName]);
  expect(kinds).toEqual(ENTRIES.map(({ types }, i) => [names[i], `/node_modules/webvae/dist/types/${types}`]));
});

test("the manifest has what a registry and a CDN show and use", () => {
  const global = "./dist/webvae.global.js";
  expect(manifest).toMatchObject({ type: "module", license: "MIT", unpkg: global, jsdelivr: global });
  for (const name of ["name", "version", "description", "author"]) expect(manifest[name]).toMatch(/./);
  expect((manifest.keywords as string[]).length).toBeGreaterThan(5);
  // The first condition that matches counts.
  for (const target of Object.values(manifest.exports as object)) {
    if (typeof target === "object") expect(Object.keys(target as object)).toEqual(["types", "default"]);
  }
  // A folder with an earlier version's build is never published.
  expect(manifest.scripts).toMatchObject({ prepack: "npm run build" });
});

test("the build prints each script's hash, which matches the packed file", () => {
  const hashes = JSON.parse(readFileSync(join(made.folder, "dist/sri.json"), "utf8")) as Record<string, string>;
  expect(Object.keys(hashes)).toContain("webvae.global.js");
  for (const [name, hash] of Object.entries(hashes)) {
    const own = createHash("sha384").update(readFileSync(join(made.folder, "dist", name)));
    expect([name, hash]).toEqual([name, `sha384-${own.digest("base64")}`]);
    expect(made.printed).toMatch(new RegExp(`dist/${name}: \\d+ bytes, .*\\n +${hash.replace(/[+/]/g, "\\$&")}`));
  }
});
