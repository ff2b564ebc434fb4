// What node/ finds on a machine, shown on trees made up for the purpose.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { installedBrowsers } from "../../node/browsers.mjs";
import { chromes, findChrome, webgpuFlags } from "../../node/chrome.mjs";
import { adapterName, isSoftware } from "../../node/gpu.js";
import { cacheFolder, fillOnce } from "../../node/packaged.mjs";
import { lavapipeDriver, vulkanEnvironment } from "../../node/vulkan.mjs";

const roots: string[] = [];
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

/** A tree of files; a text that starts with "-> " is a link. */
function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "webvae-test-"));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text.startsWith("-> ")) symlinkSync(text.slice(3), join(root, path));
    else writeFileSync(join(root, path), text);
  }
  return root;
}

function without(files: Record<string, string>, path: string): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== path));
}

const icd = (library: string) => JSON.stringify({ ICD: { library_path: library } });
const icds = "/usr/share/vulkan/icd.d";
const linker = { "/usr/lib/libvulkan.so.1": "" };
const intel = { [`${icds}/intel_icd.x86_64.json`]: icd("/usr/lib/intel.so"), "/usr/lib/intel.so": "" };
const radeon = { [`${icds}/radeon_icd.x86_64.json`]: icd("/usr/lib/radeon.so"), "/usr/lib/radeon.so": "" };
const lavapipe = { [`${icds}/lvp_icd.x86_64.json`]: icd("/usr/lib/lvp.so"), "/usr/lib/lvp.so": "" };
const intelDevice = { "/dev/dri/renderD128": "", "/sys/class/drm/renderD128/device/vendor": "0x8086\n" };
const chromium = {
  "/usr/lib/chromium/chromium": "",
  "/usr/lib/chromium/icudtl.dat": "",
  "/usr/lib/chromium/vk_swiftshader_icd.json": icd("./libvk_swiftshader.so"),
  "/usr/lib/chromium/libvk_swiftshader.so": "",
};

/** The environment for a tree, with the tree's root removed from the paths. */
async function vulkan(files: Record<string, string>, env: Record<string, string> = {}, npm = true) {
  const root = tree(files);
  const package_ = { folder: join(root, "npm"), description: "npm's package" };
  if (npm) {
    mkdirSync(package_.folder);
    writeFileSync(join(package_.folder, "libvulkan.so.1"), "");
  }
  const packaged = () => Promise.resolve(npm ? package_ : undefined);
  const found = await vulkanEnvironment({ root, platform: "linux", env, packaged });
  const { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: libraries } = found.env;
  expect(found.env["VK_DRIVER_FILES"]).toBe(driver);
  return { driver: driver?.replaceAll(root, ""), libraries: libraries?.replaceAll(root, "") };
}

const npmDriver = "/npm/vk_swiftshader_icd.json";

