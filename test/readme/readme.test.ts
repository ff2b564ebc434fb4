// Every code block of README.md, CONTRIBUTING.md and docs/ runs: JavaScript and pages in Chrome, or in Node where it brings
// its own WebGPU; of commands the script, its options and the paths that they name must be there.
import type { Browser } from "puppeteer";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENTRIES } from "../../build/entries.mjs";
import { bundleScripts, libraryFiles, serve } from "../../demo/serve.mjs";
import { launchBrowser } from "../../node/browser.mjs";
import { watch } from "../browser/harness.js";
import { installInto } from "../package/packed.js";
import { blocksOf, commandsOf } from "./blocks.js";

const root = join(import.meta.dirname, "../..");
const documents = ["README.md", "CONTRIBUTING.md", ...documentsIn("docs")];
const blocks = documents.flatMap((file) =>
  blocksOf(readFileSync(join(root, file), "utf8")).map((block) => ({ ...block, file })),
);
type FileBlock = (typeof blocks)[number];
const title = ({ file, line, text }: FileBlock) => `${file}:${line}: ${text.trim().split("\n")[0]}`;
/** The name of its page. */
const pageOf = ({ file, line }: FileBlock) => `${file.replace(/\W/g, "_")}_${line}`;

function documentsIn(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => (name.endsWith(".md") ? [`${folder}/${name}`] : []));
}

/** Blocks that need code around them, or that must do more than end without an error. */
interface Plan {
  /** A part of the block's text that no other block has. */
  readonly of: string;
  /** Code before it, which provides what the text around it refers to. */
  readonly before?: string;
  /** What is to be true after it, in its own scope; of a page what it comes to. */
  readonly after?: string;
  /** Files that its page finds beside it, with their places in the repository. */
  readonly files?: Readonly<Record<string, string>>;
  /** Number of loop iterations and console lines. */
  readonly prints?: RegExp;
}
const plans: Plan[] = [
  {
    of: `const images = await vae.sample(64);`,
    after: `images.length === 64 * 784 && bytes instanceof Uint8Array && bytes.length > 1e6`,
    prints: /^1 1 -?\d+\.\d+/m,
  },
  ...["gpu: await nodeGpu(), seed: 0 }", "gpu: await nodeGpu() }"].map((of) => ({
    of,
    after: `vae.adapter.name !== "" && vae.memory().deviceBytes > 1e6`,
  })),
  { of: `const spec = {\n  input: [28, 28, 1],`, after: `vae.trained.epochs === 1`, prints: /^\d+\.\d+$/m },
  {
    of: `const measured = train.undo(`,
    before: `import { VAE, models } from "webvae"; import { gaussians } from "webvae/datasets";
      const [trainingData, testData] = ["train", "test"].map((split) => gaussians({ split, count: 500, seed: 0 }));
      const vae = await VAE.create(models.points([2], 1));`,
    after: `measured.length === 128 && measured.every(Number.isFinite) && test.dataset.shape[0] === 2`,
    prints: /^-?\d+\.\d+$/m,
  },
  {
    of: `{ tuning: false }`,
    before: `import { VAE, models } from "webvae"; const spec = models.mlp([4], 2); const choices = undefined;`,
    after: `(await vae.sample(1)).length === 4 && (await unmeasured.sample(1)).length === 4`,
  },
  {
    of: `prior: { type: "mixture", components: 20 }`,
    before: `import { VAE, models } from "webvae";`,
    after: `(await (await VAE.create(spec)).sample(2)).length === 2 * 784`,
  },
  {
    of: `const sevens = await vae.sample`,
    before: `import { VAE, models } from "webvae"; import { digits } from "webvae/datasets";
      const data = digits({ split: "train", count: 300, seed: 0 });`,
    after: `sevens.length === 16 * 784 && asThrees.length === data.count * 784`,
  },
  {
    of: `vae.weights.list()`,
    before: `import { VAE, models } from "webvae"; const vae = await VAE.create(models.mlp([28, 28, 1], 2));`,
    after: `(await vae.weights.get("decoder.1.bias"))[783] === Math.fround(bias[783] - 1)`,
    prints: /^decoder\.1\.bias 784$/m,
  },
  { of: `src="webvae.global.js"`, after: `spec.latent === 20 && data.count === 6000` },
  {
    of: `<webvae-explorer src=`,
    after: `document.querySelector("webvae-explorer").vae?.spec.input.length === 3`,
    files: { "model.safetensors": "examples/explorer/digits.safetensors" },
  },
  {
    of: `const invented = undo(`,
    after: `invented.length === 160 && invented.every(Number.isFinite) && scores.elbo.length === 2000`,
    prints: /^-?\d+\.\d+ nats/m,
  },
  {
    of: `{ trainingState: true }`,
    before: `import { VAE, models } from "webvae"; import { gaussians } from "webvae/datasets";
      const data = gaussians({ split: "train", count: 256, seed: 0 });
      const vae = await VAE.create(models.points([2], 2));`,
    after: `later.trained.steps > vae.trained.steps`,
  },
];
/** Blocks that are not run, identified by a part of their text, and why. */
const notRun: { of: string; because: string }[] = [];

