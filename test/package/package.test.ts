// The package as npm publishes it: its files, and their use in Node and bundlers.
import { build } from "esbuild";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CORE, GLOBAL, ON_DEMAND } from "../../build/bundle.mjs";
import { ENTRIES, PAGE_ENTRIES } from "../../build/entries.mjs";
import { installInto } from "./packed.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "webvae-package-"));
/** A user's project with the package in its node_modules. */
const installed = join(folder, "node_modules/webvae");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown>;

beforeAll(async () => void (await installInto(folder)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("depends on nothing at run time", () => {
  for (const kind of ["dependencies", "optionalDependencies", "bundleDependencies"]) {
    expect(manifest[kind]).toBeUndefined();
  }
  // Whoever wants to run in Node installs it.
  expect(Object.keys(manifest["peerDependencies"] as object)).toEqual(["webgpu"]);
  expect(manifest["peerDependenciesMeta"]).toEqual({ webgpu: { optional: true } });
});

test("npm publishes the bundle, its declarations, the README and the license, and nothing else", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(installed, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  const scripts = [...new Set([...CORE, ...ON_DEMAND, GLOBAL, ...ENTRIES.map(({ script }) => script)])];
  const dist = scripts.flatMap((name) => [`dist/${name}`, `dist/${name}.map`]);
  dist.push(...ENTRIES.map(({ types }) => `dist/types/${types}`));
  const rest = ["LICENSE", "README.md", "dist/sri.json", "package.json"];
  expect(files.sort()).toEqual([...rest, ...dist].sort());
});

test("Node imports its entries by name, and errors from one are instances of the other's class", async () => {
  const { resolve } = await import("node:module").then(({ createRequire }) => ({
    resolve: createRequire(join(folder, "index.js")).resolve,
  }));
  for (const path of ["dist/webvae.js", "dist/core.js", "dist/layers.js", "dist/files.js"]) {
    expect(() => resolve(`webvae/${path}`)).toThrow(/not defined by "exports"/);
  }
  writeFileSync(join(folder, "name.mjs"), `export * from "webvae"; export * as datasets from "webvae/datasets";`);
  const { datasets, ...library } = (await import(
    /* @vite-ignore */ pathToFileURL(join(folder, "name.mjs")).href
  )) as typeof import("../../src/index.js") & { datasets: typeof import("../../src/datasets.js") };
  const images = datasets.digits({ split: "test", count: 2, seed: 0 });
  expect([images.count, images.values.length]).toEqual([2, 2 * 28 * 28]);
  expect(() => datasets.take(images, -1)).toThrow(library.WebvaeError);
  // Node has no navigator.gpu unless a program brings one.
  await expect(library.VAE.create(library.models.mlp([4], 2))).rejects.toMatchObject({ code: "NO_WEBGPU" });
});

test("files.js: throws the core's errors, and is rejected if it is missing or from another build", async () => {
  type Library = typeof import("../../src/index.js");
  const load = async (name: string, change: (files: string) => void) => {
    const copy = join(folder, name);
    cpSync(join(installed, "dist"), copy, { recursive: true });
    change(join(copy, "files.js"));
    const library = (await import(/* @vite-ignore */ pathToFileURL(join(copy, "webvae.js")).href)) as Library;
    const error: unknown = await library.VAE.load(new Uint8Array(20)).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(library.WebvaeError);
    return error;
  };
  expect(await load("whole", () => {})).toMatchObject({
    code: "INVALID_FILE",
    message: expect.stringMatching(/safetensors/) as string,
  });
  const failed = (reason: RegExp) => ({
    code: "DOWNLOAD_FAILED",
    message: expect.stringMatching(new RegExp(`files\\.js: .*${reason.source}`)) as string,
  });
  expect(await load("missing", (files) => rmSync(files))).toMatchObject(failed(/Cannot find module/));
  // Like a page that stays open while another release is deployed.
  const other = await load("other", (files) => {
    const text = readFileSync(files, "utf8");
    const [found, release] = /(?<=")([0-9a-f]{8})(?=")/.exec(text) ?? [];
    expect(found).toBeDefined();
    writeFileSync(files, text.replace(release!, "deadbeef"));
  });
  expect(other).toMatchObject(failed(/belongs to another release/));
});

test("a user's bundler keeps files loaded on demand separate", async () => {
  writeFileSync(
    join(folder, "page.js"),
    `import { VAE, models } from "webvae"; VAE.create(models.conv([28, 28, 1], 2));`,
  );
  /** The texts of the scripts that esbuild makes of the page. */
  const bundled = async (options: { format: "esm" | "iife"; splitting: boolean }) => {
    const entryPoints = [join(folder, "page.js")];
    const { outputFiles } = await build({
      ...{ entryPoints, outdir: folder, bundle: true, write: false, logLevel: "error" },
      ...options,
    });
    return outputFiles.map(({ text }) => text);
  };
  const split = await bundled({ format: "esm", splitting: true });
  const [core] = split.filter((text) => text.includes("fn bernoulli("));
  expect(core).not.toContain("fn conv2d(");
  expect(split.filter((text) => text.includes("fn conv2d("))).toHaveLength(1);
  const hasFiles = (text: string) => text.includes("data_offsets");
  expect(split.filter(hasFiles)).toHaveLength(1);
  expect(hasFiles(core!)).toBe(false);
  // A single file has them too.
  const whole = await bundled({ format: "iife", splitting: false });
  expect(whole.map((text) => text.includes("fn conv2d(") && hasFiles(text))).toEqual([true]);
});

test("a user's bundler keeps imports with side effects, and drops unused code", async () => {
  const bundled = async (text: string) => {
    writeFileSync(join(folder, "effects.js"), text);
    const entryPoints = [join(folder, "effects.js")];
    const how = { bundle: true, write: false, format: "esm", logLevel: "silent", treeShaking: true } as const;
    const { outputFiles } = await build({ ...how, entryPoints });
    return outputFiles[0]!.text;
  };
  const unused = PAGE_ENTRIES.filter(({ script }) => script !== "explorer.js");
  const imports = unused.map(({ specifier }, i) => `import * as entry${i} from "${specifier}"; import "${specifier}";`);
  expect(
    (await bundled(imports.join("\n")))
      .replace(/\/\/.*/g, "")
      .trim()
      .slice(0, 80),
  ).toBe("");
  // It defines an element, and the single script a global.
  expect(/define\("webvae-explorer"/.test(await bundled('import "webvae/explorer";'))).toBe(true);
  const global = join(installed, "dist", GLOBAL).replaceAll("\\", "/");
  expect((await bundled(`import ${JSON.stringify(global)};`)).includes("fn linear(")).toBe(true);
});

test.each(ENTRIES.map(({ types }) => types))(
  "the declarations of %s have no internals and no type references, and import only other entries'",
  (file) => {
    const text = readFileSync(join(installed, "dist/types", file), "utf8");
    console.log(`${file}: ${text.length} characters`);
    const imports: string[] = text.match(/^.*\bimport\b.*$/gm) ?? [];
    if (file === "index.d.ts") expect(imports).toEqual([]);
    // Not declared twice, so that a type used by both entries is one type.
    if (file === "datasets.d.ts") {
      expect(imports).toHaveLength(1);
      expect(imports[0]).toMatch(/^import type \{ [^}]*Dataset[^}]* \} from "\.\/index\.js";$/);
    }
    const known = ENTRIES.map(({ types }) => `from "./${types.replace(".d.ts", ".js")}";`);
    expect(imports.filter((line) => !known.some((end) => line.endsWith(end)))).toEqual([]);
    expect(text).not.toMatch(/reference types|reference path|\.wgsl/);
    expect(text).not.toMatch(/\bprivate (readonly|\w+;)/);
    expect(text).not.toMatch(/\b(Executable|Plan|Graph|ShaderSource|Scheduler)\b/);
  },
);
