// Finds the Vulkan driver that Dawn in Node shall run on, and says which environment variables select it. Vulkan's loader
// reads those that name drivers each time Dawn looks for an adapter, so that a running process can still set them; the
// dynamic linker reads LD_LIBRARY_PATH once, when the process starts. start.mjs sets all of them for the process that it
// starts, and gpu.ts does what can be done in a process that somebody else started.
//
// In this order: the user's choice; a real GPU's driver; SwiftShader from an installed browser; SwiftShader from the
// npm package @sparticuz/chromium. Mesa's lavapipe is never chosen automatically: Dawn rejects the version in Debian
// 12, and results should not depend on which of two software drivers a machine happens to have.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { browserFolders } from "./browsers.mjs";
import { packagedChromium, unpackVulkan } from "./packaged.mjs";

/**
 * The machine to examine; tests pass a made-up one.
 * @typedef {object} Machine
 * @property {string} root "/" except in tests
 * @property {NodeJS.Platform} platform
 * @property {Record<string, string | undefined>} env
 * @property {() => Promise<{ folder: string, description: string } | undefined>} packaged unpacks npm's SwiftShader
 */

/**
 * @typedef {object} Vulkan
 * @property {Record<string, string>} env what selects the driver in a process that starts with it
 * @property {string} description of the driver, for a message
 * @property {string} [loader] the folder with Vulkan's loader, where the dynamic linker does not find it without `env`
 * @property {string[]} [drivers] folders with libraries of the driver, where it does not find those
 * @property {"loader" | "driver"} [missing] what no folder has
 */

/** What WEBVAE_ADAPTER can be apart from a path. */
export const ADAPTERS = ["default", "gpu", "swiftshader"];
export const adapterChoice = "gpu, swiftshader, default or the absolute path of a Vulkan ICD file";

/** @param {string} value */
export const isAdapter = (value) => ADAPTERS.includes(value) || isAbsolute(value);

/** @type {Machine} */
const thisMachine = {
  root: "/",
  platform: process.platform,
  env: process.env,
  packaged: async () => {
    const source = packagedChromium();
    if (!source) return undefined;
    return { folder: await unpackVulkan(source), description: `npm's @sparticuz/chromium ${source.version}` };
  },
};

/**
 * @param {Partial<Machine> & { adapter?: string | undefined }} [options] adapter: `gpu`, `swiftshader`, the absolute
 * path of a Vulkan driver's ICD file, or `default`; by default the variable WEBVAE_ADAPTER
 * @returns {Promise<Vulkan>}
 */
export async function vulkanEnvironment(options = {}) {
  const machine = { ...thisMachine, ...options };
  const adapter = options.adapter ?? (machine.env["WEBVAE_ADAPTER"] || "default");
  const name = options.adapter === undefined ? "WEBVAE_ADAPTER" : "adapter";
  const asked = `${name}=${adapter}`;
  if (!isAdapter(adapter)) throw new Error(`${name} is "${adapter}"; it can be ${adapterChoice}`);
  if (machine.platform !== "linux") {
    const system = machine.platform === "darwin" ? "Metal" : "Direct3D 12";
    if (["default", "gpu"].includes(adapter)) return { env: {}, description: system };
    throw new Error(`${asked} works on Linux only; here Dawn uses ${system}`);
  }
  if (isAbsolute(adapter)) {
    if (!existsSync(adapter)) throw new Error(`${name} names a Vulkan driver that does not exist: ${adapter}`);
    return select(machine, [adapter], `the Vulkan driver ${adapter}`);
  }
  if (adapter === "default") {
    const set = machine.env["VK_DRIVER_FILES"] || machine.env["VK_ICD_FILENAMES"];
    if (set) return withLibraries(machine, {}, `the Vulkan driver ${set}`);
  }
  const hardware = adapter === "swiftshader" ? [] : hardwareDrivers(machine);
  if (hardware.length > 0) return select(machine, hardware, `the GPU's driver ${hardware.join(", ")}`);
  if (adapter === "gpu") {
    throw new Error(`${asked}, but there is no GPU with a matching Vulkan driver`);
  }
  for (const folder of browserFolders(machine)) {
    const icd = join(folder, "vk_swiftshader_icd.json");
    if (library(machine, icd)) return select(machine, [icd], `SwiftShader of ${folder}`, folder);
  }
  const packaged = await machine.packaged();
  if (packaged) {
    const icd = join(packaged.folder, "vk_swiftshader_icd.json");
    return select(machine, [icd], `SwiftShader of ${packaged.description}`, packaged.folder);
  }
  if (adapter === "default") {
    return { missing: "driver", ...(await withLibraries(machine, {}, "no Vulkan driver")) };
  }
  throw new Error(`${asked}, but neither a Chrome nor npm's @sparticuz/chromium is installed`);
}

// The ICD files of each vendor's drivers, and the vendor's PCI ID as reported by the kernel.
const vendors = [
  { file: /intel/, id: "0x8086" },
  { file: /radeon|amd/, id: "0x1002" },
  { file: /nouveau|nvidia/, id: "0x10de" },
  { file: /virtio|gfxstream/, id: "0x1af4" },
];

/**
 * The ICD files of drivers that have a device. Distributions install all vendors' files together.
 * @param {Partial<Machine>} [options]
 * @returns {string[]}
 */
