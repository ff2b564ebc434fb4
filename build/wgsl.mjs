// Turns a .wgsl file into a module: resolves `#import lib/x` lines, strips comments, and reads bindings, uniform
// layouts, overrides and entry points with wgsl_reflect. esbuild (CLI, benchmarks) and Vite (tests) share one function,
// so that every environment runs the same text; wgsl_bundle.mjs packs it for the library.
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";

export const shaderRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../shaders");

/**
 * The text of a shader with each imported library once, before its first use. `enable` directives go to the top.
 * `parts` has the same text by file: the libraries, then the shader itself.
 * @param {string} path
 * @returns {{ code: string, enables: string, parts: { file: string, text: string }[] }}
 */
export function joinImports(path) {
  /** @type {{ file: string, text: string }[]} */
  const parts = [];
  /** @type {Set<string>} */
  const seen = new Set();
  /** @type {Set<string>} */
  const enables = new Set();
  /** @param {string} file */
  const read = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const lines = readFileSync(file, "utf8").split("\n");
    const own = lines.filter((line) => {
      const imported = /^#import\s+(lib\/[a-z0-9_.]+)\s*$/.exec(line);
      if (imported) read(join(shaderRoot, `${imported[1]}.wgsl`));
      else if (line.startsWith("#")) throw new Error(`${file}: unknown directive "${line}"`);
      else if (/^\s*(enable|diagnostic)\b/.test(line)) enables.add(line.trim());
      else return true;
      return false;
    });
    parts.push({ file, text: own.join("\n") });
  };
  read(path);
  const top = [...enables].join("\n");
  return { code: [top, ...parts.map(({ text }) => text)].join("\n"), enables: top, parts };
}

/** Matches two tokens that would merge, or form a comment, without the space between them. */
const joined = /^(\w[\w@]|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|->|\/[/*])$/;

/** @param {string} code */
export function minify(code) {
  return code
    .replace(/\/\/[^\n]*/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/ /g, (space, at, whole) => (joined.test(`${whole[at - 1]}${whole[at + 1]}`) ? space : ""));
}

/**
 * Compiles one .wgsl file into the ShaderSource of src/shader_source.ts.
 * @param {string} path
 * @returns {{ shader: import("../src/shader_source.js").ShaderSource & { readonly code: string }, files: string[] }}
 */
export function compileWgsl(path) {
  const { code, parts } = joinImports(path);
  const files = parts.map(({ file }) => file);
  const name = basename(path, ".wgsl");
  const reflection = new WgslReflect(code);
  /** @type {Record<string, import("../src/shader_source.js").ShaderBinding>} */
  const bindings = {};
  /** @type {Record<string, { bytes: number, members: import("../src/shader_source.js").UniformMember[] }>} */
  const uniforms = {};
  for (const group of reflection.getBindGroups()) {
    for (const variable of group) {
      if (!variable) continue;
      const uniform = variable.resourceType === 0;
      bindings[variable.name] = {
        name: variable.name,
        group: variable.group,
        binding: variable.binding,
        access: uniform ? "uniform" : /** @type {"read" | "read_write"} */ (variable.access),
        minimumBytes: uniform ? variable.size : elementBytes(variable.type, path),
        // Has a type from lib/stored.wgsl.
        stored: new RegExp(`\\b${variable.name}\\s*:\\s*array<Stored`).test(code),
      };
      if (uniform) {
        uniforms[variable.name] = {
          bytes: variable.size,
          members: (variable.members ?? []).map((member) => {
            const { name, offset, count } = member;
            // wgsl_reflect gives an array's elements as its format.
            const type = count > 0 && member.type.format?.name === "vec4f" ? "vec4f" : member.type.name;
            if (type === "vec4f") return { name, type: "f32", offset, count: 4 * count };
            if (type !== "u32" && type !== "i32" && type !== "f32") {
              throw new Error(`${path}: uniform member ${name} has type ${type}; use scalars or an array of vec4f`);
            }
            return { name, type, offset };
          }),
        };
      }
    }
  }
  /** @type {Record<string, number>} */
  const overrides = {};
  for (const match of code.matchAll(/^override\s+(\w+)\s*:\s*(u32|f32|bool)\s*=\s*([^;]+);/gm)) {
    const value = (match[3] ?? "").trim();
    overrides[match[1] ?? ""] = value === "true" ? 1 : value === "false" ? 0 : parseFloat(value);
  }
  const declared = [...code.matchAll(/^\s*override\s+(\w+)/gm)].map((match) => match[1] ?? "");
  for (const override of declared) {
    if (!(override in overrides)) throw new Error(`${path}: override ${override} needs a type and a literal default`);
  }
  /** @type {Record<string, import("../src/shader_source.js").EntryPoint>} */
  const entryPoints = {};
  for (const entry of reflection.entry.compute) {
    const attribute = (entry.attributes ?? []).find((a) => a.name === "workgroup_size");
    const size = attribute ? [attribute.value].flat() : [];
    entryPoints[entry.name] = {
      bindings: entry.resources.map((resource) => resource.name).sort(),
      workgroupSize: size.map((s) => (/^\d+u?$/.test(s) ? parseInt(s) : s)),
    };
  }
  const features = [...code.matchAll(/^\s*enable\s+([^;]+);/gm)].flatMap((match) =>
    (match[1] ?? "").split(",").map((feature) => (feature.trim() === "f16" ? "shader-f16" : feature.trim())),
  );
  return { shader: { name, code: minify(code), features, bindings, uniforms, overrides, entryPoints }, files };
}

/** @param {import("wgsl_reflect/wgsl_reflect.module.js").TypeInfo} type @param {string} path */
function elementBytes(type, path) {
  const element = type.format ?? type;
  const vector = element.name === "vec4" && element.format ? `vec4${element.format.name[0]}` : element.name;
  /** @type {Record<string, number>} */
  const sizes = { f32: 4, u32: 4, i32: 4, vec4f: 16, vec4u: 16, vec2f: 8, mat4x4f: 64, atomic: 4 };
  const bytes = sizes[vector];
  if (bytes) return bytes;
  throw new Error(`${path}: storage binding of type ${element.name}: add its size to build/wgsl.mjs`);
}

/** The module of a .wgsl file. @param {string} path */
function moduleText(path) {
  const { shader, files } = compileWgsl(path);
  return { text: `export default ${JSON.stringify(shader)};`, files };
}

/** @returns {import("esbuild").Plugin} */
export function esbuildWgsl() {
  return {
    name: "wgsl",
    setup(build) {
      build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => {
        const { text, files } = moduleText(path);
        return { contents: text, loader: "js", watchFiles: files };
      });
    },
  };
}

/** @returns {import("vite").Plugin} */
export function viteWgsl() {
  return {
    name: "wgsl",
    enforce: "pre",
    load(id) {
      const path = id.split("?")[0] ?? id;
      if (!path.endsWith(".wgsl")) return null;
      const { text, files } = moduleText(path);
      for (const file of files) this.addWatchFile(file);
      return { code: text, map: null };
    },
  };
}
