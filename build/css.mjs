// Stylesheets embedded in a script as text, for shadow roots, without comments and spaces.
import { transform } from "esbuild";
import { readFile } from "node:fs/promises";

/** @returns {import("esbuild").Plugin} */
export function esbuildCss() {
  return {
    name: "css-text",
    setup({ onLoad }) {
      onLoad({ filter: /\.css$/ }, async ({ path }) => {
        // Browsers with WebGPU support light-dark() and nesting, so those stay as they are.
        const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
        return { contents: code.trim(), loader: "text" };
      });
    },
  };
}
