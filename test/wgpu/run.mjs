// `npm run test:wgpu`: the tests that compute, on the other WebGPU implementation. Deno uses wgpu with the shader
// compiler naga, like Firefox; vitest itself runs in Deno, so the test files are the same. With --sample, runs about a
// minute of them: every kind of kernel except the products, which a training step covers, and a step's results.
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hardwareDrivers, lavapipeDriver, vulkanEnvironment } from "../../node/vulkan.mjs";
import { runVitest } from "../support/vitest_process.mjs";

const root = join(import.meta.dirname, "../..");

const ops = [
  ...["add", "adam", "gather", "gradient_norm", "reshape", "sum", "dropout", "reparameterize", "bernoulli"],
  ...["bernoulli_grad", "draws", "importance", "mixture", "labels", "concat"],
];
const sample = [
  ...ops.map((op) => `test/ops/${op}.test.ts`),
  "test/train/stopwatch.test.ts",
  // Half precision too, which this driver has and SwiftShader lacks.
  "test/train/objectives.test.ts",
  "test/train/conditional.test.ts",
  "test/train/poisoned.test.ts",
];

// Over 100 MB, only for this script: npx keeps it in its cache, so it is not one of the project's packages.
const wanted = "deno@2.9.6";
const oldest = { major: 2, minor: 9 };
const needed = `Deno ${oldest.major}.${oldest.minor} or newer`;

/** The path of a Deno, if the command is one and new enough. @param {string} command @param {string[]} [args] */
function denoBy(command, args = []) {
  const { stdout, error } = spawnSync(command, [...args, "eval", "console.log(Deno.version.deno,Deno.execPath())"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", args.length > 0 ? "inherit" : "ignore"],
    // npx is a batch file there.
    shell: process.platform === "win32",
    // Without a network npm would try for minutes.
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", npm_config_fetch_retries: "1" },
  });
  const [, major, minor, path] = /^(\d+)\.(\d+)\.\S+ (.+)$/m.exec(error ? "" : stdout) ?? [];
  const since = Number(major) - oldest.major || Number(minor) - oldest.minor;
  return since >= 0 ? path : undefined;
}

function findDeno() {
  const installed = denoBy("deno");
  if (installed) return installed;
  console.error(`No ${needed} in PATH: npx runs ${wanted}, and downloads it the first time.`);
  return denoBy("npx", ["--yes", wanted]);
}

async function environment() {
  const { WEBVAE_ADAPTER, VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  const chosen = WEBVAE_ADAPTER || VK_DRIVER_FILES || VK_ICD_FILENAMES;
  // Unlike Dawn, wgpu also accepts Debian 12's lavapipe, and is faster on it than on SwiftShader.
  const lavapipe = chosen || hardwareDrivers().length > 0 ? undefined : lavapipeDriver();
  const { env, description } = await vulkanEnvironment(lavapipe ? { adapter: lavapipe } : {});
  const linux = {
    // OpenGL, its other backend, would use another driver than the chosen one.
    DENO_WEBGPU_BACKEND: "vulkan",
    // Where wgpu looks for a display; it prints an error if the variable is missing.
    XDG_RUNTIME_DIR: tmpdir(),
  };
  const defaults = process.platform === "linux" ? linux : {};
  return { ...defaults, ...process.env, ...env, WEBVAE_DRIVER: description, DENO_NO_UPDATE_CHECK: "1" };
}

try {
  const deno = findDeno();
  if (!deno) {
    throw new Error(
      `This needs ${needed}, for its WebGPU: neither PATH nor "npx ${wanted}" gave one. https://deno.com says how to ` +
        "install it.",
    );
  }
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const asked = process.argv.slice(2).flatMap((arg) => (arg === "--sample" ? sample : [arg]));
  const args = ["run", "--config", join(import.meta.dirname, "vitest.config.ts"), ...asked];
  runVitest(deno, ["run", "--allow-all", "--no-lock", vitest, ...args], { cwd: root, env: await environment() });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
