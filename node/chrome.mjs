// Finds a Chrome and starts it with WebGPU: an installed one, one that puppeteer downloaded, or the headless one in the
// npm package @sparticuz/chromium, which has no system requirements.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { installedBrowsers } from "./browsers.mjs";
import { packagedChromium, unpackChrome } from "./packaged.mjs";
import { hardwareDrivers } from "./vulkan.mjs";

/**
 * What puppeteer.launch() needs.
 * @typedef {object} Chrome
 * @property {string} executablePath
 * @property {true | "shell"} headless
 * @property {string[]} args
 * @property {Record<string, string>} env in addition to this process's environment
 * @property {string} description
 */

/** @typedef {{ folder: string, description: string }} Unpacked */

/** @returns {Promise<Unpacked | undefined>} */
async function packagedChrome() {
  const source = packagedChromium();
  if (!source) return undefined;
  return { folder: await unpackChrome(source), description: `npm's @sparticuz/chromium ${source.version}` };
}

/**
 * The Chromes to try, best first. The packaged one is unpacked (200 MB) only if the others did not work.
 * @param {Parameters<typeof installedBrowsers>[0] & { packaged?: () => Promise<Unpacked | undefined> }} [machine]
 * @returns {AsyncGenerator<Chrome>}
 */
export async function* chromes({ packaged = packagedChrome, ...machine } = {}) {
  const installed = installedBrowsers(machine);
  for (const { executablePath, shell } of installed) {
    yield { executablePath, headless: shell ? "shell" : true, args: [], env: {}, description: executablePath };
  }
  // A user who names a browser does not want another one.
  if (installed.some((browser) => browser.forced)) return;
  const found = await packaged();
  if (!found) return;
  const { folder, description } = found;
  const libraries = [join(folder, "lib"), (machine.env ?? process.env)["LD_LIBRARY_PATH"]].filter(Boolean);
  const fonts = existsSync(join(machine.root ?? "/", "etc/fonts/fonts.conf"));
  /** @type {Chrome} */
  const chrome = {
    executablePath: join(folder, "chromium"),
    headless: "shell",
    args: [],
    env: { LD_LIBRARY_PATH: libraries.join(delimiter), ...(fonts ? {} : { FONTCONFIG_PATH: folder }) },
    description,
  };
  yield chrome;
  // The sandbox needs user namespaces, which containers and some distributions forbid. Without it Chrome is still safe
  // for this project's own pages, and there is no alternative.
  yield { ...chrome, args: ["--no-sandbox"], description: `${description} without its sandbox` };
}

/**
 * The Chrome that launchChrome() tries first.
 * @param {Parameters<typeof chromes>[0]} [machine]
 * @returns {Promise<Chrome>}
 */
export async function findChrome(machine) {
  for await (const chrome of chromes(machine)) return chrome;
  throw new Error(none);
}

const none = "no Chrome found: install one, name one in CHROME_PATH, or run npx puppeteer browsers install chrome";

/**
 * The flags for WebGPU, found by trial: with others a canvas stays white, or there is no adapter.
 * @param {{ canvas: boolean, headful: boolean, software: boolean, platform?: NodeJS.Platform }} wanted
 * @returns {string[]}
 */
export function webgpuFlags({ canvas, headful, software, platform = process.platform }) {
  if (software) {
    // With the shorter set, a canvas's first frame kills the device.
    return canvas
      ? ["--enable-unsafe-webgpu", "--use-angle=swiftshader", "--enable-features=Vulkan", "--use-vulkan=swiftshader"]
      : ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
  }
  if (platform !== "linux") return ["--enable-unsafe-webgpu"];
  const vulkan = ["--enable-unsafe-webgpu", "--use-angle=vulkan", "--enable-features=Vulkan", "--ignore-gpu-blocklist"];
  // Without a window, drivers offer no surface, but a canvas needs one.
  return canvas || headful ? vulkan : [...vulkan, "--disable-vulkan-surface"];
}

