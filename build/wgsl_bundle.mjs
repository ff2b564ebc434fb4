// The library's shaders as one module: their texts side by side, since gzip finds again only what lies within 32 KB,
// each library's once; short names (wgsl_names.mjs); and what was reflected, packed.
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { compileWgsl, joinImports, minify, shaderRoot } from "./wgsl.mjs";
import { rename, shortNames } from "./wgsl_names.mjs";

/** @typedef {import("../src/shader_source.js").ShaderSource} ShaderSource */

/** Shaders by their paths; not the libraries. */
const shaderFiles = () =>
  readdirSync(shaderRoot)
    .filter((file) => file.endsWith(".wgsl"))
    .map((file) => join(shaderRoot, file));

/** What each function, constant, parameter and local is called in the bundle. */
export function bundleNames() {
  return shortNames(shaderFiles().map((path) => minify(joinImports(path).code)));
}

/** A shader's or library's name in the module. @param {string} path */
export const exportName = (path) => relative(shaderRoot, path).replace(/\W/g, "_");

/** The module's text: a ShaderSource of each shader under its exportName. */
export function bundledShaders() {
  const names = bundleNames();
  /** @type {Map<string, string>} */
  const texts = new Map();
  const shaders = shaderFiles().map((path) => {
    const { enables, parts } = joinImports(path);
    for (const { file, text } of parts) texts.set(file, JSON.stringify(rename(minify(text), names)));
    const code = [JSON.stringify(minify(enables)), ...parts.map(({ file }) => `text_${exportName(file)}`)].join("+");
    const packed = pack(compileWgsl(path).shader).map((part) => JSON.stringify(part));
    return `export const ${exportName(path)} = /* @__PURE__ */ unpack(${packed.join(",")},${code});`;
  });
  // Of all orders tried gzip likes this one best, by 80 bytes.
  const longestFirst = [...texts].sort(([, a], [, b]) => b.length - a.length);
  const constants = longestFirst.map(([file, text]) => `const text_${exportName(file)} = ${text};`);
  return [`const unpack = ${unpack};`, ...constants, ...shaders].join("\n");
}

/**
 * What unpack makes a shader of, apart from its text. A record is words, and records are parted by semicolons.
 * @param {ShaderSource} shader
 * @returns {[string, string, Record<string, number>, string, string, string]}
 */
function pack(shader) {
  const { name, features, overrides } = shader;
  const order = Object.keys(shader.bindings);
  const bindings = Object.values(shader.bindings).map((b) => [b.name, b.group, b.binding, b.access, b.minimumBytes]);
  const uniforms = Object.entries(shader.uniforms).map(([uniform, { bytes, members }]) => [
    uniform,
    bytes,
    ...members.map((member) => (member.type === "u32" ? member.name : `${member.name}:${member.type}`)),
  ]);
  const entries = Object.entries(shader.entryPoints).map(([entry, { bindings: used, workgroupSize }]) => [
    entry,
    order.map((binding, i) => (used.includes(binding) ? i.toString(36) : "")).join(""),
    ...workgroupSize,
  ]);
  const text = (/** @type {(string | number)[][]} */ records) => records.map((words) => words.join(" ")).join(";");
  return [name, features.join(" "), overrides, text(bindings), text(uniforms), text(entries)];
}

/**
 * Part of the bundle, by its text: it refers to nothing outside itself.
 * @param {string} name
 * @param {string} features
 * @param {Record<string, number>} overrides
 * @param {string} bindings
 * @param {string} uniforms
 * @param {string} entryPoints
 * @param {string} code
 */
function unpack(name, features, overrides, bindings, uniforms, entryPoints, code) {
  /** @template T @param {string} text @param {(first: string, ...rest: string[]) => T} read */
  const records = (text, read) =>
    Object.fromEntries(
      (text ? text.split(";") : []).map((record) => {
        const [first = "", ...rest] = record.split(" ");
        return [first, read(first, ...rest)];
      }),
    );
  const all = records(bindings, (name, group, binding, access, bytes) => ({
    name,
    group: Number(group),
    binding: Number(binding),
    access,
    minimumBytes: Number(bytes),
  }));
  return {
    name,
    code,
    features: features ? features.split(" ") : [],
    bindings: all,
    uniforms: records(uniforms, (_, bytes, ...members) => ({
      bytes: Number(bytes),
      members: members.map((member, i) => {
        const [name, type = "u32"] = member.split(":");
        return { name, type, offset: 4 * i };
      }),
    })),
    overrides,
    entryPoints: records(entryPoints, (_, used = "", ...sizes) => ({
      bindings: [...used].map((digit) => Object.keys(all)[parseInt(digit, 36)]).sort(),
      workgroupSize: sizes.map((size) => (/^\d/.test(size) ? Number(size) : size)),
    })),
  };
}

/** @returns {import("esbuild").Plugin} */
export function bundledWgsl() {
  return {
    name: "bundled-wgsl",
    setup(build) {
      // A file that is not there; what a source map shows of it lies beside the shaders.
      const all = join(shaderRoot, "bundle.js");
      build.onResolve({ filter: /^wgsl:bundle$/ }, () => ({ path: all }));
      build.onLoad({ filter: /[\\/]shaders[\\/]bundle\.js$/ }, () => ({ contents: bundledShaders(), loader: "js" }));
      build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
        contents: `export { ${exportName(path)} as default } from "wgsl:bundle";`,
        loader: "js",
      }));
    },
  };
}
