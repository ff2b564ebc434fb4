// The npm package @sparticuz/chromium contains a headless Chrome, SwiftShader with a Vulkan loader, and the system
// libraries that a bare Linux lacks, all compressed. Its own code unpacks them straight into the system's temporary
// folder, where a half-written file from an interrupted run counts as complete, so only its archives are used here.
import { createHash } from "node:crypto";
import { chmodSync, createReadStream, createWriteStream, existsSync, lstatSync, mkdirSync } from "node:fs";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

/**
 * @typedef {object} Package
 * @property {string} folder
 * @property {string} version
 */

/**
 * The installed package; undefined if it is absent or its programs are for another kind of machine.
 * @returns {Package | undefined}
 */
export function packagedChromium() {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    // Here, since a bundler may leave no address of this module.
    const { resolve } = createRequire(import.meta.url);
    const folder = dirname(dirname(resolve("@sparticuz/chromium")));
    /** @type {{ version: string }} */
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return existsSync(join(folder, "bin", "swiftshader.tar.br")) ? { folder, version } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A folder with libvk_swiftshader.so, its ICD file and libvulkan.so.1. The archive's EGL and GLES libraries are left
 * out, since on LD_LIBRARY_PATH they would replace the system's.
 * @param {Package} source
 */
export function unpackVulkan(source) {
  return once(source, "vulkan", (into) => untar(source, "swiftshader", into, (name) => /vulkan|vk_swift/.test(name)));
}

/**
 * A folder with the program `chromium` and the libraries it loads from its own folder, `lib/` with nss, nspr and expat,
 * and `fonts/` with a fonts.conf, for a machine without any fonts.
 * @param {Package} source
 */
export function unpackChrome(source) {
  return once(source, "chrome", async (into) => {
    const program = join(into, "chromium");
    await Promise.all([
      pipeline(
        createReadStream(join(source.folder, "bin", "chromium.br")),
        createBrotliDecompress({ chunkSize: 2 ** 20 }),
        createWriteStream(program),
      ),
      untar(source, "swiftshader", into),
      untar(source, "al2023", into),
      untar(source, "fonts", into),
    ]);
    chmodSync(program, 0o755);
    // The packaged file names a cloud provider's folders; "prefix" makes them relative to the file itself.
    writeFileSync(
      join(into, "fonts.conf"),
      `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n`,
    );
  });
}

/**
 * The folder for generated files: next to the installed packages, so that `npm ci` clears it; for a read-only
 * installation, a folder for this user and this installation in the system's temporary folder.
 * @param {string} modules a node_modules folder
 * @param {string} [temporary]
 */
export function cacheFolder(modules, temporary = tmpdir()) {
  const beside = join(modules, ".cache", "webvae");
  try {
    mkdirSync(beside, { recursive: true });
    rmSync(mkdtempSync(join(beside, "probe-")), { recursive: true });
    return beside;
  } catch {
    const user = process.getuid?.() ?? 0;
    const own = join(temporary, `webvae-${user}`);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const found = lstatSync(own);
    // Anyone can create files in a shared temporary folder, and code is loaded from this one.
    if (!found.isDirectory() || (process.getuid && (found.uid !== user || (found.mode & 0o022) !== 0))) {
      throw new Error(`${own} is not a folder that belongs only to this user`);
    }
    const folder = join(own, createHash("sha256").update(modules).digest("hex").slice(0, 12));
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}

/**
 * Fills a cache folder the first time it is needed. It is filled under another name and renamed, so a folder that
 * exists is complete, and if two processes race, one wins and the other discards its copy.
 * @param {Package} source
 * @param {string} name
 * @param {(into: string) => Promise<void>} fill
 */
async function once(source, name, fill) {
  const parent = cacheFolder(dirname(dirname(source.folder)));
  return fillOnce(join(parent, `chromium-${source.version}-${name}`), fill);
}

/**
 * @param {string} target
 * @param {(into: string) => Promise<void>} fill
 */
export async function fillOnce(target, fill) {
  if (existsSync(target)) return target;
  const partial = mkdtempSync(`${target}.partial-`);
  try {
    await fill(partial);
    chmodSync(partial, 0o755);
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/**
 * @param {Package} source
 * @param {string} archive
 * @param {string} into
 * @param {(name: string) => boolean} [wanted]
 */
async function untar(source, archive, into, wanted = () => true) {
  // The package's own dependency can read its archives.
  const { extract } = createRequire(join(source.folder, "package.json"))("tar-fs");
  const compressed = createReadStream(join(source.folder, "bin", `${archive}.tar.br`));
  const ignore = (/** @type {string} */ path) => !wanted(basename(path));
  await pipeline(compressed, createBrotliDecompress(), extract(into, { ignore, chown: false }));
}
