// `npm run test:firefox`: the page tests in a Firefox with WebGPU. On Linux without a GPU it uses Mesa's lavapipe,
// since Firefox does not support SwiftShader. Skipped there:
// - tests that emulate media features, which puppeteer cannot do in Firefox;
// - the blob of a worker's GPU canvas, which never arrives;
// - retrying a failed import: Firefox remembers the failure until the page is reloaded;
// - the tuner's measurements: on a CPU without subgroups there is only one schedule.
// With --sample, runs only the library's pages; if there is no Firefox, that passes and says so.
import { join } from "node:path";
import { findFirefox } from "../../node/firefox.mjs";
import { hardwareDrivers, lavapipeDriver } from "../../node/vulkan.mjs";
import { runVitest } from "../support/vitest_process.mjs";

const explorer = ["model", "pad", "screens", "sections", "tag"].map((part) => `explorer_${part}`);
const files = ["library", "embedding", "canvas", "examples", "demo", ...explorer];

/** The environment that selects the driver; empty if the system chooses. */
function driver() {
  if (process.platform !== "linux" || process.env["VK_DRIVER_FILES"] || hardwareDrivers().length > 0) return {};
  const lavapipe = lavapipeDriver();
  if (!lavapipe) throw new Error("neither a GPU's driver nor Mesa's lavapipe is installed (mesa-vulkan-drivers)");
  return { VK_DRIVER_FILES: lavapipe };
}

try {
  const firefox = findFirefox();
  const sample = process.argv.includes("--sample");
  if (!firefox && sample) {
    console.log("no Firefox found: its sample is left out\n0 passed, 0 failed");
    process.exit();
  }
  if (!firefox) throw new Error("no Firefox found: install one, or set FIREFOX_PATH");
  console.log(`browser: ${firefox}`);
  const env = { ...process.env, ...driver(), WEBVAE_BROWSER: "firefox" };
  const given = process.argv.slice(2).flatMap((arg) => (arg === "--sample" ? ["test/browser/library.test.ts"] : [arg]));
  const chosen = given.some((arg) => arg.startsWith("test/"))
    ? []
    : files.map((name) => `test/browser/${name}.test.ts`);
  const root = join(import.meta.dirname, "../..");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  runVitest(process.execPath, [vitest, "run", ...chosen, ...given], { cwd: root, env });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
