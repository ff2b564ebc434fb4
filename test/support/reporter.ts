// Ends the output of a test run with one line, "12 passed, 0 failed", which a script can parse; and names the adapter
// at the start. Anything that could not run counts as failed: a file that does not import, a hook that throws, an error
// outside all tests, and a run without any tests.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";

type RunEnd = Parameters<NonNullable<Reporter["onTestRunEnd"]>>;

export default class SummaryReporter implements Reporter {
  private summary = { passed: 0, failed: 1, skipped: 0 };

  /** The adapter's name, if it is not the one that start.mjs would find. */
  constructor(private readonly options: { readonly adapter?: string } = {}) {}

  onInit(): void {
    console.log(`adapter: ${withDriver(this.options.adapter ?? adapter())}`);
    // Vitest itself prints after its reporters, but nothing prints after this.
    process.once("exit", () => {
      const { passed, failed, skipped } = this.summary;
      if (failed > 0) process.exitCode ||= 1;
      process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
    });
  }

  onTestRunEnd(modules: RunEnd[0], unhandled: RunEnd[1]): void {
    this.summary = summarize(modules, unhandled.length);
  }
}

function summarize(modules: readonly TestModule[], unhandled: number) {
  const summary = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    // A suite's own errors are those of its hooks.
    const broken = [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
    summary.failed += broken.length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test still pending was cut off: its worker died, or the run was interrupted.
      summary[state === "pending" ? "failed" : state]++;
    }
  }
  if (summary.passed + summary.failed === 0) summary.failed = 1;
  return summary;
}

/** Determined in a separate process, so that a crashing driver does not destroy the run's result. */
function adapter(): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const program = ["node/start.mjs", "node/adapter.ts"];
  const { stdout, stderr, status } = spawnSync(process.execPath, program, { cwd: root, encoding: "utf8" });
  const name = stdout.trim();
  return status !== 0 || !name ? `none: ${stderr.trim()}` : name;
}

function withDriver(name: string): string {
  const driver = process.env["WEBVAE_DRIVER"];
  return driver && !name.startsWith("none") ? `${name}, from ${driver}` : name;
}
