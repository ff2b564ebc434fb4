// The library's shaders as two modules: their texts next to each other, because gzip only finds repetitions within 32
// KB, each imported library once; short names (wgsl_names.mjs); and the reflection data, packed. One module is part of
// the core, the other has what only some models or adapters need, and is in the file that src/layers_file.ts loads.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { compileWgsl, joinImports, minify, shaderRoot } from "./wgsl.mjs";
import { rename, shortNames } from "./wgsl_names.mjs";

/** @typedef {import("../src/shader_source.js").ShaderSource} ShaderSource */

/**
 * Shaders whose texts are in the core, with the libraries they import: what every dense model of pixels needs.
 */
export const CORE_SHADERS = ["gather", "linear", "reparameterize", "bernoulli", "gradient_norm", "adam"];
/** Shaders with only their reflection in the core; the texts are loaded when a pipeline needs one. */
export const CORE_REFLECTIONS = ["linear.subgroups", "linear.tiled", "sum"];

/** Paths of shaders, without the libraries and the drawing shaders, which are in the entry that imports them. */
const shaderFiles = () =>
  readdirSync(shaderRoot)
    .filter((file) => file.endsWith(".wgsl"))
    .map((file) => join(shaderRoot, file))
    .filter((path) => !readFileSync(path, "utf8").includes("@fragment"));

/** The names of functions, constants, parameters and locals in the bundle. */
export function bundleNames() {
  return shortNames(shaderFiles().map((path) => minify(joinImports(path).code)));
}

/** A shader's or library's name in the module. @param {string} path */
export const exportName = (path) => relative(shaderRoot, path).replace(/\W/g, "_");

/**
 * The source texts of two modules. Each exports a ShaderSource for every shader in it, named by exportName.
 * @param {string} [from] where the core's module imports layersFile, which loads the other
 * @param {string} [own] where the other module imports the core's
 * @returns {{ core: string, layers: string }}
 */
export function bundledShaders(from = join(shaderRoot, "../src/layers_file.ts"), own = "wgsl:core") {
  const names = bundleNames();
  const joined = shaderFiles().map((path) => ({ path, name: basename(path, ".wgsl"), ...joinImports(path) }));
  const inCore = new Set(
    joined.filter(({ name }) => CORE_SHADERS.includes(name)).flatMap(({ parts }) => parts.map(({ file }) => file)),
  );
  const texts = new Map(
    joined.flatMap(({ parts }) => parts.map(({ file, text }) => [file, rename(minify(text), names)])),
  );
  // Of all orders tried, this one compresses best, by 80 bytes.
  const longestFirst = [...texts.keys()].sort((a, b) => (texts.get(b) ?? "").length - (texts.get(a) ?? "").length);
  const [core, layers] = [true, false].map((here) => longestFirst.filter((file) => inCore.has(file) === here));
  const order = [...(core ?? []), ...(layers ?? [])];
  const listed = (/** @type {string[]} */ files = []) =>
    `[\n${files.map((f) => JSON.stringify(texts.get(f))).join(",\n")}]`;
  const shaders = (/** @type {boolean} */ here) =>
    joined
      .filter(({ name }) => [...CORE_SHADERS, ...CORE_REFLECTIONS].includes(name) === here)
      .map(({ path, name, enables, parts }) => {
        const packed = pack(compileWgsl(path).shader).map((part) => JSON.stringify(part));
        const places = JSON.stringify(parts.map(({ file }) => order.indexOf(file)));
        const later = here && !CORE_SHADERS.includes(name) ? ", layersFile" : "";
        const code = `sourceOf(${here ? "coreTexts" : "all"}, ${JSON.stringify(minify(enables))}, ${places}${later})`;
        return `export const ${exportName(path)} = /* @__PURE__ */ unpack(${packed.join(",")},${code});`;
      });
  return {
    core: [
      `import { layersFile } from ${JSON.stringify(from)};`,
      `export const unpack = ${unpack};`,
      `export const sourceOf = ${sourceOf};`,
      `export const coreTexts = ${listed(core)};`,
      ...shaders(true),
    ].join("\n"),
    layers: [
      `import { coreTexts, sourceOf, unpack } from ${JSON.stringify(own)};`,
      `export const texts = ${listed(layers)};`,
      "const all = [...coreTexts, ...texts];",
      ...shaders(false),
    ].join("\n"),
  };
}

/**
 * Returns a shader's text, or a function that loads it if a part is not among `texts`. The source text of this function
 * becomes part of the bundle, as does unpack below, so they must not refer to anything outside themselves.
 * @param {string[]} texts
 * @param {string} enables
 * @param {number[]} places
 * @param {() => Promise<{ texts: readonly string[] }>} [more]
 */
function sourceOf(texts, enables, places, more) {
  const join = (/** @type {string[]} */ all) => enables + places.map((place) => all[place]).join("");
  return more ? async () => join([...texts, ...(await more()).texts]) : join(texts);
}

/** A packed binding: * if its storage type depends on the plan, its name, this mark, and its size if not a vec4's. */
const marks = { read: ":", read_write: "+", uniform: "=" };

