// The page's files: its scripts, style and fonts, and the library next to them. npm run build:demo writes them to
// dist-demo/, for any static host, under any path.
import { build } from "esbuild";
import { Buffer } from "node:buffer";
import { readdirSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { bundleLibrary } from "../build/bundle.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = join(folder, "..");
const fonts = join(root, "node_modules/@fontsource/inter/files");

/** Limit for the page's own scripts in gzipped bytes, including the chart library but not webvae. */
export const DEMO_LIMIT = 150_000;

/**
 * A strict policy under which the library runs. The page can connect only to its own origin and `hosts`.
 * @param {readonly string[]} [hosts]
 */
export const policyFor = (hosts = []) =>
  [
    "default-src 'none'",
    ...["script-src", "worker-src"].map((kind) => `${kind} 'self'`),
    ["connect-src 'self'", ...hosts].join(" "),
    ...["style-src", "font-src"].map((kind) => `${kind} 'self'`),
    "img-src 'self' blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

/** The demo's policy: it downloads MNIST and Fashion-MNIST from the hosts the library uses. */
export const demoPolicy = policyFor([
  "https://cdn.jsdelivr.net",
  "https://raw.githubusercontent.com",
  "https://storage.googleapis.com",
]);

/**
 * Scripts that import the library by name; the page finds it next to them.
 * @param {string[]} entryPoints
 * @param {{ minify?: boolean }} [options]
 * @returns {Promise<Map<string, Buffer>>} by their paths: "/main.js", "/main.js.map"
 */
export async function bundleScripts(entryPoints, { minify = false } = {}) {
  const { outputFiles } = await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    // Dynamic imports become separate files.
    splitting: true,
    chunkNames: "part-[hash]",
    minify,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    sourcemap: "linked",
    external: ["*.woff2"],
    plugins: [
      {
        name: "library",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^webvae(\/\w+)?$/ }, ({ path }) => ({
            path: `./dist/${basename(path)}.js`,
            external: true,
          })),
      },
    ],
    logLevel: "error",
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [
      path.slice(folder.length - 1).replaceAll("\\", "/"),
      Buffer.from(contents),
    ]),
  );
}

/**
 * The library's own files, where those scripts look for them.
 * @returns {Promise<Map<string, string>>} by their paths: "/dist/webvae.js"
 */
export async function libraryFiles() {
  const { files } = await bundleLibrary();
  return new Map([...files].map(([name, text]) => [`/dist/${name}`, text]));
}

/** @returns {Promise<Map<string, Buffer | string>>} by path, including "/index.html" */
export async function demoFiles() {
  const read = (/** @type {string} */ path) => readFile(path);
  const recorded = join(folder, "recorded");
  const names = readdirSync(recorded).filter((name) => /\.(json|png|css)$/.test(name));
  const bundled = await bundleScripts(
    ["early", "main", "worker"].map((name) => join(folder, `${name}.ts`)),
    { minify: true },
  );
  const styled = await bundleScripts([join(folder, "style/style.css")], { minify: true });
  /** @type {[string, Buffer | string][]} */
  const files = [
    ["/index.html", await read(join(folder, "index.html"))],
    ["/inter-400.woff2", await read(join(fonts, "inter-latin-400-normal.woff2"))],
    ["/inter-600.woff2", await read(join(fonts, "inter-latin-600-normal.woff2"))],
    ...[...styled].map(([path, bytes]) => /** @type {[string, Buffer]} */ ([`/${basename(path)}`, bytes])),
    ...(await Promise.all(
      names.map(
        async (name) => /** @type {[string, Buffer]} */ ([`/recorded/${name}`, await read(join(recorded, name))]),
      ),
    )),
    ...bundled,
    ...(await libraryFiles()),
  ];
  return new Map(files);
}

/**
 * Writes the page to a folder. Throws if its scripts are larger than DEMO_LIMIT.
 * @param {string} [target]
 * @returns {Promise<string[]>} a summary of what it wrote
 */
export async function buildDemo(target = join(root, "dist-demo")) {
  const files = await demoFiles();
  const size = scriptSize(files);
  if (size > DEMO_LIMIT) throw new Error(`the demo's scripts take ${size} bytes gzipped (limit ${DEMO_LIMIT})`);
  await rm(target, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    const file = join(target, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, path === "/index.html" ? withPolicy(String(bytes)) : bytes);
  }
  return [`dist-demo: ${files.size} files; the demo's scripts: ${size} bytes gzipped (limit ${DEMO_LIMIT})`];
}

/**
 * Size of the demo's own scripts, each gzipped separately, as a host would.
 * @param {ReadonlyMap<string, Buffer | string>} files
 */
export function scriptSize(files) {
  const own = [...files].filter(([path]) => path.endsWith(".js") && !path.startsWith("/dist/"));
  return own.reduce((sum, [, bytes]) => sum + gzipSync(bytes, { level: 9 }).length, 0);
}

/** A static host sends no policy, so the page declares it. @param {string} html */
const withPolicy = (html) =>
  html.replace(
    "<meta charset",
    `<meta http-equiv="content-security-policy" content="${demoPolicy}" />\n    <meta charset`,
  );

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  try {
    console.log((await buildDemo()).join("\n"));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
