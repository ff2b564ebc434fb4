// What all stored results say of where they come from.
import { execFileSync } from "node:child_process";

/** The commit that is measured; in a folder without git (node/pack.mjs) what the variable WEBVAE_COMMIT says. */
export function commit(): string {
  const told = process.env["WEBVAE_COMMIT"];
  if (told) return told;
  try {
    const git = (...inputs: string[]) =>
      execFileSync("git", inputs, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "src", "shaders") ? "+changes" : "");
  } catch {
    return "unknown";
  }
}

/** An adapter's name as part of a file's. */
export function slug(adapter: string): string {
  return adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
