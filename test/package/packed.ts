// The package as npm packs it, built once for the tests that need it, into a folder named by a hash of the sources, so
// that any change makes a new one.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { buildPackage } from "../../build/bundle.mjs";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/packed");
/** The files that npm includes besides dist/. */
const beside = ["package.json", "LICENSE", "README.md"];
const sources = [
  "src",
  "shaders",
  "explorer",
  "node",
  "build",
  ...beside,
  "tsconfig.json",
  "package-lock.json",
  "test/package/packed.ts",
];

export interface Packed {
  /** As npm would publish it, unpacked. */
  readonly folder: string;
  readonly tarball: string;
  /** What `npm run build` prints. */
  readonly printed: string;
}

export async function packed(): Promise<Packed> {
  const hash = createHash("sha256");
  for (const file of sources.flatMap(filesOf)) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  const name = hash.digest("hex").slice(0, 16);
  const folder = join(cache, name);
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}`;
    const lines = await buildPackage(join(partial, "dist"));
    writeFileSync(join(partial, "build.txt"), lines.join("\n"));
    for (const file of beside) cpSync(join(root, file), join(partial, file));
    npm(["pack", "--ignore-scripts"], partial);
    // Another process may have made the same one meanwhile.
    if (existsSync(folder)) rmSync(partial, { recursive: true });
    else renameSync(partial, folder);
    removeOthers(name);
  }
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  if (!tarball) throw new Error(`npm pack left no file in ${folder}`);
  return { folder, tarball: join(folder, tarball), printed: readFileSync(join(folder, "build.txt"), "utf8") };
}

/** A user's project with the package in it, from the tarball alone, without the network. */
export async function installInto(folder: string, manifest: object = { type: "module" }): Promise<Packed> {
  const made = await packed();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, ...manifest }));
  npm(["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", made.tarball], folder);
  return made;
}

/** npm's output. Throws if it fails. */
export function npm(args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync("npm", args, {
    cwd,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

function filesOf(path: string): string[] {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  const names = readdirSync(full, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => join(path, name)).filter((file) => statSync(join(root, file)).isFile());
}

/** Of other sources. */
function removeOthers(name: string) {
  for (const other of readdirSync(cache).filter((entry) => entry !== name)) {
    // Another process may be building it.
    if (!other.includes(".")) rmSync(join(cache, other), { recursive: true, force: true });
  }
}
