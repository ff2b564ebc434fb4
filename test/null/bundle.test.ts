// The library's bundle: small, alone, and without anything that a strict content security policy forbids.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleLibrary, CORE, LIMIT } from "../../build/bundle.mjs";

const root = join(import.meta.dirname, "../..");

/** What a script uses from outside: imports, free names, and code made from text. */
function uses(code: string) {
  const found = { imports: [] as string[], evaluates: [] as string[], names: new Set<string>() };
  const source = ts.createSourceFile("bundle.js", code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) found.imports.push(node.moduleSpecifier.getText());
    if (ts.isExportDeclaration(node) && node.moduleSpecifier) found.imports.push(node.moduleSpecifier.getText());
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const called = node.expression;
      if (called.kind === ts.SyntaxKind.ImportKeyword) found.imports.push(node.getText());
      const name = ts.isPropertyAccessExpression(called) ? called.name.text : called.getText();
      const text = node.arguments?.[0];
      const timer = ["setTimeout", "setInterval"].includes(name) && !!text && ts.isStringLiteralLike(text);
      if (["eval", "Function", "require", "importScripts"].includes(name) || timer)
        found.evaluates.push(node.getText());
    }
    const property =
      (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) ||
      (ts.isPropertyAssignment(node.parent ?? node) && (node.parent as ts.PropertyAssignment).name === node);
    if (ts.isIdentifier(node) && !property) found.names.add(node.text);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return found;
}

describe("the bundle", () => {
  let bundle: Awaited<ReturnType<typeof bundleLibrary>>;
  beforeAll(async () => void (bundle = await bundleLibrary()));

  const scripts = ["webvae.js", "datasets.js", "shared.js"];
  const text = (name: string) => bundle.files.get(name) ?? "";

  test("is two entries and what they share, each with its map", () => {
    expect([...bundle.files.keys()].sort()).toEqual(scripts.flatMap((name) => [name, `${name}.map`]).sort());
    expect(uses(text("webvae.js")).imports).toEqual(['"./shared.js"']);
    expect(uses(text("datasets.js")).imports).toEqual(['"./shared.js"']);
    expect(uses(text("shared.js")).imports).toEqual([]);
  });

  test("takes at most 40 KB gzipped without the data sets", () => {
    const sizes = scripts.map((name) => [name, gzipSync(text(name), { level: 9 }).length] as const);
    for (const [name, size] of sizes) console.log(`${name}: ${Buffer.byteLength(text(name))} bytes, ${size} gzipped`);
    const core = sizes.filter(([name]) => name !== "datasets.js").reduce((sum, [, size]) => sum + size, 0);
    expect(bundle.gzipped).toBe(core);
    expect(LIMIT).toBeLessThanOrEqual(40_000);
    expect(core).toBeLessThanOrEqual(LIMIT);
  });

  test("has no data set in the core, and no shader or model in the data sets", () => {
    const sources = (name: string) => (JSON.parse(text(`${name}.map`)) as { sources: string[] }).sources;
    const core = CORE.flatMap(sources);
    for (const name of ["digits", "digit_strokes", "mnist", "download", "idx", "gaussians", "arrays"]) {
      expect(sources("datasets.js")).toContain(`../src/data/${name}.ts`);
      expect(core).not.toContain(`../src/data/${name}.ts`);
    }
    const foreign = [...sources("datasets.js"), ...sources("shared.js")].filter((name) => /shaders|\/ops\//.test(name));
    expect(foreign).toEqual([]);
  });

  test("evaluates no text, and knows no DOM and no Node", () => {
    const foreign = ["document", "window", "process", "Buffer", "require", "module", "WebAssembly", "eval", "Function"];
    for (const name of scripts) {
      const { evaluates, names } = uses(text(name));
      expect(evaluates).toEqual([]);
      expect(foreign.filter((found) => names.has(found))).toEqual([]);
      expect(text(name).match(/["'`]node:\w+/g)).toBeNull();
    }
  });

  test("the search finds what it looks for", () => {
    const bad = `import "node:fs"; export * from "x"; import("y"); eval("1"); new Function("2"); globalThis.eval("3");
      setTimeout("4"); const a = document.title, b = { window: 1, c: window };`;
    const { imports, evaluates, names } = uses(bad);
    expect(imports).toEqual(['"node:fs"', '"x"', 'import("y")']);
    expect(evaluates).toHaveLength(4);
    expect([names.has("document"), names.has("window"), names.has("title")]).toEqual([true, true, false]);
  });

  test("carries the shaders without comments, and only the public names", async () => {
    expect(text("webvae.js").includes("@compute @workgroup_size")).toBe(true);
    expect(text("webvae.js").includes("one invocation per")).toBe(false);
    const exported = (name: string) => {
      const list = /export\s*\{([^}]*)\}/.exec(text(name))?.[1] ?? "";
      return list.split(",").map((item) => item.split(" as ").at(-1)!.trim());
    };
    expect(exported("webvae.js").sort()).toEqual(Object.keys(await import("../../src/index.js")).sort());
    expect(exported("datasets.js").sort()).toEqual(Object.keys(await import("../../src/datasets.js")).sort());
  });

  test("has a source map with the sources in it, and no path of the machine that built it", () => {
    const of = { "webvae.js": "autoencoder", "datasets.js": "data/digits", "shared.js": "errors" };
    for (const [name, source] of Object.entries(of)) {
      expect(text(name).endsWith(`//# sourceMappingURL=${name}.map\n`)).toBe(true);
      const map = JSON.parse(text(`${name}.map`)) as { sources: string[]; sourcesContent: string[] };
      expect(map.sources).toContain(`../src/${source}.ts`);
      expect(map.sources.filter((path) => !/^\.\.\/(src|shaders)\//.test(path))).toEqual([]);
      expect(map.sourcesContent).toHaveLength(map.sources.length);
      expect(text(name).includes(root)).toBe(false);
    }
  });
});

describe("the page and the command line", () => {
  const sources = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs|js|html)$/.test(name))
      .map((name) => join(folder, name));

  /** The engine's modules that a file imports, apart from its public one. */
  function inner(file: string): string[] {
    const text = readFileSync(join(root, file), "utf8");
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1]!);
    return specifiers.filter(
      (name) => /(^|\/)(src|shaders)\//.test(name) && !/\.\.\/src\/(index|datasets)\.js$/.test(name),
    );
  }

  test.each(["demo", "cli", "test/browser"])("%s imports only the public API", (folder) => {
    const files = sources(folder);
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((file) => inner(file).map((name) => `${file} imports ${name}`))).toEqual([]);
  });

  test("the search finds an inner module", () => {
    expect(inner("test/null/random.test.ts")).toEqual(["../../src/random.js"]);
  });
});