/** The language that pages see, whatever the machine's settings. */
const LANGUAGE = "en-US";

/**
 * Makes Chrome use LANGUAGE in navigator.language and Intl. By default it uses the process's locale, and without one
 * "en-US@posix", which Intl's functions reject.
 */
const language = {
  args: [`--lang=${LANGUAGE}`, `--accept-lang=${LANGUAGE}`],
  env: { LANGUAGE, LC_ALL: `${LANGUAGE.replace("-", "_")}.UTF-8` },
};

/**
 * Starts a browser that has WebGPU on pages served from 127.0.0.1 (about:blank has none). It exits with this process at
 * the latest, and leaves no profile behind.
 * @param {{ canvas?: boolean, headful?: boolean, adapter?: "swiftshader" | "default" }} [options] canvas:
 * screenshots must show WebGPU canvases
 * @returns {Promise<import("puppeteer").Browser>}
 */
export async function launchChrome({ canvas = false, headful = false, adapter } = {}) {
  const wished = adapter ?? (process.env["WEBVAE_ADAPTER"] === "swiftshader" ? "swiftshader" : "default");
  const hardware = process.platform !== "linux" || hardwareDrivers().length > 0;
  const flags = webgpuFlags({ canvas, headful, software: wished === "swiftshader" || !hardware });
  /** @type {string[]} */
  const failures = [];
  for await (const chrome of chromes()) {
    if (headful && chrome.headless === "shell") continue;
    try {
      return await launch(chrome, headful, flags);
    } catch (error) {
      // Typically a browser whose system libraries are missing.
      failures.push(`${chrome.description}: ${error instanceof Error ? error.message : error}`);
      console.warn(`this Chrome does not start: ${failures.at(-1)}`);
    }
  }
  throw new Error(failures.length > 0 ? `no Chrome starts:\n${failures.join("\n")}` : none);
}

/**
 * @param {Chrome} chrome
 * @param {boolean} headful
 * @param {string[]} flags
 */
async function launch(chrome, headful, flags) {
  const { default: puppeteer } = await import("puppeteer");
  const profile = mkdtempSync(join(tmpdir(), "webvae-chrome-"));
  try {
    const browser = await puppeteer.launch({
      executablePath: chrome.executablePath,
      headless: headful ? false : chrome.headless,
      userDataDir: profile,
      // With a pipe, Chrome also exits when this process is killed.
      pipe: true,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      // Generous for busy machines; a Chrome that cannot start exits, which is noticed at once.
      timeout: 120_000,
      protocolTimeout: 600_000,
      env: { ...withoutDriver(process.env), ...language.env, ...chrome.env },
      args: [
        ...flags,
        ...language.args,
        ...chrome.args,
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    });
    endWithProcess(browser, profile);
    return browser;
  } catch (error) {
    remove(profile);
    throw error;
  }
}

/** Chrome's helpers may still write a file after it has exited. @param {string} profile */
function remove(profile) {
  rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/**
 * Removes the variables that start.mjs set for Dawn in Node, which would also choose Chrome's driver.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function withoutDriver(env) {
  if (!env["WEBVAE_DRIVER"]) return env;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^VK_(ICD_FILENAMES|DRIVER_FILES)$/.test(name)));
}

/**
 * Removes the profile when the browser exits, and closes the browser when this process exits, also by a signal.
 * @param {import("puppeteer").Browser} browser
 * @param {string} profile
 */
function endWithProcess(browser, profile) {
  const child = browser.process();
  const onExit = () => {
    child?.kill("SIGKILL");
    remove(profile);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  // A program that handles the signal itself may want to close its browser properly.
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
  };
  process.on("exit", onExit);
  for (const signal of signals) process.on(signal, onSignal);
  child?.once("exit", () => {
    process.off("exit", onExit);
    for (const signal of signals) process.off(signal, onSignal);
    remove(profile);
  });
}
