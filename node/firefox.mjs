// Finds a Firefox and starts it with WebGPU, which on Linux must be enabled by preferences (as of version 153).
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const places = {
  linux: ["/usr/lib/firefox-esr/firefox-esr", "/usr/lib/firefox/firefox", "/opt/firefox/firefox"],
  darwin: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
  win32: ["C:\\Program Files\\Mozilla Firefox\\firefox.exe"],
};

/** Downloads to a folder, without the panel that would take the keyboard focus from the page. */
const quietly = { "browser.download.folderList": 2, "browser.download.alwaysOpenPanel": false };

/** The path of an installed Firefox: from FIREFOX_PATH, the system's usual location, or PATH. */
export function findFirefox({ platform = process.platform, env = process.env } = {}) {
  if (env["FIREFOX_PATH"]) return env["FIREFOX_PATH"];
  const onPath = (env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => [join(folder, "firefox"), join(folder, "firefox-esr")]);
  const known = /** @type {Partial<Record<NodeJS.Platform, string[]>>} */ (places)[platform] ?? [];
  return [...known, ...(platform === "linux" ? onPath : [])].find((path) => existsSync(path));
}

/**
 * Starts a Firefox that has WebGPU on pages served from 127.0.0.1.
 * @param {{ headful?: boolean, downloads?: string }} [options] downloads: the folder for them
 * @returns {Promise<import("puppeteer").Browser>}
 */
export async function launchFirefox({ headful = false, downloads } = {}) {
  const executablePath = findFirefox();
  if (!executablePath) throw new Error("no Firefox found: install one, or set FIREFOX_PATH");
  const { default: puppeteer } = await import("puppeteer");
  return puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: !headful,
    timeout: 120_000,
    protocolTimeout: 600_000,
    extraPrefsFirefox: {
      "dom.webgpu.enabled": true,
      "gfx.webgpu.ignore-blocklist": true,
      ...(downloads ? { ...quietly, "browser.download.dir": downloads } : {}),
    },
  });
}
