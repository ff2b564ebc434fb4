import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { viteWgsl } from "./build/wgsl.mjs";

const source = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  plugins: [viteWgsl()],
  // The demo imports the library by its name: here from its sources, as tsconfig.json has it.
  resolve: {
    alias: [
      { find: /^webvae$/, replacement: source("index.ts") },
      { find: /^webvae\/datasets$/, replacement: source("datasets.ts") },
    ],
  },
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
