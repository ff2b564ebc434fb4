// Stylesheets that a script carries as text, for shadow roots: without comments and spaces.
import { transform } from "esbuild";
import { readFile } from "node:fs/promises";

/** @returns {import("esbuild").Plugin} */
export function esbuildCss() {
  return {
    name: "css-text",
    setup({ onLoad }) {
      onLoad({ filter: /\.css$/ }, async ({ path }) => {
        // Not for older browsers than have WebGPU: light-dark() and nesting stay as they are.
        const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
        return { contents: code.trim(), loader: "text" };
      });
    },
  };
}
