// Provenance that all stored results include.
export { commit } from "../../node/commit.mjs";

/** An adapter's name in a form suitable for file names. */
export function slug(adapter: string): string {
  return adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
