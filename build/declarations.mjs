// The public declarations, a file an entry: what src/index.ts exports, and the types that those name, and nothing else;
// what src/datasets.ts exports, which takes from the first what the first exports: a type that both name is one type.
// The engine's own modules, their private members and the ambient .wgsl module stay out of a user's compilation.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @typedef {{ checker: ts.TypeChecker, files: Map<string, string>, entry: (name: string) => ts.Symbol[] }} Declarations */

/**
 * The text of each file by its name: index.d.ts, datasets.d.ts.
 * @returns {Map<string, string>}
 */
export function publicDeclarations() {
  const all = declarations();
  const core = declarationsOf(all, "index", undefined);
  const datasets = declarationsOf(all, "datasets", core);
  return new Map([
    ["index.d.ts", core.text],
    ["datasets.d.ts", datasets.text],
  ]);
}

/**
 * One entry's file. What `base` exports is imported from it.
 * @param {Declarations} all
 * @param {string} name
 * @param {{ declared: ReadonlySet<ts.Symbol>, exported: ReadonlyMap<ts.Symbol, string> } | undefined} base
 */
function declarationsOf({ checker, files, entry }, name, base) {
  /** @type {Map<ts.Statement, string>} */
  const texts = new Map();
  /** @type {Map<string, ts.Symbol>} */
  const names = new Map();
  /** @param {ts.Symbol} symbol */
  const original = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  /** @type {Set<string>} */
  const imports = new Set();

  /** @param {ts.Symbol} symbol */
  const visit = (symbol) => {
    const known = base?.exported.get(symbol);
    if (known !== undefined) return void imports.add(known === symbol.name ? known : `${known} as ${symbol.name}`);
    // Declared a second time it would be another type.
    if (base?.declared.has(symbol))
      throw new Error(`src/index.ts must export ${symbol.name}, which src/${name}.ts names`);
    for (const declaration of symbol.declarations ?? []) {
      const statement = statementOf(declaration);
      if (!statement || !files.has(statement.getSourceFile().fileName) || texts.has(statement)) continue;
      const other = names.get(symbol.name);
      // One file has one name space. Renaming would be confusing to read; the sources can avoid it.
      if (other && other !== symbol) throw new Error(`two public types are called ${symbol.name}`);
      names.set(symbol.name, symbol);
      texts.set(statement, printed(statement));
      const walk = (/** @type {ts.Node} */ node) => {
        if (isHidden(node)) return;
        if (ts.isIdentifier(node)) {
          const found = checker.getSymbolAtLocation(node);
          if (found) visit(original(found));
        }
        if (ts.isImportTypeNode(node)) throw new Error(`${symbol.name}: name the type of ${node.getText()}`);
        ts.forEachChild(node, walk);
      };
      walk(statement);
    }
  };

  const exports = entry(name);
  for (const symbol of exports) visit(original(symbol));
  const list = exports.map((symbol) => {
    const own = original(symbol);
    const type = own.flags & ts.SymbolFlags.Value ? "" : "type ";
    return `  ${type}${own.name === symbol.name ? own.name : `${own.name} as ${symbol.name}`},`;
  });
  const from = imports.size > 0 ? [`import type { ${[...imports].sort().join(", ")} } from "./index.js";`] : [];
  const body = [...from, ...texts.values(), `export {\n${list.sort().join("\n")}\n};`].join("\n");
  // `using` is in no lib before esnext; the reference brings its symbols alone.
  const disposable = body.includes("Symbol.dispose") ? '/// <reference lib="esnext.disposable" />\n' : "";
  return {
    text: `${disposable}${body}\n`,
    declared: new Set(names.values()),
    exported: new Map(exports.map((symbol) => [original(symbol), symbol.name])),
  };
}

/**
 * A program of the .d.ts files that the entries and what they import emit.
 * @returns {Declarations}
 */
function declarations() {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, "tsconfig.json"),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]),
    },
  );
  /** @type {ts.CompilerOptions} */
  const options = {
    ...config?.options,
    types: ["@webgpu/types"],
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
  };
  const source = ts.createProgram(
    ["src/index.ts", "src/datasets.ts", "src/wgsl.d.ts", "src/release.d.ts"].map((file) => join(root, file)),
    options,
  );
  fail(ts.getPreEmitDiagnostics(source));
  /** @type {Map<string, string>} */
  const files = new Map();
  fail(source.emit(undefined, (path, text) => files.set(path, text), undefined, true).diagnostics);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  // Without the sources an import finds the declarations.
  const isSource = (/** @type {string} */ path) => path.startsWith(join(root, "src/")) && !path.endsWith(".d.ts");
  host.fileExists = (path) => files.has(path) || (fileExists(path) && !isSource(path));
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  };
  const entries = ["index", "datasets"].map((name) => join(root, `src/${name}.d.ts`));
  const program = ts.createProgram(entries, { ...options, noEmit: true }, host);
  const checker = program.getTypeChecker();
  const entry = (/** @type {string} */ name) => {
    const file = program.getSourceFile(join(root, `src/${name}.d.ts`));
    const module = file && checker.getSymbolAtLocation(file);
    if (!module) throw new Error(`src/${name}.ts emits no declarations`);
    return checker.getExportsOfModule(module);
  };
  return { checker, files, entry };
}

/** @param {readonly ts.Diagnostic[]} diagnostics */
function fail(diagnostics) {
  if (diagnostics.length === 0) return;
  throw new Error(
    ts.formatDiagnostics(diagnostics, {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => "\n",
    }),
  );
}

/**
 * The top-level statement that declares it, or undefined: a member, a parameter, a type parameter.
 * @param {ts.Declaration} declaration
 * @returns {ts.Statement | undefined}
 */
function statementOf(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isSourceFile(node.parent) && ts.isStatement(node) ? node : undefined;
}

/** Private members. The `#private` that the compiler writes stays: it makes a class's type its own. @param {ts.Node} node */
function isHidden(node) {
  return ts.isPropertyDeclaration(node) && !!node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
}

/** @param {ts.Statement} statement */
function printed(statement) {
  const file = statement.getSourceFile();
  const start = statement.getStart(file, true);
  let text = "";
  let at = start;
  const cut = (/** @type {ts.Node} */ node) => {
    if (isHidden(node)) {
      text += file.text.slice(at, node.getFullStart());
      at = node.end;
    } else ts.forEachChild(node, cut);
  };
  cut(statement);
  text += file.text.slice(at, statement.end);
  // What is public is said once, at the end of the file.
  return text.replace(
    /^export (declare )?(?=(abstract )?(class|const|function|interface|type|enum)\b)/m,
    (_, declare = "") => (declare === "" ? "" : "declare "),
  );
}
