// Runs vitest as a process, and guarantees that the last line of stdout is the result, even if vitest itself does not
// get to report one.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Exits this process like the command.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function runVitest(command, args, { cwd, env = process.env } = {}) {
  const child = spawn(command, args, {
    cwd,
    stdio: ["inherit", "pipe", "inherit"],
    // Vitest sees a pipe even if there is a terminal.
    env: { ...env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}) },
  });
  let end = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    process.stdout.write(text);
    end = (end + text).slice(-1000);
  });
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => console.error(`cannot start ${command}: ${error.message}`));
  child.on("close", (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
    const lines = end.split("\n").filter((line) => /^\d+ passed, \d+ failed(, \d+ skipped)?$/.test(line));
    const last = lines.at(-1) ?? "0 passed, 1 failed";
    if (!end.endsWith(`${last}\n`)) process.stdout.write(`${end === "" || end.endsWith("\n") ? "" : "\n"}${last}\n`);
    // A missing result is a failure, whatever the exit code.
    if (lines.length === 0) process.exitCode ||= 1;
  });
}