describe("Vulkan driver", () => {
  test("of a bare machine: npm's SwiftShader and loader", async () => {
    expect(await vulkan({})).toEqual({ driver: npmDriver, libraries: "/npm" });
    expect(await vulkan({}, { LD_LIBRARY_PATH: "/mine" })).toEqual({ driver: npmDriver, libraries: "/npm:/mine" });
  });

  test("of a machine without any: none, or an error if one is required", async () => {
    expect(await vulkan(linker, {}, false)).toEqual({ driver: undefined, libraries: undefined });
    await expect(vulkan(linker, { WEBVAE_ADAPTER: "swiftshader" }, false)).rejects.toThrow("neither a Chrome nor");
  });

  test("of an installed browser, with its loader only if the system has none", async () => {
    const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
    expect(await vulkan({ ...linker, ...chromium })).toEqual({ driver, libraries: undefined });
    expect(await vulkan({ ...chromium, "/etc/ld.so.cache": "...libvulkan.so.1\0..." })).toEqual({ driver });
    const withLoader = { ...chromium, "/usr/lib/chromium/libvulkan.so.1": "" };
    expect(await vulkan(withLoader)).toEqual({ driver, libraries: "/usr/lib/chromium" });
    expect(await vulkan(chromium)).toEqual({ driver, libraries: "/npm" });
  });

  test("of a browser whose library is missing: not used", async () => {
    const broken = without(chromium, "/usr/lib/chromium/libvk_swiftshader.so");
    expect((await vulkan({ ...linker, ...broken })).driver).toBe(npmDriver);
  });

  test("of a GPU: the drivers of existing devices, before any software", async () => {
    const all = { ...linker, ...chromium, ...intel, ...radeon, ...lavapipe };
    expect((await vulkan({ ...all, ...intelDevice })).driver).toBe(`${icds}/intel_icd.x86_64.json`);
    expect((await vulkan(all)).driver).toContain("/usr/lib/chromium");
    const hidden = { ...all, "/dev/dri/renderD128": "" };
    const both = `${icds}/intel_icd.x86_64.json:${icds}/radeon_icd.x86_64.json`;
    expect((await vulkan(hidden)).driver).toBe(both);
    const broken = without(all, "/usr/lib/intel.so");
    expect((await vulkan({ ...broken, ...intelDevice })).driver).toContain("/usr/lib/chromium");
  });

  test("lavapipe is found on request, if its library exists", () => {
    const find = (files: Record<string, string>) => {
      const root = tree(files);
      return lavapipeDriver({ root, env: {} })?.replace(root, "");
    };
    const other = { [`${icds}/lvp_icd.i686.json`]: icd("/usr/lib/lvp.so") };
    expect(find({ ...linker, ...intel, ...other, ...lavapipe })).toBe(`${icds}/lvp_icd.x86_64.json`);
    expect(find({ ...linker, ...without(lavapipe, "/usr/lib/lvp.so") })).toBeUndefined();
  });

  test("lavapipe is not chosen automatically", async () => {
    expect((await vulkan({ ...linker, ...lavapipe, ...intelDevice }, {}, false)).driver).toBeUndefined();
    const set = { VK_ICD_FILENAMES: "/some/lvp_icd.json" };
    expect((await vulkan({ ...linker, ...lavapipe }, set)).driver).toBeUndefined();
  });

  test("of NVIDIA in a container: its folder is added, and npm's loader", async () => {
    const nvidia = {
      "/dev/nvidia0": "",
      "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json": icd("libGLX_nvidia.so.0"),
      "/usr/local/nvidia/lib64/libGLX_nvidia.so.0": "",
    };
    const driver = "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json";
    expect(await vulkan(nvidia)).toEqual({ driver, libraries: "/usr/local/nvidia/lib64:/npm" });
    const noDevice = without(nvidia, "/dev/nvidia0");
    expect((await vulkan({ ...noDevice, "/dev/nvidiactl": "" })).driver).toBe(npmDriver);
  });

  test("what a process that runs already has to be told: folders that the linker does not know, and what is nowhere", async () => {
    const found = async (files: Record<string, string>, npm?: string) => {
      const root = tree(files);
      const packaged = () => Promise.resolve(npm ? { folder: join(root, npm), description: "" } : undefined);
      const { loader, drivers, missing } = await vulkanEnvironment({ root, platform: "linux", env: {}, packaged });
      const short = (path: string) => path.replace(root, "");
      return { loader: loader && short(loader), drivers: drivers?.map(short), missing };
    };
    const npm = { "/npm/libvulkan.so.1": "", "/npm/vk_swiftshader_icd.json": icd("./libvk_swiftshader.so") };
    const nvidia = {
      "/dev/nvidia0": "",
      "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json": icd("libGLX_nvidia.so.0"),
      "/usr/local/nvidia/lib64/libGLX_nvidia.so.0": "",
    };
    expect(await found({ ...linker, ...chromium })).toEqual({});
    expect(await found(npm, "npm")).toEqual({ loader: "/npm" });
    expect(await found({ ...linker, ...nvidia })).toEqual({ drivers: ["/usr/local/nvidia/lib64"] });
    expect(await found({ ...npm, ...nvidia }, "npm")).toEqual({ loader: "/npm", drivers: ["/usr/local/nvidia/lib64"] });
    expect(await found(linker)).toEqual({ missing: "driver" });
    expect(await found(chromium)).toEqual({ missing: "loader" });
    expect(await found({ ...intel, ...intelDevice })).toEqual({ missing: "loader" });
    expect(await found({})).toEqual({ missing: "loader" });
  });

  test("as forced by WEBVAE_ADAPTER", async () => {
    const all = { ...linker, ...intel, ...intelDevice, ...chromium };
    const set = { VK_ICD_FILENAMES: "/some/icd.json" };
    expect((await vulkan(all, { ...set, WEBVAE_ADAPTER: "swiftshader" })).driver).toContain("/usr/lib/chromium");
    expect((await vulkan(all, { ...set, WEBVAE_ADAPTER: "gpu" })).driver).toContain("intel");
    const own = join(tree(intel), icds, "intel_icd.x86_64.json");
    expect((await vulkan(linker, { WEBVAE_ADAPTER: own })).driver).toBe(own);
    await expect(vulkan(linker, { WEBVAE_ADAPTER: "/no/such.json" })).rejects.toThrow("does not exist: /no/such.json");
    await expect(vulkan({ ...linker, ...chromium }, { WEBVAE_ADAPTER: "gpu" })).rejects.toThrow("no GPU with");
    await expect(vulkan(linker, { WEBVAE_ADAPTER: "cuda" })).rejects.toThrow('"cuda"');
  });

  test("of macOS and Windows: nothing to set", async () => {
    expect(await vulkanEnvironment({ platform: "darwin", env: {} })).toEqual({ env: {}, description: "Metal" });
    expect((await vulkanEnvironment({ platform: "win32", env: {} })).env).toEqual({});
    for (const adapter of ["swiftshader", join(tree(intel), icds, "intel_icd.x86_64.json")]) {
      const asked = vulkanEnvironment({ platform: "darwin", env: {}, adapter });
      await expect(asked).rejects.toThrow(`adapter=${adapter} works on Linux only; here Dawn uses Metal`);
    }
  });
});

