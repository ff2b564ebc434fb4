// SVG to PNG with a bundled font, so that a chart looks the same even on a machine without fonts.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Resvg, initWasm } from "@resvg/resvg-wasm";

const require = createRequire(import.meta.url);
const fontFamily = "Inter";

let loading: Promise<Uint8Array[]> | undefined;

/** Starts the rasteriser, once per process, and reads the fonts: normal and semi-bold. */
function load(): Promise<Uint8Array[]> {
  loading ??= initWasm(readFileSync(require.resolve("@resvg/resvg-wasm/index_bg.wasm"))).then(() =>
    [400, 600].map((weight) =>
      readFileSync(require.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff2`)),
    ),
  );
  return loading;
}

/** A PNG file of the drawing, on white, `zoom` pixels per unit of the SVG. */
export async function svgToPng(svg: string, zoom = 1): Promise<Uint8Array> {
  const fontBuffers = await load();
  const resvg = new Resvg(svg, {
    background: "white",
    fitTo: { mode: "zoom", value: zoom },
    font: { fontBuffers, defaultFontFamily: fontFamily, sansSerifFamily: fontFamily },
  });
  try {
    return resvg.render().asPng();
  } finally {
    resvg.free();
  }
}
