// The library's bundle: small, alone, and without anything that a strict content security policy forbids.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleLibrary, LIMIT } from "../../build/bundle.mjs";

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

  test("is one module of at most 40 KB gzipped", () => {
    console.log(`webvae.js: ${Buffer.byteLength(bundle.code)} bytes, ${bundle.gzipped} gzipped`);
    expect(LIMIT).toBeLessThanOrEqual(40_000);
    expect(bundle.gzipped).toBeLessThanOrEqual(LIMIT);
    expect(uses(bundle.code).imports).toEqual([]);
  });

  test("evaluates no text, and knows no DOM and no Node", () => {
    const { evaluates, names } = uses(bundle.code);
    expect(evaluates).toEqual([]);
    const foreign = ["document", "window", "process", "Buffer", "require", "module", "WebAssembly", "eval", "Function"];
    expect(foreign.filter((name) => names.has(name))).toEqual([]);
    expect(bundle.code.match(/["'`]node:\w+/g)).toBeNull();
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
    expect(bundle.code.includes("@compute @workgroup_size")).toBe(true);
    expect(bundle.code.includes("one invocation per")).toBe(false);
    const exported = /export\s*\{([^}]*)\}/.exec(bundle.code)?.[1] ?? "";
    const names = exported.split(",").map((name) => name.split(" as ").at(-1)!.trim());
    expect(names.sort()).toEqual(Object.keys(await import("../../src/index.js")).sort());
  });

  test("has a source map with the sources in it, and no path of the machine that built it", () => {
    expect(bundle.code.slice(-100)).toMatch(/\/\/# sourceMappingURL=webvae\.js\.map\n$/);
    const map = JSON.parse(bundle.map) as { sources: string[]; sourcesContent: string[] };
    expect(map.sources).toContain("../src/autoencoder.ts");
    expect(map.sources.filter((source) => !/^\.\.\/(src|shaders)\//.test(source))).toEqual([]);
    expect(map.sourcesContent).toHaveLength(map.sources.length);
    expect(bundle.code.includes(root)).toBe(false);
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
    return specifiers.filter((name) => /(^|\/)(src|shaders)\//.test(name) && !name.endsWith("../src/index.js"));
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