describe("Chrome", () => {
  const find = (files: Record<string, string>, env: Record<string, string> = {}) => {
    const root = tree(files);
    return installedBrowsers({ root, platform: "linux", env }).map((one) => one.executablePath.replace(root, ""));
  };

  test("the system's only once, though PATH leads there too, and puppeteer's by version", () => {
    const cache = "/root/.cache/puppeteer";
    const files = {
      ...chromium,
      "/usr/bin/chromium": "-> ../lib/chromium/chromium",
      [`${cache}/chrome/linux-99.0.1/chrome-linux64/chrome`]: "",
      [`${cache}/chrome/linux-153.0.1/chrome-linux64/chrome`]: "",
      [`${cache}/chrome-headless-shell/linux-154.0.1/chrome-headless-shell-linux64/chrome-headless-shell`]: "",
    };
    expect(find(files, { PATH: "/usr/bin:/bin" })).toEqual([
      "/usr/lib/chromium/chromium",
      `${cache}/chrome/linux-153.0.1/chrome-linux64/chrome`,
      `${cache}/chrome/linux-99.0.1/chrome-linux64/chrome`,
      `${cache}/chrome-headless-shell/linux-154.0.1/chrome-headless-shell-linux64/chrome-headless-shell`,
    ]);
  });

  test("no snap", () => {
    const files = { "/usr/bin/chromium-browser": '#!/bin/sh\nexec /snap/bin/chromium "$@"\n' };
    expect(find(files, { PATH: "/usr/bin" })).toEqual([]);
    expect(find({ "/usr/bin/chromium-browser": "#!/bin/sh\n" }, { PATH: "/usr/bin" })).toHaveLength(1);
  });

  test("npm's comes last, with its own libraries and fonts; a named one comes alone", async () => {
    const root = tree(chromium);
    const packaged = () => Promise.resolve({ folder: "/npm", description: "npm's" });
    const all = [];
    for await (const chrome of chromes({ root, platform: "linux", env: {}, packaged })) all.push(chrome);
    expect(all.map(({ executablePath }) => executablePath.replace(root, ""))).toEqual([
      "/usr/lib/chromium/chromium",
      "/npm/chromium",
      "/npm/chromium",
    ]);
    expect(all.map(({ args }) => args)).toEqual([[], [], ["--no-sandbox"]]);
    expect(all[1]).toMatchObject({ headless: "shell", env: { LD_LIBRARY_PATH: "/npm/lib", FONTCONFIG_PATH: "/npm" } });

    const env = { CHROME_PATH: join(root, "/usr/lib/chromium/chromium") };
    const named = [];
    for await (const chrome of chromes({ root, platform: "linux", env, packaged })) named.push(chrome.executablePath);
    expect(named).toEqual([env.CHROME_PATH]);
    await expect(findChrome({ env: { CHROME_PATH: "/no/chrome" } })).rejects.toThrow("does not exist: /no/chrome");
    const nothing = { root: tree({}), platform: "linux" as const, env: {}, packaged: () => Promise.resolve(undefined) };
    await expect(findChrome(nothing)).rejects.toThrow("no Chrome found");
  });

  test("WEBVAE_CHROME=npm: only npm's, whatever is installed or named", async () => {
    const root = tree(chromium);
    const packaged = () => Promise.resolve({ folder: "/npm", description: "npm's" });
    const env = { WEBVAE_CHROME: "npm", CHROME_PATH: join(root, "/usr/lib/chromium/chromium") };
    const all = [];
    for await (const chrome of chromes({ root, platform: "linux", env, packaged })) all.push(chrome.executablePath);
    expect(new Set(all)).toEqual(new Set(["/npm/chromium"]));
    expect((await vulkan({ ...linker, ...chromium }, { WEBVAE_CHROME: "npm" })).driver).toBe(npmDriver);
    expect(() => find(chromium, { WEBVAE_CHROME: "/usr/bin/chromium" })).toThrow('must be "npm" or unset');
  });

  test("a software canvas needs other flags than computing", () => {
    const flags = (canvas: boolean) => webgpuFlags({ canvas, headful: false, software: true, platform: "linux" });
    expect(flags(false)).toContain("--use-webgpu-adapter=swiftshader");
    expect(flags(true)).not.toContain("--use-webgpu-adapter=swiftshader");
    const hardware = webgpuFlags({ canvas: false, headful: false, software: false, platform: "linux" });
    expect(hardware.join()).not.toContain("swiftshader");
  });
});

