// The library's shaders as two modules: their texts side by side, since gzip finds again only what lies within 32 KB,
// each library's once; short names (wgsl_names.mjs); and what was reflected, packed. One module comes with the core,
// the other has the texts that only some models or adapters need, and is loaded when a pipeline needs one.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { compileWgsl, joinImports, minify, shaderRoot } from "./wgsl.mjs";
import { rename, shortNames } from "./wgsl_names.mjs";

/** @typedef {import("../src/shader_source.js").ShaderSource} ShaderSource */

/** Shaders whose texts, with the libraries that they import, are in the core: what every dense model of pixels needs. */
export const CORE_SHADERS = ["gather", "linear", "reparameterize", "bernoulli", "gradient_norm", "adam"];

/** Shaders by their paths; not the libraries, and not what draws: that is in the entry which imports it. */
const shaderFiles = () =>
  readdirSync(shaderRoot)
    .filter((file) => file.endsWith(".wgsl"))
    .map((file) => join(shaderRoot, file))
    .filter((path) => !readFileSync(path, "utf8").includes("@fragment"));

/** What each function, constant, parameter and local is called in the bundle. */
export function bundleNames() {
  return shortNames(shaderFiles().map((path) => minify(joinImports(path).code)));
}

/** A shader's or library's name in the module. @param {string} path */
export const exportName = (path) => relative(shaderRoot, path).replace(/\W/g, "_");

/**
 * The texts of both modules. The core's exports a ShaderSource of each shader under its exportName.
 * @param {string} [from] where the core's imports the other
 * @param {string} [reimport] and what it imports it with
 * @returns {{ core: string, layers: string }}
 */
export function bundledShaders(from = "wgsl:layers", reimport = join(shaderRoot, "../src/reimport.ts")) {
  const names = bundleNames();
  const joined = shaderFiles().map((path) => ({ path, ...joinImports(path) }));
  const inCore = new Set(
    joined
      .filter(({ path }) => CORE_SHADERS.includes(basename(path, ".wgsl")))
      .flatMap(({ parts }) => parts.map(({ file }) => file)),
  );
  const texts = new Map(
    joined.flatMap(({ parts }) => parts.map(({ file, text }) => [file, rename(minify(text), names)])),
  );
  // Of all orders tried gzip likes this one best, by 80 bytes.
  const longestFirst = [...texts.keys()].sort((a, b) => (texts.get(b) ?? "").length - (texts.get(a) ?? "").length);
  const [core, layers] = [true, false].map((here) => longestFirst.filter((file) => inCore.has(file) === here));
  const order = [...(core ?? []), ...(layers ?? [])];
  const listed = (/** @type {string[]} */ files = []) =>
    `[\n${files.map((f) => JSON.stringify(texts.get(f))).join(",\n")}]`;
  // Files of two releases must not be mixed: one page stays open while another release is put in place.
  const release = createHash("sha256")
    .update(order.map((file) => texts.get(file)).join("\n"))
    .digest("hex")
    .slice(0, 8);
  const shaders = joined.map(({ path, enables, parts }) => {
    const packed = pack(compileWgsl(path).shader).map((part) => JSON.stringify(part));
    const places = JSON.stringify(parts.map(({ file }) => order.indexOf(file)));
    const code = `sourceOf(texts, layers, ${JSON.stringify(minify(enables))}, ${places})`;
    return `export const ${exportName(path)} = /* @__PURE__ */ unpack(${packed.join(",")},${code});`;
  });
  return {
    core: [
      `import { reimporting } from ${JSON.stringify(reimport)};`,
      `const unpack = ${unpack};`,
      `const sourceOf = ${sourceOf};`,
      // One import for all pipelines that wait for it: where it fails, all have failed before a later call tries again.
      "let loading;",
      `const importLayers = reimporting(() => import(${JSON.stringify(from)}));`,
      `const load = async () => (${checked})(await importLayers(), "${release}");`,
      "const layers = () => (loading ??= load().finally(() => (loading = undefined)));",
      `const texts = ${listed(core)};`,
      ...shaders,
    ].join("\n"),
    layers: `export const release = "${release}";\nexport const texts = ${listed(layers)};`,
  };
}

/**
 * Part of the bundle, by its text, as the functions below: they refer to nothing outside themselves.
 * @param {{ release: string, texts: string[] }} layers
 * @param {string} wanted
 */
function checked({ release, texts }, wanted) {
  if (release !== wanted) throw new Error(`it is of another release, ${release} instead of ${wanted}`);
  return texts;
}

/**
 * A shader's text, or what loads it where a part of it is not in the core.
 * @param {string[]} texts
 * @param {() => Promise<string[]>} layers
 * @param {string} enables
 * @param {number[]} places
 */
function sourceOf(texts, layers, enables, places) {
  const join = (/** @type {string[]} */ all) => enables + places.map((place) => all[place]).join("");
  return places.every((place) => place < texts.length)
    ? join(texts)
    : async () => join([...texts, ...(await layers())]);
}

/** How a binding is written: * where it is stored as the plan asks, its name, this, and its size where not a vec4's. */
const marks = { read: ":", read_write: "+", uniform: "=" };

/**
 * What unpack makes a shader of, apart from its text. A record is words, and records are parted by semicolons. Bindings
 * are a record a group, in the order of their numbers.
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
    ...members.map((member) => (member.type === "u32" ? member.name : `${member.name}:${member.type}`)),
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
 * The opposite of pack.
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
        const [name, type = "u32"] = member.split(":");
        return { name, type, offset: 4 * i };
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
      // Files that are not there; what a source map shows of them lies beside the shaders.
      build.onResolve({ filter: /^wgsl:(core|layers)$/ }, ({ path }) => ({
        path: join(shaderRoot, `${path.slice("wgsl:".length)}.js`),
      }));
      // Once, for both are of one release.
      /** @type {ReturnType<typeof bundledShaders> | undefined} */
      let made;
      build.onStart(() => void (made = undefined));
      build.onLoad({ filter: /[\\/]shaders[\\/](core|layers)\.js$/ }, ({ path }) => {
        made ??= bundledShaders();
        return { contents: basename(path) === "core.js" ? made.core : made.layers, loader: "js" };
      });
      build.onLoad({ filter: /\.wgsl$/ }, ({ path }) =>
        // What draws is a module by itself.
        dirname(path) === shaderRoot
          ? { contents: `export { ${exportName(path)} as default } from "wgsl:core";`, loader: "js" }
          : undefined,
      );
    },
  };
}