const inNode = ({ text }: FileBlock) => text.includes(`from "webvae/node"`);
const runs = (languages: string[], node: boolean) =>
  blocks.filter((block) => languages.includes(block.language) && inNode(block) === node && !excuse(block));
const excuse = ({ text }: FileBlock) => notRun.find(({ of }) => text.includes(of));
const planOf = ({ text }: FileBlock) => plans.find(({ of }) => text.includes(of));

test("every block is run or listed with a reason; every plan belongs to one block", () => {
  expect(new Set(blocks.map(({ file }) => file)).size).toBeGreaterThan(3);
  const known = ["js", "html", "sh"];
  expect(blocks.filter((block) => !known.includes(block.language) && !excuse(block)).map(title)).toEqual([]);
  for (const { of } of [...plans, ...notRun]) {
    expect([of, blocks.filter(({ text }) => text.includes(of)).length]).toEqual([of, 1]);
  }
});

describe("in Chrome", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  const html = runs(["html"], false);
  const js = runs(["js"], false);
  beforeAll(async () => {
    const pages = join(import.meta.dirname, "pages");
    const library = await libraryFiles();
    const scripts = await bundleScripts(readdirSync(pages).map((name) => join(pages, name)));
    const files = new Map<string, Buffer | string>([...scripts, ...library]);
    const imports = Object.fromEntries(
      ENTRIES.map(({ specifier, script }) => [
        specifier,
        files.has(capped(specifier)) ? capped(specifier) : `/dist/${script}`,
      ]),
    );
    const head = `<!doctype html><html lang="en"><meta charset="utf-8"><title>README</title><link rel="icon" href="data:,">`;
    for (const block of js) {
      const { before = "", after = "true" } = planOf(block) ?? {};
      const code = `${before}\n${block.text}\nglobalThis.outcome = ${after};`;
      const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
      files.set(`/${pageOf(block)}.html`, `${head}${map}<script type="module">${code}</script></html>`);
    }
    // Their own pages, next to the library's files.
    for (const block of html) {
      const folder = `/${pageOf(block)}`;
      for (const [path, text] of library) files.set(path.replace("/dist", folder), text);
      for (const [name, path] of Object.entries(planOf(block)?.files ?? {})) {
        files.set(`${folder}/${name}`, readFileSync(join(root, path)));
      }
      files.set(`${folder}/index.html`, `${head}${block.text}</html>`);
    }
    server = await serve(files, 0, { "content-security-policy": "default-src 'self' 'unsafe-inline' data:" });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Waits until `outcome` exists, or something went wrong. */
  async function open(path: string, outcome: string) {
    const { page, troubles } = await watch(await browser.newPage());
    const lines: string[] = [];
    const loaded: string[] = [];
    page.on("console", (message) => lines.push(message.text()));
    page.on("response", (response) => loaded.push(new URL(response.url()).pathname));
    try {
      await page.goto(new URL(path, server.url).href);
      const there = page.waitForFunction(outcome).then((handle) => handle.jsonValue());
      const wrong = new Promise<never>((_, fail) => {
        page.on("pageerror", (error) => fail(new Error(String(error))));
        if (troubles.length > 0) fail(new Error(troubles.join("\n")));
      });
      const value: unknown = await Promise.race([there, wrong]);
      return { value, lines: lines.join("\n"), loaded, troubles };
    } finally {
      await page.close();
    }
  }

  test.each(js.map((block) => [title(block), block] as const))("%s", async (_, block) => {
    const outcome = "'outcome' in globalThis && { is: globalThis.outcome }";
    const { value, lines, troubles } = await open(`${pageOf(block)}.html`, outcome);
    expect(value).toEqual({ is: true });
    expect(troubles).toEqual([]);
    expect(lines).toMatch(planOf(block)?.prints ?? /^/);
  });

  test.each(html.map((block) => [title(block), block] as const))("%s", async (_, block) => {
    const after = planOf(block)?.after ?? "true";
    const outcome = `document.readyState === "complete" && ${after} && { is: true }`;
    const { value, loaded, troubles } = await open(`${pageOf(block)}/index.html`, outcome);
    expect(value).toEqual({ is: true });
    expect(troubles).toEqual([]);
    for (const [, name] of block.text.matchAll(/["'](?:\.\/)?([\w.]+\.js)["']/g)) {
      expect(loaded).toContain(`/${pageOf(block)}/${name}`);
    }
  });
});

/** A replacement that shortens runs. */
function capped(specifier: string): string {
  return `/capped_${specifier === "webvae" ? "core" : specifier.split("/")[1]}.js`;
}

describe("in Node", () => {
  const folder = mkdtempSync(join(tmpdir(), "webvae-readme-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(async () => {
    await installInto(folder);
    symlinkSync(join(root, "node_modules/webgpu"), join(folder, "node_modules/webgpu"), "junction");
  });

  test.each(runs(["js"], true).map((block) => [title(block), block] as const))("%s", (_, block) => {
    const { before = "", after = "true" } = planOf(block) ?? {};
    // A process whose device is in use would not end.
    const end = `console.log("outcome", ${after});\nprocess.exit(0);`;
    writeFileSync(join(folder, "block.mjs"), `${before}\n${block.text}\n${end}`);
    const { stdout, stderr, status } = spawnSync(process.execPath, ["block.mjs"], { cwd: folder, encoding: "utf8" });
    expect({ stdout, status }, stderr).toEqual({ stdout: "outcome true\n", status: 0 });
  });
});

describe("commands", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const helps = new Map<string, string>();
  /** The program's help text. */
  const helpOf = (script: string): string => {
    const known = helps.get(script);
    if (known !== undefined) return known;
    const [program = "", ...rest] = scripts[script]!.split(" ");
    expect(program).toBe("node");
    const { stdout } = spawnSync(process.execPath, [...rest, "--help"], { cwd: root, encoding: "utf8" });
    helps.set(script, stdout);
    return stdout;
  };

  test.each(runs(["sh"], false).map((block) => [title(block), block] as const))("%s", (_, block) => {
    const commands = commandsOf(block.text);
    expect(commands.length).toBeGreaterThan(0);
    for (const [program, ...words] of commands) {
      expect(program).toBe("npm");
      const [verb = "", name = ""] = words;
      if (verb === "ci" && words.length === 1) continue;
      // In a project that uses the library.
      if (verb === "install") {
        expect(["webvae", "webgpu"]).toContain(name);
        continue;
      }
      const script = verb === "run" ? name : verb;
      expect(Object.keys(scripts)).toContain(script);
      const given = words.slice(words.indexOf("--") < 0 ? words.length : words.indexOf("--") + 1).join(" ");
      const flags = given.match(/--[\w-]+/g) ?? [];
      for (const flag of flags) expect(helpOf(script)).toMatch(new RegExp(`${flag}\\b`));
      // The tiers of the tests, and their files.
      if (script === "test" || script === "test:watch")
        for (const path of given.split(" ").filter(Boolean)) expect(existsSync(join(root, path))).toBe(true);
    }
  });
});