describe("unpacking", () => {
  test("two that race both get the same complete folder", async () => {
    const target = join(tree({}), "unpacked");
    const fill = async (into: string) => {
      writeFileSync(join(into, "a"), "");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(existsSync(target)).toBe(false);
      writeFileSync(join(into, "b"), "");
    };
    expect(await Promise.all([fillOnce(target, fill), fillOnce(target, fill)])).toEqual([target, target]);
    expect(readdirSync(target)).toEqual(["a", "b"]);
    expect(readdirSync(dirname(target))).toEqual(["unpacked"]);
  });

  test("that fails leaves nothing", async () => {
    const root = tree({});
    await expect(fillOnce(join(root, "x"), () => Promise.reject(new Error("disk full")))).rejects.toThrow("disk full");
    expect(readdirSync(root)).toEqual([]);
  });

  test("if the packages are read-only, uses a folder that belongs to this user", () => {
    const root = tree({ "modules/.cache": "a file in the way" });
    const found = cacheFolder(join(root, "modules"), root);
    expect(dirname(dirname(found))).toBe(root);
    expect(cacheFolder(join(root, "other"), root)).toBe(join(root, "other/.cache/webvae"));
    // A folder that somebody else could have prepared is rejected.
    rmSync(dirname(found), { recursive: true });
    symlinkSync(root, dirname(found));
    expect(() => cacheFolder(join(root, "modules"), root)).toThrow("not a folder that belongs only to this user");
  });
});

describe("adapter", () => {
  const adapter = (info: Partial<GPUAdapterInfo>) =>
    ({
      info: { vendor: "", architecture: "", device: "", description: "", isFallbackAdapter: false, ...info },
    }) as GPUAdapter;
  const swiftshader = { vendor: "google", architecture: "swiftshader", description: "SwiftShader (LLVM 16.0.0)" };

  test("has a name", () => {
    expect(adapterName(adapter(swiftshader))).toBe("google swiftshader (SwiftShader (LLVM 16.0.0))");
    expect(adapterName(adapter({ vendor: "nvidia" }))).toBe("nvidia");
    expect(adapterName(adapter({}))).toBe("an adapter without a name");
  });

  test("is software or not", () => {
    expect(isSoftware(adapter(swiftshader))).toBe(true);
    expect(isSoftware(adapter({ description: "llvmpipe (LLVM 15.0.6, 256 bits)" }))).toBe(true);
    expect(isSoftware(adapter({ vendor: "microsoft", description: "Microsoft Basic Render Driver" }))).toBe(true);
    expect(isSoftware(adapter({ isFallbackAdapter: true }))).toBe(true);
    expect(isSoftware(adapter({ vendor: "nvidia", architecture: "hopper", description: "NVIDIA H200" }))).toBe(false);
  });
});
