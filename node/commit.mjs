// The commit that results belong to.
import { execFileSync } from "node:child_process";

/** The abbreviated commit, and whether the measured code was changed since; without git, WEBVAE_COMMIT. */
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
