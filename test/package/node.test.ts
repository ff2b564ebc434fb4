// The packed package in a Node program that somebody starts as any other, without node/start.mjs: webvae/node finds the
// driver by itself, and says what is missing.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installInto } from "./packed.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "webvae-in-node-"));
/** A user's project with webvae and webgpu, and one with webvae alone. */
const [project, bare] = [join(folder, "project"), join(folder, "bare")];
beforeAll(async () => {
  await installInto(bare);
  cpSync(bare, project, { recursive: true });
  for (const name of ["webgpu", "@sparticuz/chromium"]) {
    const link = join(project, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link, "junction");
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** This process's environment without what node/start.mjs has set in it. */
const plain = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(VK_(DRIVER_FILES|ICD_FILENAMES)|NODEVICE_SELECT|LD_LIBRARY_PATH|WEBVAE_DRIVER|VITEST.*)$/.test(name),
  ),
);

interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** Runs the text of a program. `before` is run ahead of it, and changes what it finds. */
function node(text: string, { before = "", at = project, args = [] as string[], env = {} } = {}) {
  writeFileSync(join(at, "script.mjs"), text);
  writeFileSync(join(at, "before.mjs"), before);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "./before.mjs", ...args, "script.mjs"],
    { cwd: at, env: { ...plain, ...env }, encoding: "utf8" },
  );
  return { status, signal, out: stdout, error: stderr } satisfies Outcome;
}

const head = `
  import { models, VAE, WebvaeError } from "webvae";
  import { gaussians } from "webvae/datasets";
  import { nodeGpu } from "webvae/node";
`;

