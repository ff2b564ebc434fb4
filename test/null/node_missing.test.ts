// What webvae/node says where something is missing, on machines that are made up.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tooOld, whyNotLoaded } from "../../node/dawn.js";
import { notInWorker, startAnew, whyNoAdapter } from "../../node/missing.js";
import { packagedChromium, unpackVulkan } from "../../node/packaged.mjs";

const linux = { platform: "linux", arch: "x64", glibc: true };
const failure = (message: string, code: string) => Object.assign(new Error(message), { code });

test.each(["18.20.4", "20.18.3", "0.12.0"])("Node %s is too old", (version) => {
  expect(tooOld(version)).toContain(`Node 20.19 or later, and this is ${version}`);
});

test.each(["20.19.0", "20.20.2", "22.0.0", "100.1.0-nightly"])("Node %s is not", (version) => {
  expect(tooOld(version)).toBeUndefined();
});

test("webgpu is not installed", () => {
  const missing = failure("Cannot find package 'webgpu' imported from /x/node.js", "ERR_MODULE_NOT_FOUND");
  expect(whyNotLoaded(missing, linux)).toMatch(/not installed: npm install webgpu$/);
  // Another is missing, such as one that it needs.
  const other = failure("Cannot find package 'debug' imported from /x/webgpu/index.js", "ERR_MODULE_NOT_FOUND");
  expect(whyNotLoaded(other, linux)).toMatch(/does not load on linux, x64: .*'debug'/);
});

test("webgpu has no build for the platform", () => {
  const missing = failure("Cannot find module '/x/webgpu/dist/linux-ppc64/dawn.node'", "MODULE_NOT_FOUND");
  expect(whyNotLoaded(missing, { ...linux, arch: "ppc64" })).toMatch(/linux, ppc64: it has no build for that/);
});

test("the system cannot load webgpu's build", () => {
  const failed = (message: string, machine = linux) => whyNotLoaded(failure(message, "ERR_DLOPEN_FAILED"), machine);
  const musl = { ...linux, glibc: false };
  expect(failed("Error loading shared library ld-linux-x86-64.so.2: No such file", musl)).toMatch(
    /needs glibc.*Alpine/,
  );
  expect(failed("libstdc++.so.6: cannot open shared object file: No such file or directory")).toMatch(
    /the system's library libstdc\+\+\.so\.6 is not installed$/,
  );
  const old = "/lib/libc.so.6: version `GLIBC_2.34' not found (required by /x/dawn.node)";
  expect(failed(old)).toMatch(/needs a newer system than this one \(.*GLIBC_2\.34/);
  expect(failed("dawn.node: file too short")).toMatch(/: dawn\.node: file too short$/);
  const disabled = failure("Cannot load native addon because loading addons is disabled.", "ERR_DLOPEN_DISABLED");
  expect(whyNotLoaded(disabled, linux)).toMatch(/without native addons/);
});

test("there is no adapter: what to install, by system", () => {
  const why = (found: Partial<Parameters<typeof whyNoAdapter>[0]>, platform = "linux", arch = "x64") =>
    whyNoAdapter({ env: {}, description: "some driver", ...found }, platform, arch);
  const apt = "apt-get install libvulkan1 mesa-vulkan-drivers";
  expect(why({ missing: "loader" })).toMatch(new RegExp(`libvulkan\\.so\\.1, is not installed.*${apt}.*sparticuz`));
  expect(why({ missing: "driver" })).toMatch(new RegExp(`no Vulkan driver.*${apt}.*NVIDIA.*sparticuz`));
  expect(why({})).toMatch(/no adapter on some driver.*too old.*swiftshader/);
  // npm's Chromium is for x64.
  expect(why({ missing: "driver" }, "linux", "arm64")).toMatch(/apt-get install chromium/);
  expect(why({ missing: "driver" }, "linux", "arm64")).not.toContain("sparticuz");
  expect(why({}, "darwin", "arm64")).toMatch(/Metal/);
  expect(why({}, "win32")).toMatch(/Direct3D 12.*driver/);
});

test("what only a new process can be given", () => {
  expect(startAnew(["/a/lib64", "/b"], "the GPU's driver x")).toContain("LD_LIBRARY_PATH=/a/lib64:/b node");
  expect(notInWorker(["VK_DRIVER_FILES"])).toMatch(/VK_DRIVER_FILES.*SHARE_ENV/);
});

const packaged = packagedChromium();
test.runIf(packaged)("a loader from elsewhere stays loaded, and is found by its name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "webvae-loader-"));
  try {
    const file = join(folder, "libvulkan.so.1");
    cpSync(join(await unpackVulkan(packaged!), "libvulkan.so.1"), file);
    expect(existsSync(file)).toBe(true);
    const program = `
      import { load } from ${JSON.stringify(join(import.meta.dirname, "../../node/load.mjs"))};
      const holds = () => process.report.getReport().sharedObjects.filter((path) => /libvulkan/.test(path));
      const before = holds();
      load(process.argv[1]);
      // By its name, as Dawn asks: the same, though the system may have its own.
      try {
        process.dlopen({ exports: {} }, "libvulkan.so.1");
      } catch {}
      console.log(JSON.stringify([before, holds()]));`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", program, file], { encoding: "utf8" });
    expect(JSON.parse(out)).toEqual([[], [file]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
