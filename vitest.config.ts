import { defineConfig } from "vitest/config";
import { viteWgsl } from "./build/wgsl.mjs";

export default defineConfig({
  plugins: [viteWgsl()],
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/support/reporter.ts"],
    pool: "forks",
    // Two cores: one worker keeps the software adapter's threads from fighting each other.
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
