// What all stored results say of where they come from.
export { commit } from "../../node/commit.mjs";

/** An adapter's name as part of a file's. */
export function slug(adapter: string): string {
  return adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
