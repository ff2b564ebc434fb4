// npm run bench:pack: checks that nothing is missing, and tests its run.sh with a script in place of Node.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packedFiles, packedPrograms } from "../../node/pack.mjs";

const project = resolve(import.meta.dirname, "../..");
const linux = process.platform === "linux" && process.arch === "x64";
const temporary = mkdtempSync(join(tmpdir(), "webvae-pack-"));
afterAll(() => rmSync(temporary, { recursive: true }));

describe.skipIf(!linux)("the pack's files", () => {
  const files = packedFiles({ node: process.execPath, loader: process.execPath });

  it("exist", () => {
    for (const { from } of files) expect(existsSync(from), from).toBe(true);
    const names = files.map(({ to }) => to);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["run.sh", "bin/node.gz", "lib/libvulkan.so.1"]));
    for (const { to, as } of files) expect(to.endsWith(".gz")).toBe(as === "gzip");
  });

  it("include all modules of step.py", () => {
    const modules = readdirSync(join(project, "bench/pytorch")).filter((name) => name.endsWith(".py"));
    const packed = files.filter(({ to }) => to.startsWith("pytorch/")).map(({ to }) => to.slice("pytorch/".length));
    expect(packed.sort()).toEqual(modules.sort());
  });
});

describe("the pack's programs", () => {
  let programs: Map<string, Uint8Array>;
  beforeAll(async () => void (programs = await packedPrograms()));
  const text = (name: string) => Buffer.from(programs.get(name) ?? []).toString();
  const imported = (code: string) =>
    [...code.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";/gm)].map(([, name]) => name!);

  it("import only Node's modules and webgpu", () => {
    expect([...programs.keys()]).toEqual(expect.arrayContaining(["programs/bench.mjs", "programs/node.mjs"]));
    const outside = [...programs.keys()].flatMap((name) =>
      imported(text(name)).filter((from) => !from.startsWith("./")),
    );
    expect([...programs.keys()].filter((name) => text(name).includes('import("webgpu")'))).toHaveLength(1);
    const known = new Set([...builtinModules, "webgpu"]);
    expect(outside.filter((from) => !known.has(from.replace(/^node:/, "")))).toEqual([]);
    for (const name of programs.keys()) {
      for (const from of imported(text(name)).filter((one) => one.startsWith("./"))) {
        expect([...programs.keys()]).toContain(`programs/${from.slice(2)}`);
      }
    }
  });

  it("load tfjs later, once navigator.gpu exists", () => {
    const seen = new Set<string>();
    const visit = (name: string) => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const from of imported(text(name))) if (from.startsWith("./")) visit(`programs/${from.slice(2)}`);
    };
    visit("programs/node.mjs");
    const holds = (name: string) => /registerBackend\w*\(\s*"webgpu"/.test(text(name));
    expect([...programs.keys()].some(holds)).toBe(true);
    expect([...seen].filter(holds)).toEqual([]);
  });
});

describe.skipIf(!linux)("run.sh", () => {
  const folder = join(temporary, "a pack");
  const put = (name: string, body: string | Uint8Array) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), body);
  };
  const run = (given: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(join(folder, "run.sh"), given, {
      encoding: "utf8",
      env: { PATH: `${folder}/tools:/usr/bin:/bin`, ...env },
    });

  beforeAll(() => {
    // In place of Node, a script that prints its arguments.
    const told = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "WEBVAE_COMMIT", "LD_LIBRARY_PATH"].map(
      (name) => `${name}=$${name}`,
    );
    put(
      "bin/node.gz",
      gzipSync(`#!/bin/sh\nfor a in "$@" ${told.map((one) => `"${one}"`).join(" ")}; do echo "$a"; done\n`),
    );
    put("node_modules/webgpu/dist/linux-x64/dawn.node.gz", gzipSync("addon"));
    put("commit", "abc1234\n");
    put("tools/python3", "#!/bin/sh\nexit 1\n");
    chmodSync(join(folder, "tools/python3"), 0o755);
    copyFileSync(join(project, "bench/node/pack_run.sh"), join(folder, "run.sh"));
  });

  it("unpacks Node and the addon, and runs a program with its options on the given driver", () => {
    const results = join(temporary, "results of it");
    const { status, stdout } = run(["node", "--batch", "32"], { VK_ICD_FILENAMES: "/x/icd.json", RESULTS: results });
    expect(status).toBe(0);
    const program = join(folder, "programs/node.mjs");
    expect(stdout.split("\n").slice(0, 8)).toEqual([
      ...[program, "--out", results, "--batch", "32"],
      ...["VK_DRIVER_FILES=/x/icd.json", "VK_ICD_FILENAMES=/x/icd.json", "WEBVAE_COMMIT=abc1234"],
    ]);
    expect(readFileSync(join(folder, "node_modules/webgpu/dist/linux-x64/dawn.node"), "utf8")).toBe("addon");
    expect(existsSync(results)).toBe(true);
  });

  it("finds NVIDIA's driver, or points the Vulkan loader to it", () => {
    const [, driver = ""] = /^VK_DRIVER_FILES=(.*)$/m.exec(run(["bench"]).stdout) ?? [];
    expect(driver).toMatch(/nvidia_icd[^/]*\.json$/);
    const { ICD } = JSON.parse(readFileSync(driver, "utf8")) as { ICD: { library_path: string } };
    expect(ICD.library_path).toMatch(/lib(GLX|EGL)_nvidia\.so\.0$/);
  });

  it("runs everything without arguments, and continues without torch", () => {
    const { status, stdout } = run([], { PEAK: "60000" });
    expect(status).toBe(0);
    expect(stdout.match(/programs\/.*$/gm)).toEqual(["programs/bench.mjs", "programs/node.mjs"]);
    expect(stdout).toContain(`${join(folder, "results/bench.json")}\n`);
    expect(stdout).toContain("--peak\n60000\n");
    expect(stdout).toContain("python3 has no torch");
  });

  it("compares PyTorch with the newest results of webvae", () => {
    put("tools/python3", '#!/bin/sh\necho "$@"\n');
    put("results/node-x.json", "{}");
    const { stdout } = run(["pytorch", "--fused"]);
    const results = join(folder, "results");
    expect(stdout).toBe(`${folder}/pytorch/step.py --out ${results} --against ${results}/node-x.json --fused\n`);
  });

  it("rejects unknown commands, and fails if its programs fail", () => {
    expect(run(["train"])).toMatchObject({ status: 2, stderr: expect.stringContaining('command "train"') as string });
    put("bin/node", "#!/bin/sh\nexit 3\n");
    expect(run(["node"]).status).toBe(3);
    expect(run([]).status).toBe(1);
  });
});
