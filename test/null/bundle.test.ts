// The library's bundle: small, self-contained, and without anything that a strict content security policy forbids.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleLibrary, CORE, FILES, GLOBAL, LAYERS, LIMIT, ON_DEMAND } from "../../build/bundle.mjs";
import { ENTRIES, PAGE_ENTRIES } from "../../build/entries.mjs";

const root = join(import.meta.dirname, "../..");

/** Property names are not variables: `a.name`, `{ name: 1 }`, `let { name: a } = b`. Names of globals are. */
function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  const isGlobal = (value: ts.Node | undefined) => /^(globalThis|self)$/.test(value?.getText() ?? "");
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node && !isGlobal(parent.expression);
  if (ts.isPropertyAssignment(parent)) return parent.name === node;
  // `let { window } = b` declares a variable with that name, so it is counted.
  if (!ts.isBindingElement(parent) || parent.propertyName !== node) return false;
  const declaration = parent.parent.parent;
  return !(ts.isVariableDeclaration(declaration) && isGlobal(declaration.initializer));
}

/** A script's dependencies: imports, free names, and code evaluated from text. */
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
    if (ts.isIdentifier(node) && !isPropertyName(node)) found.names.add(node.text);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return found;
}

describe("the bundle", () => {
  let bundle: Awaited<ReturnType<typeof bundleLibrary>>;
  beforeAll(async () => void (bundle = await bundleLibrary()));

  const entries = ENTRIES.map(({ script }) => script);
  /** Entries other than the public names and the data sets. */
  const further = entries.filter((script) => !["webvae.js", "datasets.js"].includes(script));
  const scripts = [...new Set([...CORE, ...entries, ...ON_DEMAND, GLOBAL])];
  const text = (name: string) => bundle.files.get(name) ?? "";

  /** Names that a script exports; those in its last list if it has several. */
  const exported = (name: string) => {
    const list = [...text(name).matchAll(/export\s*\{([^}]*)\}/g)].at(-1)?.[1] ?? "";
    return list.split(",").map((item) => item.split(" as ").at(-1)!.trim());
  };

  test("consists of the core, the entries, and the files loaded on demand, each with its map", () => {
    const files = [...scripts.flatMap((name) => [name, `${name}.map`]), "sri.json"];
    expect([...bundle.files.keys()].sort()).toEqual(files.sort());
    // A failed import is repeated with another address (reimport.ts).
    const again = /^import\(\w+\.href\)$/;
    const { imports } = uses(text("core.js"));
    expect(imports.filter((path) => again.test(path))).toHaveLength(1);
    const usual = [`import("./${FILES}")`, `import("./${LAYERS}")`];
    expect(imports.filter((path) => !again.test(path)).sort()).toEqual(usual);
    // The core is one file that comes with one import, so there is never a third file to load at first.
    for (const name of ["webvae.js", "datasets.js"]) expect(uses(text(name)).imports).toEqual(['"./core.js"']);
    for (const name of ON_DEMAND) expect(uses(text(name)).imports).toEqual(['"./core.js"']);
    expect(uses(text(GLOBAL)).imports.filter((path) => !again.test(path))).toEqual([]);
    // The others also import entries by file name, so that no class exists twice.
    const known = ["core.js", LAYERS, ...entries].flatMap((script) => [`"./${script}"`, `import("./${script}")`]);
    // And Node's entry its modules, and npm's webgpu when it is asked for a GPU.
    const foreign = further.flatMap((name) =>
      uses(text(name)).imports.flatMap((path) => (known.includes(path) || again.test(path) ? [] : [[name, path]])),
    );
    expect(foreign.filter(([name, path]) => !(name === "node.js" && path!.startsWith('"node:')))).toEqual([
      ["node.js", 'import("webgpu")'],
    ]);
  });

  test("contains each source of the core once, and core.js exports only what is imported from it", () => {
    const sources = (name: string) => (JSON.parse(text(`${name}.map`)) as { sources: string[] }).sources;
    const core = new Set(sources("core.js"));
    for (const name of scripts.filter((script) => !["core.js", GLOBAL].includes(script))) {
      expect([name, sources(name).filter((source) => core.has(source))]).toEqual([name, []]);
    }
    const imported = scripts.flatMap((name) =>
      [...text(name).matchAll(/import\s*\{([^}]*)\}\s*from\s*"\.\/core\.js"/g)].flatMap(([, list = ""]) =>
        list.split(",").map((item) => item.trim().split(" as ")[0]!),
      ),
    );
    expect(exported("core.js").sort()).toEqual([...new Set(imported)].sort());
  });

  test("takes at most 41.5 KB gzipped, without the data sets and the files loaded on demand", () => {
    const sizes = scripts.map((name) => [name, gzipSync(text(name), { level: 9 }).length] as const);
    for (const [name, size] of sizes) console.log(`${name}: ${Buffer.byteLength(text(name))} bytes, ${size} gzipped`);
    const apart = ["datasets.js", ...further, ...ON_DEMAND, GLOBAL];
    const atOnce = sizes.filter(([name]) => !apart.includes(name));
    const core = atOnce.reduce((sum, [, size]) => sum + size, 0);
    console.log(`the core: ${core} gzipped (limit ${LIMIT}); ${ON_DEMAND.join(" and ")} are loaded on demand`);
    expect(bundle.gzipped).toBe(core);
    expect(LIMIT).toBeLessThanOrEqual(41_500);
    expect(core).toBeLessThanOrEqual(LIMIT);
  });

  test("is as large as docs/embedding.md and the README say", () => {
    const page = readFileSync(join(root, "docs/embedding.md"), "utf8");
    const rows = [...page.matchAll(/^\| `([\w.]+\.js)` \| (\d+) KB \|/gm)].map(
      ([, name = "", size = ""]) => [name, Number(size)] as const,
    );
    expect(rows.map(([name]) => name).sort()).toEqual([...scripts].sort());
    // One more or less, so that not every commit has to touch the page.
    const real = (name: string) => (bundle.sizes.get(name)?.gzipped ?? 0) / 1000;
    const wrong = rows.filter(([name, size]) => Math.abs(real(name) - size) > 1.5);
    expect(wrong.map(([name, size]) => `${name}: ${size} KB, but it has ${real(name).toFixed(1)}`)).toEqual([]);
    const limit = `${LIMIT / 1000} KB`;
    expect(page).toContain(`exceed ${limit}`);
    expect(readFileSync(join(root, "README.md"), "utf8")).toContain(`at most ${limit} gzipped`);
  });

  test("has no code for data sets or model files in the core, and none for shaders or models in the data sets", () => {
    const sources = (name: string) => (JSON.parse(text(`${name}.map`)) as { sources: string[] }).sources;
    const core = CORE.flatMap(sources);
    for (const name of ["digits", "digit_strokes", "mnist", "download", "idx", "gaussians", "sprites", "arrays"]) {
      expect(sources("datasets.js")).toContain(`../src/data/${name}.ts`);
      expect(core).not.toContain(`../src/data/${name}.ts`);
    }
    const foreign = sources("datasets.js").filter((name) => /shaders|\/ops\//.test(name));
    expect(foreign).toEqual([]);
    const layers = ["further", "conv2d", "winograd", "pool", "batch_norm", "group_norm", "gaussian"];
    expect(sources(LAYERS)).toEqual(expect.arrayContaining(layers.map((name) => `../src/ops/${name}.ts`)));
    expect(sources(LAYERS)).toContain("../shaders/layers.js");
    expect(sources("core.js").filter((name) => sources(LAYERS).includes(name))).toEqual([]);
    expect(core).toContain("../shaders/core.js");
    expect(core).not.toContain("../shaders/layers.js");
    const files = [
      "checkpoint",
      "half",
      "model_part",
      "named_weights",
      "safetensors",
      "safetensors_header",
      "saved_tensors",
    ];
    // Besides what stands for the imports from core.js.
    const own = sources(FILES).filter((name) => name !== "../src/core.js");
    expect(own.sort()).toEqual(files.map((name) => `../src/${name}.ts`));
    expect(core.filter((name) => own.includes(name))).toEqual([]);
  });

  test("evaluates no text, and uses neither the DOM nor Node", () => {
    const foreign = ["document", "window", "process", "Buffer", "require", "module", "WebAssembly", "eval", "Function"];
    for (const { script } of PAGE_ENTRIES) expect(text(script).match(/["'`]node:\w+/g)).toBeNull();
    for (const name of scripts) {
      const { evaluates, names } = uses(text(name));
      expect(evaluates).toEqual([]);
      // Entries that draw on a page may use the DOM.
      if (further.includes(name)) continue;
      // Code that repeats imports must respect the page's import map (reimport.ts).
      const known = [...CORE, GLOBAL].includes(name) ? ["document"] : [];
      expect(foreign.filter((found) => names.has(found) && !known.includes(found))).toEqual([]);
      expect(text(name).match(/["'`]node:\w+/g)).toBeNull();
    }
  });

  test("the search works", () => {
    const bad = `import "node:fs"; export * from "x"; import("y"); eval("1"); new Function("2"); globalThis.eval("3");
      setTimeout("4"); const a = document.title, b = { history: 1, c: window };
      const { location: d, inner: { origin: e = parent } } = b, { process: f } = globalThis, g = self.module;
      function h({ screen: i }, { opener }) { return { frames }; }`;
    const { imports, evaluates, names } = uses(bad);
    expect(imports).toEqual(['"node:fs"', '"x"', 'import("y")']);
    expect(evaluates).toHaveLength(4);
    const found = ["document", "window", "parent", "process", "module", "opener", "frames"];
    expect(found.filter((name) => !names.has(name))).toEqual([]);
    expect(["title", "history", "location", "inner", "origin", "screen"].filter((name) => names.has(name))).toEqual([]);
  });

  test("contains the shaders without comments, and only the public names", async () => {
    for (const name of ["core.js", LAYERS]) {
      expect(text(name)).toContain("@compute @workgroup_size");
      expect(text(name)).not.toContain("one invocation per");
    }
    // A convolution's text, recognized by an entry point, which keeps its name, is not in the core.
    expect(text(LAYERS)).toContain("fn conv2d(");
    expect(text("core.js")).not.toContain("fn conv2d(");
    expect(text("core.js")).toContain("fn linear(");
    expect(exported("webvae.js").sort()).toEqual(Object.keys(await import("../../src/index.js")).sort());
    expect(exported("datasets.js").sort()).toEqual(Object.keys(await import("../../src/datasets.js")).sort());
    expect(exported("node.js")).toEqual(["nodeGpu"]);
    // The others use the DOM, so not all of them can be imported here.
    for (const { script } of ENTRIES)
      expect(exported(script).filter((name) => !/^[A-Za-z]\w+$/.test(name))).toEqual([]);
  });

  test("has one script with everything for pages without modules, which declares one name", () => {
    const code = text(GLOBAL);
    const { statements } = ts.createSourceFile(GLOBAL, code, ts.ScriptTarget.ES2022, true);
    const names = statements.flatMap((node) =>
      ts.isVariableStatement(node) ? node.declarationList.declarations.map(({ name }) => name.getText()) : ["?"],
    );
    // A directive is not a name.
    expect(names.filter((name) => name !== "?")).toEqual(["webvae"]);
    for (const part of ["fn linear(", "fn conv2d(", "data_offsets", "t10k-images", "ImagePainter", "@fragment"])
      expect(code).toContain(part);
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(code.startsWith(`/*! webvae ${version} | MIT License */`)).toBe(true);
  });

  test("has each script's hash in sri.json", () => {
    const hashes = JSON.parse(text("sri.json")) as Record<string, string>;
    const own = scripts.map((name) => [name, createHash("sha384").update(text(name), "utf8").digest("base64")]);
    expect(hashes).toEqual(Object.fromEntries(own.map(([name, hash]) => [name, `sha384-${hash}`])));
  });

  test("has a source map that includes the sources and no paths of the build machine", () => {
    const of = {
      ...Object.fromEntries(ENTRIES.map(({ script, source }) => [script, source])),
      [GLOBAL]: "src/global.ts",
      // It has no code of its own.
      "webvae.js": "src/core.js",
      "core.js": "src/autoencoder.ts",
      "datasets.js": "src/data/digits.ts",
      [LAYERS]: "shaders/layers.js",
      [FILES]: "src/checkpoint.ts",
    };
    for (const [name, source] of Object.entries(of)) {
      expect(text(name).endsWith(`//# sourceMappingURL=${name}.map\n`)).toBe(true);
      const map = JSON.parse(text(`${name}.map`)) as { sources: string[]; sourcesContent: string[] };
      expect(map.sources).toContain(`../${source}`);
      expect(map.sources.filter((path) => !/^\.\.\/(src|shaders|explorer|node)\//.test(path))).toEqual([]);
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

  /** The engine's modules that a file imports, other than the public one. */
  function inner(file: string): string[] {
    const text = readFileSync(join(root, file), "utf8");
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1]!);
    return specifiers.filter(
      (name) => /(^|\/)(src|shaders)\//.test(name) && !/\.\.\/src\/(index|datasets|describe)\.js$/.test(name),
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
