// Which file in dist/ contains which sources. The core is one file, core.js, with everything src/index.ts needs at
// once. All other files import the core's modules from there, so that each class and each state exists once on a page:
// webvae.js, which is src/index.ts with only the public names; the other entries; and what the core loads on demand.
import { build } from "esbuild";
import { basename, relative, resolve } from "node:path";
import { ENTRIES } from "./entries.mjs";

export const CORE_FILE = "core.js";
/** The files that the core imports on demand, with their sources. */
export const ON_DEMAND = { "layers.js": "src/toolbox.ts", "files.js": "src/checkpoint.ts" };

/** Source of webvae.js, with the public names. */
const INDEX = "src/index.ts";
/** The first sources in the core: similar code should be close together, because gzip's window is 32 KB. */
const FIRST = ["ops/index", "vae", "tuner", "layers/json", "layers/index", "spec"];

/**
 * @typedef {import("esbuild").BuildOptions & { absWorkingDir: string, plugins: import("esbuild").Plugin[] }} Options
 */

/**
 * The module that an import refers to; for a source file, its path from `root`.
 * @param {string} root
 * @param {{ path: string, resolveDir: string }} imported
 */
function moduleOf(root, { path, resolveDir }) {
  // A virtual file (wgsl_bundle.mjs).
  if (path === "wgsl:core") return "shaders/core.js";
  if (!path.startsWith(".")) return path;
  return relative(root, resolve(resolveDir, path.replace(/\.js$/, ".ts"))).replaceAll("\\", "/");
}

/**
 * For bundling the core: excludes what it loads on demand. @param {string} root @returns {import("esbuild").Plugin}
 */
function onDemandOutside(root) {
  return {
    name: "on-demand-outside",
    setup({ onResolve }) {
      onResolve({ filter: /./ }, (imported) => {
        if (imported.kind !== "dynamic-import") return undefined;
        const module = moduleOf(root, imported);
        const file = Object.entries(ON_DEMAND).find(([, source]) => source === module)?.[0];
        return file ? { path: `./${file}`, external: true } : undefined;
      });
    },
  };
}

/**
 * For bundling all other files: excludes the entries, which are imported by file name, and the core's modules, which
 * are imported as "core:src/errors.ts". With `names`, all the core's modules become one import of these names from
 * core.js.
 * @param {string} root
 * @param {ReadonlySet<string>} core its modules
 * @param {readonly string[]} [names]
 * @returns {import("esbuild").Plugin}
 */
function coreOutside(root, core, names) {
  const scripts = new Map(ENTRIES.map(({ source, script }) => [source, script]));
  for (const { specifier, script } of ENTRIES) scripts.set(specifier, script);
  // An entry that needs at once what the core loads on demand shares the core's file.
  for (const [file, source] of Object.entries(ON_DEMAND)) scripts.set(source, file);
  // A virtual file, next to the sources in source maps.
  const all = resolve(root, "src/core.js");
  return {
    name: "core-outside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, (imported) => {
        if (imported.kind === "entry-point") return undefined;
        if (imported.importer === all) return { path: imported.path, external: true };
        const module = moduleOf(root, imported);
        const script = scripts.get(module);
        if (script) return { path: `./${script}`, external: true };
        if (!core.has(module)) return undefined;
        return names ? { path: all, sideEffects: false } : { path: `core:${module}`, external: true };
      });
      onLoad({ filter: /[\\/]src[\\/]core\.js$/ }, () => ({
        contents: `export { ${(names ?? []).join(", ")} } from "./${CORE_FILE}";`,
      }));
    },
  };
}

/**
 * Bundles core.js, and a file for each of `entryPoints`, which maps file names without ".js" to sources. src/index.ts
 * must be among them.
 * @param {Options} options
 * @param {Record<string, string>} entryPoints
 */
export async function bundleChunks(options, entryPoints) {
  const root = options.absWorkingDir;
  const forCore = { ...options, plugins: [onDemandOutside(root), ...options.plugins] };
  const { metafile } = await build({ ...forCore, entryPoints: [INDEX], metafile: true });
  const core = new Set(Object.keys(metafile.inputs));
  core.delete(INDEX);
  /** The module of each name that core.js exports. @type {Map<string, string>} */
  const exports = new Map();
  const files = [];
  for (const [file, source] of Object.entries(entryPoints)) {
    const bundled = async (/** @type {string[] | undefined} */ names) => {
      const plugins = [coreOutside(root, core, names), ...options.plugins];
      // A file that only re-exports is shorter without short names.
      const minifyIdentifiers = source !== INDEX;
      const { outputFiles = [] } = await build({
        ...{ ...options, minify: false, minifySyntax: true, minifyWhitespace: true, minifyIdentifiers },
        ...{ entryPoints: { [file]: source }, plugins },
      });
      return outputFiles;
    };
    const draft = (await bundled(undefined)).find(({ path }) => path.endsWith(".js"))?.text ?? "";
    const names = new Map(namesOf(draft));
    for (const [name, module] of names) {
      const other = exports.get(name) ?? module;
      if (other !== module) throw new Error(`${name}: core.js can have only one of ${other}'s and ${module}'s`);
      exports.set(name, module);
    }
    files.push(...(await bundled([...names.keys()])));
  }
  const lines = [...exports].map(([name, module]) => `export { ${name} } from "./${module}";`);
  const { outputFiles = [] } = await build({
    ...forCore,
    stdin: {
      contents: [...FIRST.map((name) => `import "./src/${name}.ts";`), ...lines].join("\n"),
      resolveDir: root,
      sourcefile: CORE_FILE,
    },
    entryNames: basename(CORE_FILE, ".js"),
  });
  return [...outputFiles, ...files];
}

/**
 * The names that a script imports from the core's modules ("core:MODULE"), with their modules.
 * @param {string} script
 * @returns {[name: string, module: string][]}
 */
function namesOf(script) {
  const byNames = /\{([^}]*)\}\s*from\s*"core:([^"]+)"/g;
  const rest = /.{0,60}"core:.*?"/.exec(script.replace(byNames, ""))?.[0];
  if (rest) throw new Error(`the core's modules must be imported by name: ${rest}`);
  return [...script.matchAll(byNames)].flatMap(([, list = "", module = ""]) =>
    list.split(",").map((item) => /** @type {[string, string]} */ ([item.trim().split(" as ")[0], module])),
  );
}