describe("a plain program", () => {
  test("of the examples trains, saves, and ends by itself", () => {
    cpSync(join(root, "examples/node/train.mjs"), join(project, "train.mjs"));
    const { status, stdout, stderr } = spawnSync(process.execPath, ["train.mjs"], {
      cwd: project,
      env: plain,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    console.log(stdout.trim());
    const nats = [...stdout.matchAll(/^epoch \d: (\d+\.\d) nats$/gm)].map(([, value]) => Number(value));
    expect(nats).toHaveLength(3);
    expect(nats[2]).toBeLessThan(0.7 * nats[0]!);
  });

  test("keeps the GPU while garbage is collected, and has its environment back", () => {
    const program = `${head}
      const before = JSON.stringify(process.env);
      const opened = async () => VAE.create(models.points([2], 1), { gpu: await nodeGpu(), seed: 1, tuning: false });
      const vae = await opened();
      for (let i = 0; i < 20; i++) {
        gc();
        await new Promise((done) => setTimeout(done, 5));
      }
      const { step } = await vae.train(gaussians({ split: "train", count: 200, seed: 0 }), { steps: 5 });
      // Also a device of a later search is of the same driver.
      const again = await VAE.create(models.points([2], 1), { gpu: await nodeGpu(), seed: 1, tuning: false });
      const same = vae.adapter.name === again.adapter.name && (await nodeGpu()) === (await nodeGpu({}));
      vae.dispose();
      again.dispose();
      gc();
      console.log(step, same, JSON.stringify(process.env) === before, GPUBufferUsage.STORAGE, "gpu" in navigator);`;
    // Node has a navigator since version 21.
    const before = "globalThis.navigator ??= {};";
    expect(node(program, { args: ["--expose-gc"], before })).toEqual({
      status: 0,
      signal: null,
      out: "5 true true 128 false\n",
      error: "",
    });
  });
});

/** What nodeGpu rejects with: the error's code and message, or the adapter that it found. */
function refused(given: Parameters<typeof node>[1] & { options?: string } = {}) {
  const { options = "", ...how } = given;
  const program = `${head}
    try {
      const adapter = await (await nodeGpu(${options})).requestAdapter();
      console.log(JSON.stringify({ found: adapter?.info.architecture }));
    } catch (error) {
      console.log(JSON.stringify(error instanceof WebvaeError ? { code: error.code, message: error.message } : String(error)));
    }`;
  const { out, error, status } = node(program, how);
  // Dawn and the loader warn of drivers that do not work.
  const rest = error.split("\n").filter((line) => !/^(Warning: | +at |$)/.test(line));
  expect({ rest, status }).toEqual({ rest: [], status: 0 });
  return JSON.parse(out) as { code?: string; message?: string; found?: string };
}
const saying = (text: RegExp) => expect.stringMatching(text) as string;

/** What this machine has of Vulkan finds no driver. */
const noDriver = { WEBVAE_ADAPTER: "", VK_DRIVER_FILES: "/none.json", VK_ICD_FILENAMES: "/none.json" };

describe("says what is missing:", () => {
  test("the package webgpu", () => {
    expect(refused({ at: bare })).toEqual({ code: "NO_WEBGPU", message: saying(/not installed: npm install webgpu$/) });
  });

  test("a newer Node", () => {
    const before = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.1" } });`;
    expect(refused({ before })).toEqual({
      code: "NO_WEBGPU",
      message: saying(/Node 20\.19 or later, and this is 20\.18\.1/),
    });
  });

  test("a build of webgpu for this platform", () => {
    const before = `Object.defineProperty(process, "arch", { value: "riscv64" });
      Object.defineProperty(process, "platform", { value: "freebsd" });`;
    expect(refused({ before })).toEqual({
      code: "NO_WEBGPU",
      message: saying(/freebsd, riscv64: it has no build for that/),
    });
  });

  test.runIf(process.platform === "linux")("Vulkan's loader", () => {
    const before = `import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      const { existsSync, readFileSync } = fs;
      fs.existsSync = (path) => !/vulkan|sparticuz/.test(path) && existsSync(path);
      fs.readFileSync = (path, ...how) => (path === "/etc/ld.so.cache" ? "" : readFileSync(path, ...how));
      syncBuiltinESMExports();`;
    expect(refused({ before, env: noDriver })).toEqual({
      code: "NO_ADAPTER",
      message: saying(/^Vulkan's loader, libvulkan\.so\.1, is not installed\. .*apt-get install libvulkan1/),
    });
  });

  test.runIf(process.platform === "linux")("a folder of libraries that has to be named before the start", () => {
    // As in a container to which NVIDIA's driver is mounted.
    const driver = join(folder, "nvidia");
    for (const path of ["share/vulkan/icd.d", "lib64"]) mkdirSync(join(driver, path), { recursive: true });
    const library = "libGLX_nvidia_of_no_system.so.0";
    writeFileSync(join(driver, "lib64", library), "");
    writeFileSync(
      join(driver, "share/vulkan/icd.d/nvidia_icd.json"),
      JSON.stringify({ ICD: { library_path: library } }),
    );
    const before = `import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      const { readdirSync } = fs;
      fs.readdirSync = (path, ...how) => (path === "/dev" ? ["nvidia0"] : readdirSync(path, ...how));
      syncBuiltinESMExports();`;
    const env = { WEBVAE_ADAPTER: "", XDG_DATA_DIRS: join(driver, "share") };
    expect(refused({ before, env })).toEqual({
      code: "NO_ADAPTER",
      message: saying(new RegExp(`before a process starts: run LD_LIBRARY_PATH=\\S*${driver}/lib64 node`)),
    });
  });

  test.runIf(process.platform === "linux")("a driver", () => {
    expect(refused({ env: noDriver })).toEqual({
      code: "NO_ADAPTER",
      message: saying(/no adapter on the Vulkan driver \/none\.json: .*WEBVAE_ADAPTER=swiftshader/),
    });
    expect(refused({ options: '{ adapter: "/none.json" }' })).toEqual({
      code: "NO_ADAPTER",
      message: saying(/^adapter names a Vulkan driver that does not exist: \/none\.json$/),
    });
  });
});

describe("adapter", () => {
  test.runIf(process.platform === "linux")(
    "chooses the software driver, in a worker with the process's environment",
    () => {
      const options = '{ adapter: "swiftshader" }';
      expect(refused({ options, env: { VK_DRIVER_FILES: "/none.json" } })).toEqual({ found: "swiftshader" });
      // Two searches at once, of which each sets variables.
      const both = `${head}
      const before = JSON.stringify(process.env);
      const found = await Promise.all([nodeGpu({ adapter: "default" }), nodeGpu(${options})]);
      const adapters = await Promise.all(found.map((gpu) => gpu.requestAdapter()));
      console.log(adapters.every(Boolean), adapters[1].info.architecture, JSON.stringify(process.env) === before);`;
      expect(node(both)).toMatchObject({ out: "true swiftshader true\n", error: "" });
      const worker = (how: string) => `
      import { isMainThread, parentPort, SHARE_ENV, Worker } from "node:worker_threads";
      import { nodeGpu } from "webvae/node";
      if (isMainThread) {
        new Worker(new URL(import.meta.url), ${how}).once("message", (message) => {
          console.log(message);
          process.exit(0);
        });
      } else {
        const found = async () => (await (await nodeGpu(${options})).requestAdapter()).info.architecture;
        parentPort.postMessage(await found().catch((error) => error.code + ": " + error.message));
      }`;
      expect(node(worker("{ env: SHARE_ENV }")).out).toBe("swiftshader\n");
      expect(node(worker("{}")).out).toMatch(/^NO_ADAPTER: in a worker thread .*VK_DRIVER_FILES.*SHARE_ENV/);
    },
  );

  test("that is none is refused, with the nearest name", () => {
    const invalid = (message: RegExp) => ({ code: "INVALID_OPTION", message: saying(message) });
    expect(refused({ options: '{ adapter: "swift" }' })).toEqual(
      invalid(/^nodeGpu: adapter .*did you mean "swiftshader"/),
    );
    expect(refused({ options: '{ adaptor: "gpu" }' })).toEqual(
      invalid(/unknown key "adaptor".*did you mean "adapter"/),
    );
    expect(refused({ options: "{ adapter: 1 }" })).toEqual(invalid(/not 1$/));
    expect(refused({ env: { WEBVAE_ADAPTER: "GPU" } })).toEqual(
      invalid(/^WEBVAE_ADAPTER must be .*did you mean "gpu"/),
    );
  });
});

test("a bundler of Node programs keeps webgpu outside, and drops the entry where nothing uses it", async () => {
  const bundled = async (text: string) => {
    const stdin = { contents: text, resolveDir: bare };
    const how = { bundle: true, write: false, platform: "node", format: "esm", logLevel: "error" } as const;
    return (await build({ ...how, stdin, external: ["webgpu"] })).outputFiles[0]!.text;
  };
  expect((await bundled('import * as node from "webvae/node";')).replace(/\/\/.*/g, "").trim()).toBe("");
  expect(await bundled('import { nodeGpu } from "webvae/node"; nodeGpu();')).toContain('import("webgpu")');
});
