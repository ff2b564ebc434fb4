// The public declarations, one file per entry: its source's exports and the types they refer to, and nothing else. A
// file imports what earlier entries export, so that a type used by two entries is one type. The engine's own modules,
// their private members and the ambient .wgsl module stay out of a user's compilation.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ENTRIES } from "./entries.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @typedef {import("./entries.mjs").Entry} Entry */
/** @typedef {{ checker: ts.TypeChecker, files: Map<string, string>, file: (entry: Entry) => ts.SourceFile }} Declarations */
/** @typedef {{ text: string, types: string, declared: ReadonlySet<ts.Symbol>, exported: ReadonlyMap<ts.Symbol, string> }} Declared */

/**
 * The text of each file by name: index.d.ts, datasets.d.ts.
 * @returns {Map<string, string>}
 */
export function publicDeclarations() {
  const all = declarations();
  /** @type {Declared[]} */
  const done = [];
  for (const entry of ENTRIES) done.push(declarationsOf(all, entry, done));
  return new Map(done.map(({ types, text }) => [types, text]));
}

/**
 * One entry's file. What earlier entries export is imported from them.
 * @param {Declarations} all
 * @param {Entry} entry
 * @param {readonly Declared[]} before
 * @returns {Declared}
 */
function declarationsOf({ checker, files, file }, entry, before) {
  /** @type {Map<ts.Statement, string>} */
  const texts = new Map();
  /** @type {Map<string, ts.Symbol>} */
  const names = new Map();
  /** @param {ts.Symbol} symbol */
  const original = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  /** @type {Map<string, Set<string>>} */
  const imports = new Map();
  /** @type {Set<string>} */
  const globals = new Set();

  /** @param {ts.Symbol} symbol */
  const visit = (symbol) => {
    if (isWebgpu(symbol)) return void globals.add(symbol.name);
    for (const { types, exported, declared } of before) {
      const known = exported.get(symbol);
      if (known !== undefined) {
        const of = imports.get(types) ?? new Set();
        imports.set(types, of.add(known === symbol.name ? known : `${known} as ${symbol.name}`));
        return;
      }
      // Declaring it again would make it a different type.
      if (declared.has(symbol)) throw new Error(`${types} must export ${symbol.name}, which ${entry.source} names`);
    }
    for (const declaration of symbol.declarations ?? []) {
      const statement = statementOf(declaration);
      if (!statement || !files.has(statement.getSourceFile().fileName) || texts.has(statement)) continue;
      const other = names.get(symbol.name);
      // A file has a single namespace. Renaming would be confusing; the sources can avoid the conflict.
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

  const module = checker.getSymbolAtLocation(file(entry));
  if (!module) throw new Error(`${entry.source} exports nothing`);
  const exports = checker.getExportsOfModule(module);
  for (const symbol of exports) visit(original(symbol));
  const list = exports.map((symbol) => {
    const own = original(symbol);
    const type = own.flags & ts.SymbolFlags.Value ? "" : "type ";
    return `  ${type}${own.name === symbol.name ? own.name : `${own.name} as ${symbol.name}`},`;
  });
  const from = [...imports].map(
    ([types, names]) => `import type { ${[...names].sort().join(", ")} } from "./${types.replace(/\.d\.ts$/, ".js")}";`,
  );
  const webgpu = globals.size > 0 ? [webgpuInterfaces([...globals].sort())] : [];
  const body = [...from, ...webgpu, ...texts.values(), `export {\n${list.sort().join("\n")}\n};`].join("\n");
  // `using` is in no lib before esnext; the reference adds only its symbols.
  const disposable = body.includes("Symbol.dispose") ? '/// <reference lib="esnext.disposable" />\n' : "";
  return {
    text: `${disposable}${body}\n`,
    types: entry.types,
    declared: new Set(names.values()),
    exported: new Map(exports.map((symbol) => [original(symbol), symbol.name])),
  };
}

/** Whether only @webgpu/types declares it. @param {ts.Symbol} symbol */
function isWebgpu({ name, declarations = [] }) {
  const files = declarations.map((declaration) => declaration.getSourceFile().fileName);
  if (files.length === 0 || !files.every((file) => file.includes("/@webgpu/types/"))) return false;
  if (declarations.some(ts.isInterfaceDeclaration)) return true;
  throw new Error(`the public types use WebGPU's ${name}, which is not an interface: write it out`);
}

/**
 * If a user's project has WebGPU types, from TypeScript or @webgpu/types, each of these merges with its interface; if
 * it does not, they exist all the same.
 * @param {readonly string[]} names
 */
function webgpuInterfaces(names) {
  return ["declare global {", ...names.map((name) => `  interface ${name} {}`), "}"].join("\n");
}

/**
 * A program of the .d.ts files emitted for the entries and their imports.
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
    types: ["node", "@webgpu/types"],
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
  };
  const sources = ENTRIES.map(({ source }) => source);
  const source = ts.createProgram(
    [...sources, "src/wgsl.d.ts", "src/release.d.ts", "explorer/css.d.ts"].map((file) => join(root, file)),
    options,
  );
  fail(ts.getPreEmitDiagnostics(source));
  /** @type {Map<string, string>} */
  const files = new Map();
  fail(source.emit(undefined, (path, text) => files.set(path, text), undefined, true).diagnostics);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  // Without the sources, imports resolve to the declarations.
  const folders = sources.map((path) => join(root, path.slice(0, path.indexOf("/") + 1)));
  const isSource = (/** @type {string} */ path) =>
    folders.some((folder) => path.startsWith(folder)) && !path.endsWith(".d.ts");
  host.fileExists = (path) => files.has(path) || (fileExists(path) && !isSource(path));
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  };
  const emitted = (/** @type {string} */ path) => join(root, path.replace(/\.ts$/, ".d.ts"));
  const paths = Object.fromEntries(ENTRIES.map(({ specifier, source }) => [specifier, [emitted(source)]]));
  const program = ts.createProgram(sources.map(emitted), { ...options, paths, noEmit: true }, host);
  const file = (/** @type {Entry} */ { source }) => {
    const found = program.getSourceFile(emitted(source));
    if (!found) throw new Error(`${source} emits no declarations`);
    return found;
  };
  return { checker: program.getTypeChecker(), files, file };
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
 * The top-level statement that declares it; undefined for a member, a parameter or a type parameter.
 * @param {ts.Declaration} declaration
 * @returns {ts.Statement | undefined}
 */
function statementOf(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isSourceFile(node.parent) && ts.isStatement(node) ? node : undefined;
}

/** Private members. The compiler's `#private` stays, because it makes the class nominal. @param {ts.Node} node */
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
  // The public names are exported once, at the end of the file.
  return text.replace(
    /^export (declare )?(?=(abstract )?(class|const|function|interface|type|enum)\b)/m,
    (_, declare = "") => (declare === "" ? "" : "declare "),
  );
}
