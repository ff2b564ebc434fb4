// npm run bits -- --against COMMIT: trains every preset with this working tree's sources and with those of a commit that
// is known to be right, on this machine. If both end with the same bits, these are stored for bits.test.ts on machines
// of this kind. For a commit that changes them on purpose, store them against itself, and give the reason in its
// message.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ on: string, bits: Record<string, string> }} Side */

const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = "test/train/bits";
const store = join(root, folder, "stored.json");

/** @param {string[]} args */
const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

/**
 * The bits of the sources in `tree`.
 * @param {string} tree
 * @returns {Side}
 */
function bitsIn(tree) {
  const program = ["node/start.mjs", `${folder}/print.ts`];
  const printed = execFileSync(process.execPath, program, {
    cwd: tree,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(printed);
}

/**
 * The same for a commit, with this tree's script.
 * @param {string} commit
 */
function bitsOfCommit(commit) {
  const tree = join(mkdtempSync(join(tmpdir(), "webvae-bits-")), "tree");
  git("worktree", "add", "--detach", tree, commit);
  try {
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "junction");
    rmSync(join(tree, folder), { recursive: true, force: true });
    mkdirSync(join(tree, folder), { recursive: true });
    for (const file of ["presets.ts", "print.ts"]) cpSync(join(root, folder, file), join(tree, folder, file));
    return bitsIn(tree);
  } finally {
    // Removes the link first, because it leads into this tree.
    rmSync(join(tree, "node_modules"), { force: true });
    git("worktree", "remove", "--force", tree);
    rmSync(join(tree, ".."), { recursive: true, force: true });
  }
}

const [option, commit, ...rest] = process.argv.slice(2);
if (option !== "--against" || !commit || rest.length > 0) {
  console.error("usage: npm run bits -- --against COMMIT (one whose weights are known to be right)");
  process.exit(2);
}
try {
  const name = git("rev-parse", "--short", "--verify", `${commit}^{commit}`);
  const [here, there] = [bitsIn(root), bitsOfCommit(name)];
  const presets = Object.keys(here.bits);
  const differing = presets.filter((preset) => here.bits[preset] !== there.bits[preset]);
  console.log(`on ${here.on}, against ${name}:`);
  for (const preset of presets)
    console.log(`${preset}: ${differing.includes(preset) ? "DIFFERENT BITS" : "the same bits"}`);
  if (here.on !== there.on) throw new Error(`the two sides ran on ${here.on} and ${there.on}, so nothing is stored`);
  if (differing.length > 0)
    throw new Error(`${differing.join(", ")}: different weights than at ${name}; nothing is stored`);
  /** @type {Record<string, Record<string, string>>} */
  const stored = JSON.parse(readFileSync(store, "utf8"));
  const sorted = Object.entries({ ...stored, [here.on]: here.bits }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(store, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
  console.log(`stored in ${folder}/stored.json`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
