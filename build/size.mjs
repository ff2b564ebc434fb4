// npm run size: the bytes of each file of the build, the bytes left below the core's limit, and how much of a file each of
// its sources makes.
import { Command, InvalidArgumentError } from "commander";
import { Buffer } from "node:buffer";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * The numbers of a segment of a source map's `mappings`: base64 digits of five bits, the lowest first, the sign last.
 * @param {string} segment
 */
function numbersOf(segment) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2);
    [value, shift] = [0, 0];
  }
  return numbers;
}

/**
 * How many bytes of a script each of its sources makes, the largest first. What no source makes is under "".
 * @param {string} code
 * @param {{ sources: string[], mappings: string }} map
 * @returns {[source: string, bytes: number][]}
 */
export function bytesBySource(code, { sources, mappings }) {
  /** @type {Map<string, number>} */
  const bytes = new Map();
  const lines = code.split("\n");
  let index = 0;
  let name = "";
  mappings.split(";").forEach((segments, i) => {
    const line = lines[i] ?? "";
    let column = 0;
    /** @param {number} to */
    const upTo = (to) => {
      const count = Buffer.byteLength(line.slice(column, to));
      if (count > 0) bytes.set(name, (bytes.get(name) ?? 0) + count);
      column = to;
    };
    for (const segment of segments.split(",").filter(Boolean)) {
      const [forward = 0, source] = numbersOf(segment);
      upTo(column + forward);
      if (source !== undefined) index += source;
      name = source === undefined ? "" : (sources[index] ?? "");
    }
    upTo(line.length);
  });
  const known = [...bytes.values()].reduce((sum, count) => sum + count, 0);
  const rest = Buffer.byteLength(code) - known;
  if (rest > 0) bytes.set("", (bytes.get("") ?? 0) + rest);
  return [...bytes].sort(([, a], [, b]) => b - a);
}

/** @param {number} n */
const grouped = (n) => n.toLocaleString("en");

/** @param {string[][]} rows the first column to the left, numbers to the right */
function table(rows) {
  const width = (/** @type {number} */ column) => Math.max(...rows.map((row) => (row[column] ?? "").length));
  const line = (/** @type {string[]} */ row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

/** @param {string} text */
function rowsOf(text) {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("It must be a whole number from 0.");
  }
  return value;
}

async function main() {
  const program = new Command("size")
    .description("Bytes of each file of the build, and of a file what each of its sources makes.")
    .argument("[file]", "of the build, whose sources are listed", "core.js")
    .option("--rows <n>", "sources to list; 0: all", rowsOf, 20)
    .option("--json", "print JSON instead of tables", false)
    .allowExcessArguments(false)
    .parse();
  const [file = "core.js"] = program.processedArgs;
  const { rows, json } = program.opts();
  // Slow to load, and of no use to --help.
  const { bundleLibrary, CORE, LIMIT, ON_DEMAND } = await import("./bundle.mjs");
  const { files, sizes, gzipped } = await bundleLibrary();
  const code = files.get(file);
  if (code === undefined || !sizes.has(file)) {
    throw new Error(`the build has no script ${file}; it has ${[...sizes.keys()].join(", ")}`);
  }
  const modules = bytesBySource(code, JSON.parse(files.get(`${file}.map`) ?? "{}"));
  const all = { files: Object.fromEntries(sizes), core: { gzipped, limit: LIMIT }, file, modules };
  if (json) return console.log(JSON.stringify(all));
  const listed = [...sizes].map(([name, size]) => [
    name,
    grouped(size.bytes),
    grouped(size.gzipped),
    ON_DEMAND.includes(name) ? "on demand" : CORE.includes(name) ? "core" : "",
  ]);
  console.log(table([["file", "bytes", "gzipped", ""], ...listed]));
  const left = LIMIT - gzipped;
  const room = left < 0 ? `${grouped(-left)} above` : `${grouped(left)} below`;
  console.log(
    `\nthe core (${CORE.join(", ")}): ${grouped(gzipped)} bytes gzipped, ${room} the limit of ${grouped(LIMIT)}\n`,
  );
  const { bytes, gzipped: packed } = sizes.get(file) ?? { bytes: 0, gzipped: 0 };
  const shown = modules
    .slice(0, rows || Infinity)
    .map(([name, count]) => [
      name.replace(/^\.\.\//, "") || "(no source)",
      grouped(count),
      `${((100 * count) / bytes).toFixed(1)} %`,
      grouped(Math.round((packed * count) / bytes)),
    ]);
  console.log(table([[`sources of ${file}`, "minified", "share", "of the gzipped bytes, by share"], ...shown]));
  const more = modules.length - shown.length;
  if (more > 0) console.log(`... and ${more} more (--rows 0 lists all)`);
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  try {
    await main();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
