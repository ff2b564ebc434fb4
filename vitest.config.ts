import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { ENTRIES } from "./build/entries.mjs";
import { viteWgsl } from "./build/wgsl.mjs";

// Demo, explorer and examples import the library by its names: here from its sources, as tsconfig.json has it.
const alias = ENTRIES.map(({ specifier, source }) => ({
  find: new RegExp(`^${specifier}$`),
  replacement: fileURLToPath(new URL(source, import.meta.url)),
}));

export default defineConfig({
  plugins: [viteWgsl()],
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/support/reporter.ts"],
    pool: "forks",
    // Two cores: one worker keeps the software adapter's threads from fighting each other.
    maxWorkers: 1,
    // Of what hangs alone: several times what a test takes where a software adapter shares one core with other work.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
