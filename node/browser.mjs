// The browser for tests: Chrome, or Firefox if WEBVAE_BROWSER=firefox is set.
import { launchChrome } from "./chrome.mjs";
import { launchFirefox } from "./firefox.mjs";

export const inFirefox = process.env["WEBVAE_BROWSER"] === "firefox";

/**
 * Starts it with WebGPU on pages served from 127.0.0.1.
 * @param {Parameters<typeof launchChrome>[0] & { downloads?: string }} [options] downloads: Firefox's folder for them
 * @returns {Promise<import("puppeteer").Browser>}
 */
export const launchBrowser = (options) => (inFirefox ? launchFirefox(options) : launchChrome(options));
