// Finds a machine's Chromes, Chromiums and Edges. Used to start one (chrome.mjs), and for the SwiftShader that comes
// with each (vulkan.mjs).
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/**
 * @typedef {object} Browser
 * @property {string} executablePath
 * @property {string} folder of its actual program and libraries
 * @property {boolean} shell a chrome-headless-shell, which has no window
 * @property {boolean} forced whether the user named it
 */

/**
 * Installed browsers, best first: the one named by PUPPETEER_EXECUTABLE_PATH or CHROME_PATH, the system's, puppeteer's.
 * None if WEBVAE_CHROME is "npm": then the Chrome from npm and its SwiftShader are used, even if others are installed.
 * @param {{ root?: string, platform?: NodeJS.Platform, env?: Record<string, string | undefined> }} [machine]
 * @returns {Browser[]}
 */
export function installedBrowsers({ root = "/", platform = process.platform, env = process.env } = {}) {
  const wanted = env["WEBVAE_CHROME"];
  if (wanted === "npm") return [];
  if (wanted) throw new Error(`WEBVAE_CHROME must be "npm" or unset, not "${wanted}"; to use a path, set CHROME_PATH`);
  const forced = env["PUPPETEER_EXECUTABLE_PATH"] || env["CHROME_PATH"];
  if (forced) {
    if (existsSync(forced)) return [describe(forced, true, root)];
    throw new Error(`PUPPETEER_EXECUTABLE_PATH or CHROME_PATH names a file that does not exist: ${forced}`);
  }
  const home = env["HOME"] || env["USERPROFILE"] || "/root";
  const cache = env["PUPPETEER_CACHE_DIR"] || join(home, ".cache", "puppeteer");
  const known = [...(system[platform]?.(env) ?? []), ...(platform === "linux" ? onPath(root, env) : [])]
    .map((path) => join(root, path))
    .filter((path) => existsSync(path) && !isSnap(path));
  const all = [...known, ...puppeteers(join(root, cache))].map((path) => describe(path, false, root));
  // PATH usually leads to one of the known folders under another name.
  return all.filter((one, i) => all.findIndex((other) => other.folder === one.folder) === i);
}

/**
 * The folders of installed browsers, including one that the user forces.
 * @param {Parameters<typeof installedBrowsers>[0]} machine
 */
export function browserFolders(machine) {
  return installedBrowsers(machine).map((browser) => browser.folder);
}

/** @type {Partial<Record<NodeJS.Platform, (env: Record<string, string | undefined>) => string[]>>} */
const system = {
  // The actual programs, because the scripts in /usr/bin add the administrator's flags.
  linux: () => [
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/usr/lib/chromium-browser/chromium-browser",
    "/opt/google/chrome-beta/chrome",
    "/opt/google/chrome-unstable/chrome",
    "/opt/microsoft/msedge/msedge",
  ],
  darwin: (env) =>
    ["/Applications", join(env["HOME"] ?? "/", "Applications")].flatMap((folder) =>
      ["Google Chrome", "Chromium", "Microsoft Edge"].map((name) => `${folder}/${name}.app/Contents/MacOS/${name}`),
    ),
  win32: (env) =>
    [env["ProgramFiles"], env["ProgramFiles(x86)"], env["LOCALAPPDATA"]].flatMap((folder) =>
      ["Google\\Chrome\\Application\\chrome.exe", "Chromium\\Application\\chrome.exe"]
        .concat("Microsoft\\Edge\\Application\\msedge.exe")
        .flatMap((program) => (folder ? [join(folder, program)] : [])),
    ),
};

/**
 * @param {string} root
 * @param {Record<string, string | undefined>} env
 */
function onPath(root, env) {
  const names = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "microsoft-edge-stable"];
  const folders = (env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) =>
    folders.map((folder) => join(folder, name)).filter((path) => existsSync(join(root, path))),
  );
}

/**
 * Browsers that puppeteer downloaded: <cache>/chrome/linux-153.0.1/chrome-linux64/chrome, newest first, followed by
 * its chrome-headless-shells.
 * @param {string} cache
 */
function puppeteers(cache) {
  const programs = {
    chrome: ["chrome", "chrome.exe", "Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing"],
    "chrome-headless-shell": ["chrome-headless-shell", "chrome-headless-shell.exe"],
  };
  return Object.entries(programs).flatMap(([product, names]) =>
    list(join(cache, product))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((build) => join(cache, product, build))
      .flatMap((build) => list(build).flatMap((folder) => names.map((name) => join(build, folder, name))))
      .filter((path) => existsSync(path)),
  );
}

/**
 * Ubuntu's chromium runs in its own sandbox, which sees neither the system's temporary folder nor hidden ones.
 * @param {string} path
 */
function isSnap(path) {
  const real = realpathSync(path);
  if (/\/snap\//.test(real) || real.endsWith("/bin/snap")) return true;
  return isScript(real) && readFileSync(real, "latin1").includes("/snap/bin");
}

/**
 * @param {string} executablePath
 * @param {boolean} forced
 * @param {string} root
 * @returns {Browser}
 */
function describe(executablePath, forced, root) {
  const real = realpathSync(executablePath);
  // Debian's /usr/bin/chromium is a script; the program's files are elsewhere.
  const elsewhere = join(root, "/usr/lib/chromium");
  const folder = isScript(real) && existsSync(elsewhere) ? elsewhere : dirname(real);
  return { executablePath, folder, shell: /headless[-_]shell/.test(real), forced };
}

/** @param {string} file */
function isScript(file) {
  const start = new Uint8Array(2);
  const descriptor = openSync(file, "r");
  readSync(descriptor, start);
  closeSync(descriptor);
  return start.join() === "35,33"; // "#!"
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
