// Entries beside the core and the data sets. They import the files of other entries as a program does, so that a page
// has each class once. A small pure file of src/ may be in several; one that holds state or makes a class may not.
import { build } from "esbuild";
import { resolve } from "node:path";
import { esbuildCss } from "./css.mjs";
import { ENTRIES } from "./entries.mjs";
import { esbuildWgsl } from "./wgsl.mjs";

/** Files of the core that another entry may have once more. */
const COPIED = ["checks", "options", "reimport", "shader", "shader_source", "words"].map((name) => `src/${name}.ts`);

/**
 * @param {import("esbuild").BuildOptions & { absWorkingDir: string, entryPoints: Record<string, string> }} options
 * @param {import("esbuild").Metafile} core what the core's files are made of
 */
export async function bundleFurtherEntries(options, core) {
  if (Object.keys(options.entryPoints).length === 0) return [];
  const { outputFiles = [], metafile } = await build({
    ...options,
    plugins: [otherEntries(options.absWorkingDir), esbuildWgsl(), esbuildCss()],
  });
  const twice = Object.keys(metafile?.inputs ?? {}).filter((file) => file in core.inputs && !COPIED.includes(file));
  if (twice.length > 0)
    throw new Error(`in the core and in another entry: ${twice.join(", ")}. Import the core's entry`);
  return outputFiles;
}

/**
 * Another entry stays outside, by its file's name; a WebvaeError is the core's.
 * @param {string} root
 * @returns {import("esbuild").Plugin}
 */
function otherEntries(root) {
  const scripts = new Map(ENTRIES.map(({ source, script }) => [resolve(root, source), script]));
  scripts.set(resolve(root, "src/errors.ts"), "webvae.js");
  return {
    name: "other-entries",
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
        if (kind === "entry-point") return undefined;
        const named = ENTRIES.find(({ specifier }) => specifier === path)?.script;
        const script = named ?? scripts.get(resolve(resolveDir, path.replace(/\.js$/, ".ts")));
        return script ? { path: `./${script}`, external: true } : undefined;
      });
    },
  };
}