/**
 * What unpack builds a shader from, apart from its text. A record is a list of words; records are separated by
 * semicolons. Bindings have one record per group, in order of their numbers.
 * @param {ShaderSource} shader
 * @returns {[string, string, Record<string, number>, string, string, string]}
 */
function pack(shader) {
  const { name, features, overrides } = shader;
  const order = Object.keys(shader.bindings);
  /** @type {string[][]} */
  const groups = [];
  for (const { name, group, access, minimumBytes, stored } of Object.values(shader.bindings)) {
    const bytes = minimumBytes === 16 ? "" : minimumBytes;
    const packed = access === "read" && !bytes ? name : `${name}${marks[access]}${bytes}`;
    (groups[group] ??= []).push(stored ? `*${packed}` : packed);
  }
  const uniforms = Object.entries(shader.uniforms).map(([uniform, { members }]) => [
    uniform,
    ...members.map(({ name, type, count }) =>
      [name, ...(type === "u32" ? [] : [type]), ...(count ? [count] : [])].join(":"),
    ),
  ]);
  const entries = Object.entries(shader.entryPoints).map(([entry, { bindings: used, workgroupSize }]) => [
    entry,
    order.map((binding, i) => (used.includes(binding) ? i.toString(36) : "")).join(""),
    ...workgroupSize,
  ]);
  const text = (/** @type {(string | number)[][]} */ records) => records.map((words) => words.join(" ")).join(";");
  return [name, features.join(" "), overrides, text(groups), text(uniforms), text(entries)];
}

/**
 * The inverse of pack.
 * @param {string} name
 * @param {string} features
 * @param {Record<string, number>} overrides
 * @param {string} groups
 * @param {string} uniforms
 * @param {string} entryPoints
 * @param {ShaderSource["code"]} code
 */
function unpack(name, features, overrides, groups, uniforms, entryPoints, code) {
  /** @template T @param {string} text @param {(first: string, ...rest: string[]) => T} read */
  const records = (text, read) =>
    Object.fromEntries(
      (text ? text.split(";") : []).map((record) => {
        const [first = "", ...rest] = record.split(" ");
        return [first, read(first, ...rest)];
      }),
    );
  const bindings = Object.fromEntries(
    groups.split(";").flatMap((words, group) =>
      words.split(" ").map((word, binding) => {
        const stored = word[0] === "*";
        const [name = "", mark, bytes] = word.slice(stored ? 1 : 0).split(/([:+=])/);
        const access = mark === "=" ? "uniform" : mark === "+" ? "read_write" : "read";
        return [name, { name, group, binding, access, minimumBytes: Number(bytes || 16), stored }];
      }),
    ),
  );
  return {
    name,
    code,
    features: features ? features.split(" ") : [],
    bindings,
    uniforms: records(uniforms, (uniform, ...members) => ({
      bytes: bindings[uniform]?.minimumBytes,
      members: members.map((member, i) => {
        const [name, type = "u32", count] = member.split(":");
        // Scalars, and after them perhaps an array of vec4f.
        return count ? { name, type, offset: Math.ceil(i / 4) * 16, count: +count } : { name, type, offset: 4 * i };
      }),
    })),
    overrides,
    entryPoints: records(entryPoints, (_, used = "", ...sizes) => ({
      bindings: [...used].map((digit) => Object.keys(bindings)[parseInt(digit, 36)]).sort(),
      workgroupSize: sizes.map((size) => (/^\d/.test(size) ? Number(size) : size)),
    })),
  };
}

/** @returns {import("esbuild").Plugin} */
export function bundledWgsl() {
  return {
    name: "bundled-wgsl",
    setup(build) {
      // Virtual files, shown next to the shaders in source maps.
      build.onResolve({ filter: /^(wgsl:|\.\/shaders\/)(core|layers)(\.js)?$/ }, ({ path }) => ({
        path: join(shaderRoot, `${basename(path.replace("wgsl:", ""), ".js")}.js`),
      }));
      // Only once, because both belong to the same release.
      /** @type {ReturnType<typeof bundledShaders> | undefined} */
      let made;
      build.onStart(() => void (made = undefined));
      build.onLoad({ filter: /[\\/]shaders[\\/](core|layers)\.js$/ }, ({ path }) => {
        made ??= bundledShaders();
        return { contents: basename(path) === "core.js" ? made.core : made.layers, loader: "js" };
      });
      build.onLoad({ filter: /[\\/]src[\\/]layer_texts\.ts$/ }, () => ({
        contents: `export { texts } from "wgsl:layers";`,
        loader: "js",
      }));
      build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => {
        // Drawing shaders are separate modules.
        if (dirname(path) !== shaderRoot) return undefined;
        const inCore = [...CORE_SHADERS, ...CORE_REFLECTIONS].includes(basename(path, ".wgsl"));
        const from = inCore ? "wgsl:core" : "wgsl:layers";
        return { contents: `export { ${exportName(path)} as default } from "${from}";`, loader: "js" };
      });
    },
  };
}
