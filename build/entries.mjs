// The entries, which programs import by name. The only list of them is "exports" in package.json; to add an entry, add
// a line there: "./NAME" is built from src/NAME.ts or NAME/index.ts into dist/NAME.js and dist/types/NAME.d.ts.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * @typedef {object} Entry
 * @property {string} specifier what a program imports: "webvae/datasets"
 * @property {string} script its file in dist/: "datasets.js"
 * @property {string} types its declarations in dist/types/: "datasets.d.ts"
 * @property {string} source "src/datasets.ts"
 */

/** @type {{ name: string, version: string, exports: Record<string, string | { types: string, default: string }> }} */
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

export const { name: NAME, version: VERSION } = manifest;

/** @type {readonly Entry[]} */
export const ENTRIES = Object.entries(manifest.exports).flatMap(([path, target]) => {
  if (typeof target === "string") return [];
  const name = path === "." ? "index" : path.slice("./".length);
  const script = path === "." ? "webvae.js" : `${name}.js`;
  const types = `${name}.d.ts`;
  const source = [`src/${name}.ts`, `${name}/index.ts`].find((file) => existsSync(join(root, file)));
  if (!source) throw new Error(`package.json exports ${path}, but there is no src/${name}.ts or ${name}/index.ts`);
  const wanted = JSON.stringify({ types: `./dist/types/${types}`, default: `./dist/${script}` });
  if (JSON.stringify(target) !== wanted) throw new Error(`package.json: exports["${path}"] must be ${wanted}`);
  return [{ specifier: path === "." ? NAME : `${NAME}/${name}`, script, types, source }];
});

const FOR_NODE = `${NAME}/node`;
/** Those that run in a page; the other imports Node's own modules. */
export const PAGE_ENTRIES = ENTRIES.filter(({ specifier }) => specifier !== FOR_NODE);
