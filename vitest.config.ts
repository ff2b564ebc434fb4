import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { ENTRIES } from "./build/entries.mjs";
import { viteWgsl } from "./build/wgsl.mjs";

// Demo, explorer and examples import the library by name, which resolves to its sources here, as in tsconfig.json.
const alias = ENTRIES.map(({ specifier, source }) => ({
  find: new RegExp(`^${specifier}$`),
  replacement: fileURLToPath(new URL(source, import.meta.url)),
}));

/** What computes and measures no time, some files at once: half of such a test is the host's and the compiler's. */
const together = ["ops", "null", "train", "support"].map((folder) => `test/${folder}/**/*.test.ts`);

/** Graphs are made there without a VAE, which would load what they need. */
const setupFiles = ["./test/support/toolbox.ts"];

/**
 * On a new checkout, where no times are cached, vitest runs the largest files first. These are small and take the longest:
 * at the end they would run alone.
 */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const slow = ({ moduleId }: TestSpecification) => /demo_lost|resume|examples|canvas|twin_images/.test(moduleId);
    return [...sorted.filter(slow), ...sorted.filter((file) => !slow(file))];
  }
}

export default defineConfig({
  plugins: [viteWgsl()],
  resolve: { alias },
  test: {
    reporters: ["default", "./test/support/reporter.ts"],
    pool: "forks",
    sequence: { sequencer: SlowFirst },
    // Only for hanging tests: several times what a test takes if a software adapter shares one core with other work.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: { name: "together", include: together, maxWorkers: 2, setupFiles, sequence: { groupOrder: 0 } },
      },
      // Browsers and programs: half of their time is waiting. Those that are held to a time measure the processor's.
      {
        extends: true,
        test: {
          name: "programs",
          include: ["test/**/*.test.ts"],
          exclude: [...together, "**/node_modules/**"],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
