// The shaders as packed in the bundle: the same programs with other names, and the same reflection.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileWgsl, joinImports, minify } from "../../build/wgsl.mjs";
import { bundledShaders, bundleNames, CORE_REFLECTIONS, CORE_SHADERS, exportName } from "../../build/wgsl_bundle.mjs";
import { rename, shortNames } from "../../build/wgsl_names.mjs";
import { Device } from "../../src/device.js";
import type { ShaderSource } from "../../src/shader_source.js";
import { nullDevice, withErrorScopes } from "../support/gpu.js";
import { filesBelow, root } from "../support/sources.js";

const device = await Device.open({ device: await nullDevice() });
/** Drawing shaders are in the entry that imports them. */
const all = filesBelow("shaders", ".wgsl").filter(
  (file) => !readFileSync(join(root, file), "utf8").includes("@fragment"),
);
const files = all.filter((file) => !file.startsWith("shaders/lib/"));
const url = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const load = async <T>(text: string) => (await import(/* @vite-ignore */ url(text))) as T;
type Shaders = Record<string, ShaderSource>;
const core = (layersFile: string) => bundledShaders(url(layersFile)).core;
/** The layers' module on top of the core's, whose import of the loader fails. */
const layersOn = (own: string) => bundledShaders("", url(own)).layers;
const offline = core("export const layersFile = () => Promise.reject(new Error('offline'));");
const layers = await load<Shaders & Record<"texts", string[]>>(layersOn(offline));
const inCore = await load<Shaders>(
  core(`export const layersFile = () => Promise.resolve(${JSON.stringify({ texts: layers.texts })});`),
);
const shadersOf = (module: Shaders): Shaders =>
  Object.fromEntries(Object.entries(module).filter(([name]) => name.endsWith("_wgsl")));
const packed = { ...shadersOf(inCore), ...shadersOf(layers) };
const names = bundleNames();
const words = (text: string) => new Set(text.match(/\b[A-Za-z_]\w*/g));

it("includes every shader", () => {
  expect(Object.keys(packed).sort()).toEqual(files.map((file) => exportName(join(root, file))).sort());
});

const exportNames = (shaders: readonly string[]) =>
  shaders.map((name) => exportName(join(root, `shaders/${name}.wgsl`))).sort();

it("the core has the shaders that every model needs, and each text exists once", async () => {
  expect(Object.keys(shadersOf(inCore)).sort()).toEqual(exportNames([...CORE_SHADERS, ...CORE_REFLECTIONS]));
  const texts = Object.keys(packed).filter((name) => typeof packed[name]!.code === "string");
  const later = exportNames(CORE_REFLECTIONS);
  expect(texts.sort()).toEqual(
    Object.keys(packed)
      .filter((name) => !later.includes(name))
      .sort(),
  );
  const { coreTexts } = await load<{ coreTexts: string[] }>(offline);
  const found = [...coreTexts, ...layers.texts];
  expect(found).toHaveLength(all.length);
  expect(new Set(found).size).toBe(found.length);
});

it("a text that cannot be loaded rejects like its import", async () => {
  const { sum_wgsl: sum } = await load<Shaders>(offline);
  await expect((sum!.code as () => Promise<string>)()).rejects.toThrow("offline");
});

describe.each(files)("%s", async (file) => {
  const path = join(root, file);
  const { code, ...rest } = compileWgsl(path).shader;
  const { code: text, ...unpacked } = packed[exportName(path)]!;
  const short = typeof text === "string" ? text : await text();
  // Directives come before all names.
  const enables = minify(joinImports(path).enables);
  const program = code.slice(enables.length);

  it("has the reflection that was read from it", () => expect(unpacked).toEqual(rest));

  it("is the same text with other names", () => {
    const own = [...words(program)];
    const back = new Map(own.flatMap((name) => (names.has(name) ? [[names.get(name)!, name]] : [])));
    // No two names were merged, and none shadows a name from WGSL or the host.
    expect(back.size).toBe(own.filter((name) => names.has(name)).length);
    expect(own.filter((name) => !names.has(name) && back.has(name))).toEqual([]);
    expect(short).not.toBe(code);
    expect(code.startsWith(enables) && short.startsWith(enables)).toBe(true);
    expect(rename(short.slice(enables.length), back)).toBe(program);
  });

  it("compiles, and its entry points fit their layouts", async () => {
    const shader = { ...unpacked, name: `short ${basename(path)}`, code: short };
    const { messages } = await withErrorScopes(device.gpu, () =>
      device.gpu.createShaderModule({ code: short }).getCompilationInfo(),
    );
    expect(messages.map(({ message }) => message)).toEqual([]);
    for (const entryPoint of Object.keys(shader.entryPoints)) {
      await withErrorScopes(device.gpu, () => device.pipeline(shader, entryPoint, {}));
    }
  });
});

describe("short names", () => {
  const program =
    "struct S{rows:u32,seed:f32}@group(0)@binding(0)var<uniform>shape:S;" +
    "@group(0)@binding(1)var<storage,read_write>result:array<f32>;override FACTOR:f32=1;const SIZE=64u;" +
    "var<workgroup>held:array<f32,SIZE>;fn twice(value:f32)->f32{return max(value,0)*FACTOR;}" +
    "@compute @workgroup_size(64)fn double_all(@builtin(global_invocation_id)id:vec3u){" +
    "let seed=shape.rows;var total=0.5f;for(var i=0u;i<seed;i++){total+=twice(result[i]);}result[id.x]=total;}";

  it("are given to a program's declarations, not to names that the host or WGSL use", () => {
    const given = [...shortNames([program]).keys()].sort();
    const locals = ["SIZE", "held", "i", "id", "total", "twice", "value"];
    expect(given).toEqual(["S", ...locals, "result", "rows", "seed", "shape"].sort());
  });

  it("stay unchanged if another program uses the name for something else", () => {
    expect(shortNames([program, "override total:u32=1;"]).has("total")).toBe(false);
    expect(shortNames([program, "fn f(){let a=twice(1);}"]).has("twice")).toBe(false);
    expect(shortNames([program, "fn f(p:vec3f)->f32{return p.held;}"]).has("held")).toBe(false);
  });

  it("stay unchanged if a member is named like a vector component", () => {
    const names = shortNames(["struct P{xy:vec2f,kind:u32}fn f(p:P)->f32{return p.xy.x+f32(p.kind);}"]);
    expect([names.has("xy"), names.has("kind"), names.has("P")]).toEqual([false, true, true]);
  });

  it("differ from all names that a program keeps, and from each other within a program", () => {
    const programs = [program, "override a:u32=1;fn first(b:u32)->u32{return b;}", "fn second(c:u32)->u32{return c;}"];
    const map = shortNames(programs);
    expect([...map.values()]).not.toContain("x");
    for (const text of programs) {
      const given = [...words(text)].filter((name) => map.has(name)).map((name) => map.get(name)!);
      expect(new Set(given).size).toBe(given.length);
      for (const stays of [...words(text)].filter((name) => !map.has(name))) expect(given).not.toContain(stays);
    }
    // Separate programs may share names, which keeps them short.
    expect(new Set(map.values()).size).toBeLessThan(map.size);
  });

  it("leave numbers unchanged", () => {
    const map = new Map([
      ["u", "A"],
      ["e", "B"],
      ["f", "C"],
      ["rows", "D"],
    ]);
    expect(rename("let u=1u+1.f+u32(2e3)*f.rows-0x1u+.5f;", map)).toBe("let A=1u+1.f+u32(2e3)*C.D-0x1u+.5f;");
  });
});
