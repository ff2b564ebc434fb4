// Starts the launcher and a test run, and checks the latter's last line.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const project = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "webvae-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  code: number | null;
  out: string;
  error: string;
}

/** Runs node; `signal` is sent to it once it has printed "ready". */
function node(args: string[], signal?: NodeJS.Signals, more: NodeJS.ProcessEnv = {}): Promise<Result> {
  // A vitest inside this one must not believe that it is its worker.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  const env = { ...own, ...more };
  const child = spawn(process.execPath, args, { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
  const result: Result = { code: null, out: "", error: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (signal && !result.out.includes("ready") && (result.out + text).includes("ready")) child.kill(signal);
    result.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.error += text));
  return new Promise((done) => child.on("close", (code) => done({ ...result, code })));
}

function program(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe("start.mjs", () => {
  const start = (args: string[], signal?: NodeJS.Signals) => node(["node/start.mjs", ...args], signal);

  test("passes the program its arguments, the driver and its own URL, and returns its exit code", async () => {
    const file = program(
      "args.ts",
      `const said: string[] = process.argv.slice(2);
       console.log(JSON.stringify({ said, driver: process.env["WEBVAE_DRIVER"], url: import.meta.url }));
       process.exit(5);`,
    );
    const { code, out } = await start([file, "a b", "--exec"]);
    expect(code).toBe(5);
    expect(JSON.parse(out)).toEqual({
      said: ["a b", "--exec"],
      driver: expect.stringMatching(/./) as string,
      url: `file://${file}`,
    });
  });

  test("an error in the program names the line of its source", async () => {
    const { code, error } = await start([
      program("throws.ts", "const a: number = 1;\n\nthrow new Error(`no ${a}`);\n"),
    ]);
    expect(code).toBe(1);
    expect(error).toContain("throws.ts:3:");
  });

  test("lets a program end gracefully at SIGINT, and reports one that a signal ended", async () => {
    const wait = "setInterval(() => undefined, 1000); console.log('ready');";
    const graceful = program(
      "int.ts",
      `process.once("SIGINT", () => { console.log("bye"); process.exit(7); }); ${wait}`,
    );
    expect(await start([graceful], "SIGINT")).toMatchObject({ code: 7, out: "ready\nbye\n" });
    const plain = program("plain.ts", wait);
    expect(await start([plain], "SIGINT")).toMatchObject({ code: 130 });
    expect(await start([plain], "SIGTERM")).toMatchObject({ code: 143 });
  });

  test("runs a program of the packages", async () => {
    expect(await start(["--exec", "esbuild", "--version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    expect((await start(["--exec", "no-such-program"])).code).toBe(1);
  });

  test("reports errors", async () => {
    expect(await start([])).toMatchObject({ code: 2, error: expect.stringContaining("usage:") as string });
    expect(await start(["no/such.ts"])).toMatchObject({
      code: 1,
      error: expect.stringContaining("no such program") as string,
    });
    const broken = await start([program("broken.ts", "const = 1;")]);
    expect(broken).toMatchObject({ code: 1, error: expect.stringContaining("broken.ts:1") as string });
  });
});

describe("npm test", () => {
  /** Runs the files as a project of their own, and returns its exit code and the lines that look like a result. */
  async function run(files: Record<string, string>, ...args: string[]) {
    const root = mkdtempSync(join(folder, "project-"));
    symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
    mkdirSync(join(root, "test"));
    const reporter = join(project, "test/support/reporter.ts");
    const config = { test: { reporters: ["default", reporter], maxWorkers: 1 } };
    writeFileSync(join(root, "vitest.config.mjs"), `export default ${JSON.stringify(config)};`);
    const head = 'import { beforeAll, describe, test } from "vitest";\n';
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, "test", name), head + text);
    const { code, out } = await node(["test/run.mjs", "--root", root, ...args]);
    expect(out.endsWith("\n")).toBe(true);
    const lines = out.trimEnd().split("\n");
    expect(out.match(/^\d+ passed, .*$/gm)).toEqual([lines.at(-1)]);
    return { code, last: lines.at(-1), adapters: lines.filter((line) => line.startsWith("adapter: ")).length };
  }

  const good = 'test("a", () => {}); test("b", () => {});';

  test("passes", async () => {
    expect(await run({ "a.test.ts": good })).toEqual({ code: 0, last: "2 passed, 0 failed", adapters: 1 });
    const skipped = `${good} test.skip("c", () => {}); test.todo("d");`;
    expect(await run({ "a.test.ts": skipped })).toMatchObject({ code: 0, last: "2 passed, 0 failed, 2 skipped" });
  });

  test("counts a failing test, a file that does not import, and a hook that throws", async () => {
    const files = {
      "a.test.ts": `${good} test("c", () => { throw new Error("no"); });`,
      "import.test.ts": 'import "./missing.js"; test("a", () => {});',
      "hook.test.ts": 'describe("s", () => { beforeAll(() => { throw new Error("no"); }); test("a", () => {}); });',
      "empty.test.ts": "",
    };
    // The hook's test did not run: skipped. A file without tests is a failure of that file.
    expect(await run(files)).toMatchObject({ code: 1, last: "2 passed, 4 failed, 1 skipped" });
  });

  test("counts an error outside all tests, and a worker that dies", async () => {
    const late = 'test("a", () => { setTimeout(() => { throw new Error("late"); }); });\n';
    const wait = 'test("b", () => new Promise((resolve) => setTimeout(resolve, 100)));';
    expect(await run({ "a.test.ts": late + wait })).toMatchObject({ code: 1, last: "2 passed, 1 failed" });
    const dies = await run({ "a.test.ts": 'test("a", () => { process.kill(process.pid, "SIGKILL"); });' });
    expect(dies.code).toBe(1);
    expect(dies.last).toMatch(/^0 passed, [12] failed$/);
  });

  test("fails when nothing ran", async () => {
    expect(await run({})).toMatchObject({ code: 1, last: "0 passed, 1 failed" });
    expect(await run({}, "--passWithNoTests")).toMatchObject({ code: 1, last: "0 passed, 1 failed" });
    const skipped = await run({ "a.test.ts": 'test.skip("a", () => {});' });
    expect(skipped).toMatchObject({ code: 1, last: "0 passed, 1 failed, 1 skipped" });
  });

  test("fails when vitest does not start", async () => {
    expect(await run({ "a.test.ts": good }, "--no-such-option")).toMatchObject({ code: 1, last: "0 passed, 1 failed" });
  });
});

test("npm run test:wgpu says what it needs", async () => {
  const { code, out, error } = await node(["test/wgpu/run.mjs"], undefined, { PATH: folder });
  expect({ code, out }).toEqual({ code: 1, out: "0 passed, 1 failed\n" });
  expect(error).toMatch(/needs Deno 2\.9 or newer/);
});