export function hardwareDrivers(options = {}) {
  const machine = { ...thisMachine, ...options };
  const inRoot = (/** @type {string} */ path) => join(machine.root, path);
  const nodes = list(inRoot("/dev/dri")).filter((name) => name.startsWith("renderD"));
  const present = nodes.map((node) => read(inRoot(`/sys/class/drm/${node}/device/vendor`)).trim());
  const nvidia = list(inRoot("/dev")).some((name) => /^nvidia\d+$/.test(name));
  return driverFolders(machine).flatMap((folder) =>
    list(folder)
      .filter((name) => {
        if (!name.endsWith(".json") || /lvp|swiftshader|llvmpipe/.test(name)) return false;
        if (/nvidia/.test(name)) return nvidia;
        const vendor = vendors.find(({ file }) => file.test(name));
        // Without a PCI vendor (Arm boards) or with /sys hidden, any render node may belong to this driver.
        return present.some((id) => id === "" || (vendor ? id === vendor.id : true));
      })
      .map((name) => join(folder, name))
      .filter((icd) => library(machine, icd)),
  );
}

/**
 * The ICD file of Mesa's software driver.
 * @param {Partial<Machine>} [options]
 * @returns {string | undefined}
 */
export function lavapipeDriver(options = {}) {
  const machine = { ...thisMachine, ...options };
  return driverFolders(machine)
    .flatMap((folder) =>
      list(folder)
        // The one for 32-bit programs may be next to it.
        .filter((name) => /^lvp_icd(\.x86_64|\.aarch64)?\.json$/.test(name))
        .map((name) => join(folder, name)),
    )
    .find((icd) => library(machine, icd));
}

/** The Vulkan loader's folders for ICD files, and NVIDIA's folder in containers. @param {Machine} machine */
function driverFolders({ root, env }) {
  const data = (env["XDG_DATA_DIRS"] || "/usr/local/share:/usr/share").split(":");
  const home = env["XDG_DATA_HOME"] || join(env["HOME"] || "/root", ".local/share");
  const named = [
    "/etc",
    "/usr/local/etc",
    ...data,
    "/usr/share",
    "/usr/local/nvidia/share",
    "/run/opengl-driver/share",
  ];
  const folders = [home, ...named].map((folder) => join(root, folder, "vulkan/icd.d"));
  return [...new Set(folders)];
}

/**
 * Finds an ICD file's library, which is missing if the file is a leftover from a package, or if the driver was not
 * mounted into this container. Returns its folder if the dynamic linker does not know it.
 * @param {Machine} machine
 * @param {string} icd
 * @returns {{ folder?: string } | undefined}
 */
function library(machine, icd) {
  /** @type {unknown} */
  let name;
  try {
    name = JSON.parse(readFileSync(icd, "utf8")).ICD.library_path;
  } catch {
    return undefined;
  }
  if (typeof name !== "string") return undefined;
  if (name.includes("/")) {
    const path = isAbsolute(name) ? join(machine.root, name) : resolve(dirname(icd), name);
    return existsSync(path) ? {} : undefined;
  }
  if (linkerFinds(machine, name)) return {};
  // NVIDIA's container runtime mounts <prefix>/share/vulkan/icd.d next to <prefix>/lib64, which nothing else refers to.
  const prefix = resolve(dirname(icd), "../../..");
  const folder = ["lib64", "lib"].map((one) => join(prefix, one)).find((one) => existsSync(join(one, String(name))));
  return folder ? { folder } : undefined;
}

/**
 * Whether the dynamic linker finds a library by itself.
 * @param {Machine} machine
 * @param {string} name
 */
function linkerFinds({ root, env }, name) {
  const machineName = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const folders = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", `/lib/${machineName}`, `/usr/lib/${machineName}`];
  const named = (env["LD_LIBRARY_PATH"] ?? "").split(delimiter).filter(Boolean);
  if ([...folders, ...named].some((folder) => existsSync(join(root, folder, name)))) return true;
  return read(join(root, "/etc/ld.so.cache")).includes(`${name}\0`);
}

/**
 * @param {Machine} machine
 * @param {string[]} icds
 * @param {string} description
 * @param {string} [ownFolder] SwiftShader's, which may hold a loader
 */
async function select(machine, icds, description, ownFolder) {
  const files = icds.join(delimiter);
  const drivers = icds.map((icd) => library(machine, icd)?.folder).filter((folder) => folder !== undefined);
  // The second name is the older one; a loader that supports both uses the first.
  const env = { VK_DRIVER_FILES: files, VK_ICD_FILENAMES: files };
  // Mesa's layer that sorts devices by display prints an error if there is no display.
  const quiet = ownFolder ? { NODEVICE_SELECT: "1" } : {};
  return withLibraries(machine, { ...env, ...quiet }, description, { ownFolder, drivers });
}

/**
 * The selection of a driver with LD_LIBRARY_PATH for the folders of drivers given, and for one with Vulkan's loader if the
 * system has none.
 * @param {Machine} machine
 * @param {Record<string, string>} env
 * @param {string} description
 * @param {{ ownFolder?: string | undefined, drivers?: string[] }} [folders]
 * @returns {Promise<Vulkan>}
 */
async function withLibraries(machine, env, description, { ownFolder, drivers = [] } = {}) {
  /** @type {Vulkan} */
  const found = { env, description };
  if (drivers.length > 0) found.drivers = drivers;
  if (!linkerFinds(machine, "libvulkan.so.1")) {
    const holds = (/** @type {string | undefined} */ folder) => folder && existsSync(join(folder, "libvulkan.so.1"));
    const own = holds(ownFolder) ? ownFolder : (await machine.packaged())?.folder;
    const folder = own ?? browserFolders(machine).find(holds);
    if (folder) found.loader = folder;
    else found.missing = "loader";
  }
  const folders = [...drivers, ...(found.loader ? [found.loader] : [])];
  const before = machine.env["LD_LIBRARY_PATH"];
  if (folders.length === 0) return found;
  return { ...found, env: { ...env, LD_LIBRARY_PATH: [...folders, ...(before ? [before] : [])].join(delimiter) } };
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
