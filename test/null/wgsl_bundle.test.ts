// The shaders as the bundle packs them: the same programs under other names, and the same reflection.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileWgsl } from "../../build/wgsl.mjs";
import { bundledShaders, bundleNames, exportName } from "../../build/wgsl_bundle.mjs";
import { rename, shortNames } from "../../build/wgsl_names.mjs";
import { Device } from "../../src/device.js";
import type { ShaderSource } from "../../src/shader_source.js";
import { nullDevice, withErrorScopes } from "../support/gpu.js";
import { filesBelow, root } from "../support/sources.js";

const device = await Device.open({ device: await nullDevice() });
const files = filesBelow("shaders", ".wgsl").filter((file) => !file.startsWith("shaders/lib/"));
const packed = (await import(
  /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(bundledShaders())}`
)) as Record<string, ShaderSource>;
const names = bundleNames();
const back = new Map([...names].map(([long, short]) => [short, long]));
const words = (text: string) => new Set(text.match(/\b[A-Za-z_]\w*/g));

it("every shader is there", () => {
  expect(Object.keys(packed).sort()).toEqual(files.map((file) => exportName(join(root, file))).sort());
});

describe.each(files)("%s", (file) => {
  const { code, ...rest } = compileWgsl(join(root, file)).shader;
  const { code: short, ...unpacked } = packed[exportName(join(root, file))]!;

  it("has the reflection that was read from it", () => expect(unpacked).toEqual(rest));

  it("is the same text under other names", () => {
    expect(short).not.toBe(code);
    expect(rename(short, back)).toBe(code);
    // One that a name of WGSL's or of the host's had too would be hidden.
    const left = [...words(code)].filter((name) => !names.has(name));
    expect(left.filter((name) => back.has(name))).toEqual([]);
  });

  it("compiles, and its entry points fit their layouts", async () => {
    const shader = { ...unpacked, code: short };
    const { messages } = await withErrorScopes(device.gpu, () =>
      device.gpu.createShaderModule({ code: short }).getCompilationInfo(),
    );
    expect(messages.map(({ message }) => message)).toEqual([]);
    for (const entryPoint of Object.keys(shader.entryPoints)) {
      await withErrorScopes(device.gpu, () => device.pipeline(shader, entryPoint, {}));
    }
  });
});

it("no two names become one", () => expect(back.size).toBe(names.size));

describe("short names", () => {
  const program =
    "struct S{rows:u32,seed:f32}@group(0)@binding(0)var<uniform>shape:S;" +
    "@group(0)@binding(1)var<storage,read_write>result:array<f32>;override FACTOR:f32=1;const SIZE=64u;" +
    "var<workgroup>held:array<f32,SIZE>;fn twice(value:f32)->f32{return max(value,0)*FACTOR;}" +
    "@compute @workgroup_size(64)fn double_all(@builtin(global_invocation_id)id:vec3u){" +
    "let seed=shape.rows;var total=0.5f;for(var i=0u;i<seed;i++){total+=twice(result[i]);}result[id.x]=total;}";

  it("are for functions, constants, parameters and locals, not for what the host or WGSL calls by name", () => {
    const given = [...shortNames([program]).keys()].sort();
    expect(given).toEqual(["SIZE", "held", "i", "id", "total", "twice", "value"]);
  });

  it("stay where another program has the name for something else", () => {
    expect(shortNames([program, "override total:u32=1;"]).has("total")).toBe(false);
    expect(shortNames([program, "fn f(){let a=twice(1);}"]).has("twice")).toBe(false);
    expect(shortNames([program, "fn f(p:vec3f)->f32{return p.held;}"]).has("held")).toBe(false);
  });

  it("are none that a program has", () => {
    const map = shortNames([program, "override a:u32=1;"]);
    expect([...map.values()]).not.toContain("a");
    expect([...map.values()]).not.toContain("x");
  });

  it("leave numbers and members", () => {
    const map = new Map([
      ["u", "A"],
      ["e", "B"],
      ["x", "C"],
    ]);
    expect(rename("let u=1u+u32(2e3)*x.x-0x1u;", map)).toBe("let A=1u+u32(2e3)*C.x-0x1u;");
  });
});
