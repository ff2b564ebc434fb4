// The commit that results are of.
import { execFileSync } from "node:child_process";

/** Abbreviated, and whether what it measures was changed since; in a folder without git what WEBVAE_COMMIT says. */
export function commit() {
  const told = process.env["WEBVAE_COMMIT"];
  if (told) return told;
  try {
    const git = (/** @type {string[]} */ ...inputs) =>
      execFileSync("git", inputs, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "src", "shaders") ? "+changes" : "");
  } catch {
    return "unknown";
  }
}
