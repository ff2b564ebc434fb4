import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readDataDir } from "../../cli/data_dir.js";
import { cachePath, cachingFetch, defaultCacheDir } from "../../cli/file_cache.js";
import type { DataCache, RemoteFile } from "../../src/data/download.js";
import { fashionMnist, imagesFromIdx, mnist, remoteIdx, type MnistOptions } from "../../src/data/mnist.js";
import { fault } from "../support/fault.js";
import { gzip, idxBytes, localMnist } from "../support/idx.js";

// Two small files in place of MNIST's.
const pixels = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
const classes = Uint8Array.of(3, 1, 4, 1, 5);
const imageFile = gzip(idxBytes([5, 4, 3], pixels));
const labelFile = gzip(idxBytes([5], classes));
const remote = (file: string, bytes: Uint8Array): RemoteFile => ({
  file,
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});
const split = { images: remote("images.gz", imageFile), labels: remote("labels.gz", labelFile) };
const total = imageFile.length + labelFile.length;
const load = (options: Omit<MnistOptions, "split">, urls = ["https://a.test/x/"]) =>
  remoteIdx("tiny", { train: split, test: split }, urls, { cache: false, ...options, split: "train" });

/** Serves the two files and records the requests; `answer` can override them by call number. */
function server(answer?: (url: string, call: number, init?: RequestInit) => Response | Error | undefined) {
  const calls: string[] = [];
  const fetch = ((url: string, init?: RequestInit) => {
    calls.push(url);
    const special = answer?.(url, calls.length, init);
    if (special instanceof Error) return Promise.reject(special);
    return Promise.resolve(special ?? new Response(url.endsWith("images.gz") ? imageFile : labelFile));
  }) as typeof globalThis.fetch;
  return { fetch, calls };
}

function fakeCache(): DataCache & { entries: Map<string, Uint8Array> } {
  const entries = new Map<string, Uint8Array>();
  return {
    entries,
    match: (key) =>
      Promise.resolve(entries.has(key as string) ? new Response(entries.get(key as string) as BodyInit) : undefined),
    put: async (key, response) => void entries.set(key as string, new Uint8Array(await response.arrayBuffer())),
    delete: (key) => Promise.resolve(entries.delete(key as string)),
  };
}

describe("mnist downloads", () => {
  it("downloads, checks and reads both files", async () => {
    const { fetch, calls } = server();
    const progress: number[][] = [];
    const dataset = await load({ fetch, onProgress: (...now) => progress.push(now) });
    expect(dataset).toEqual({ name: "tiny", shape: [4, 3, 1], count: 5, values: pixels, labels: classes });
    expect(calls).toEqual(["https://a.test/x/labels.gz", "https://a.test/x/images.gz"]);
    expect(progress.at(-1)).toEqual([total, total]);
  });

  it("requests the published files from the published locations", async () => {
    for (const [from, host] of [
      [mnist, /mnist/],
      [fashionMnist, /fashion-mnist/],
    ] as const) {
      const { fetch, calls } = server(() => new Response(null, { status: 404 }));
      await expect(from({ split: "test", fetch, cache: false })).rejects.toEqual(
        fault("DOWNLOAD_FAILED", /HTTP status 404/),
      );
      expect(calls[0]).toMatch(host);
      expect(calls.every((url) => /^https:.*\/t10k-labels-idx1-ubyte\.gz$/.test(url))).toBe(true);
      // The right name is not enough.
      await expect(
        from({ split: "test", fetch: server().fetch, cache: false, baseUrl: "https://b.test" }),
      ).rejects.toEqual(
        fault("DOWNLOAD_FAILED", /^https:\/\/b\.test\/t10k-labels-idx1-ubyte\.gz: \d+ bytes, \d+ expected/),
      );
    }
  });

  it("tries again once, bypassing the HTTP cache", async () => {
    const modes: unknown[] = [];
    const { fetch, calls } = server((_, call, init) => {
      modes.push(init?.cache);
      return call === 1 ? new Response("busy", { status: 503 }) : undefined;
    });
    await load({ fetch });
    expect(calls).toHaveLength(3);
    expect(modes).toEqual([undefined, "reload", undefined]);
  });

  it("tries the next location, and reports the last error", async () => {
    const { fetch, calls } = server((url) =>
      url.includes("a.test") ? new TypeError("fetch failed", { cause: new Error("ENOTFOUND") }) : undefined,
    );
    expect((await load({ fetch }, ["https://a.test", "https://b.test"])).count).toBe(5);
    expect(calls.filter((url) => url.includes("a.test"))).toHaveLength(4);
    await expect(load({ fetch })).rejects.toEqual(fault("DOWNLOAD_FAILED", /no response \(fetch failed: ENOTFOUND\)/));
    await expect(load({ fetch, baseUrl: [] })).rejects.toEqual(fault("DOWNLOAD_FAILED", /no URL/));
  });

  it("rejects other bytes, however many", async () => {
    const altered = labelFile.slice();
    altered[12]! ^= 1;
    const wrong = (body: BodyInit) => load({ fetch: server(() => new Response(body)).fetch });
    await expect(wrong(altered)).rejects.toEqual(
      fault("CHECKSUM_MISMATCH", new RegExp(`labels\\.gz: SHA-256 is [0-9a-f]{64}, expected ${split.labels.sha256}`)),
    );
    await expect(wrong(labelFile.slice(0, 9))).rejects.toEqual(fault("DOWNLOAD_FAILED", /9 bytes, \d+ expected/));
    let sent = 0;
    const endless = () => new ReadableStream({ pull: (out) => void (sent++, out.enqueue(new Uint8Array(1000))) });
    await expect(load({ fetch: server(() => new Response(endless())).fetch })).rejects.toEqual(
      fault("CHECKSUM_MISMATCH", new RegExp(`more than the ${labelFile.length} bytes expected`)),
    );
    expect(sent).toBeLessThan(20);
  });

  it("reports an interrupted connection", async () => {
    const broken = () =>
      new ReadableStream({
        start: (out) => out.enqueue(labelFile.slice(0, 10)),
        pull: (out) => out.error(new Error("reset")),
      });
    const progress: number[] = [];
    const { fetch } = server((_, call) => (call === 1 ? new Response(broken()) : undefined));
    await load({ fetch, onProgress: (n) => progress.push(n) });
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    const always = server(() => new Response(broken()));
    await expect(load({ fetch: always.fetch })).rejects.toEqual(
      fault("DOWNLOAD_FAILED", new RegExp(`ended after \\d+ of ${labelFile.length} bytes \\(reset\\)`)),
    );
  });

  it("stops with the signal's reason", async () => {
    const reason = new Error("enough");
    const before = server();
    await expect(load({ fetch: before.fetch, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(before.calls).toEqual([]);

    const controller = new AbortController();
    const during = server();
    const onProgress = () => controller.abort(reason);
    await expect(load({ fetch: during.fetch, signal: controller.signal, onProgress })).rejects.toBe(reason);
    expect(during.calls).toHaveLength(1);
  });

  it("caches what it checked, and checks what it cached", async () => {
    const cache = fakeCache();
    await load({ fetch: server().fetch, cache });
    expect(cache.entries.size).toBe(2);
    const offline = server(() => new Error("offline"));
    const progress: number[][] = [];
    const dataset = await load({ fetch: offline.fetch, cache, onProgress: (...now) => progress.push(now) });
    expect(dataset.values).toEqual(pixels);
    expect(offline.calls).toEqual([]);
    expect(progress.at(-1)).toEqual([total, total]);

    for (const bytes of cache.entries.values()) bytes[5]! ^= 1;
    const online = server();
    await load({ fetch: online.fetch, cache });
    expect(online.calls).toHaveLength(2);
  });

  it("works without a failing cache", async () => {
    const refuse = () => Promise.reject(new Error("quota"));
    expect((await load({ fetch: server().fetch, cache: { match: refuse, put: refuse, delete: refuse } })).count).toBe(
      5,
    );
  });
});

describe("imagesFromIdx", () => {
  const images = idxBytes([5, 4, 3], pixels);
  const refused = (files: Partial<Parameters<typeof imagesFromIdx>[0]>, pattern: RegExp) =>
    expect(imagesFromIdx({ images, name: "set", ...files })).rejects.toEqual(fault("INVALID_FILE", pattern));

  it("reads images without labels, and with channels", async () => {
    const dataset = await imagesFromIdx({ images, name: "set" });
    expect(dataset).toEqual({ name: "set", shape: [4, 3, 1], count: 5, values: pixels });
    expect((await imagesFromIdx({ images: idxBytes([5, 2, 2, 3], pixels), name: "set" })).shape).toEqual([2, 2, 3]);
  });

  it("rejects files that do not belong together", async () => {
    await refused({ labels: idxBytes([4], new Uint8Array(4)) }, /5 images but 4 labels/);
    await refused({ labels: images }, /set labels: expected one byte per image, got shape 5x4x3/);
    await refused({ images: labelFile }, /set images: shape 5 is not count x height x width/);
    await refused({ images: labelFile.subarray(0, 12) }, /set images: corrupt or truncated gzip/);
  });
});

describe("files of the command line", () => {
  const dirs: string[] = [];
  const folder = async (files: Record<string, Uint8Array> = {}) => {
    const dir = await mkdtemp(join(tmpdir(), "webvae-"));
    dirs.push(dir);
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes);
    return dir;
  };
  afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

  it.each([
    ["train", { "train-images-idx3-ubyte.gz": imageFile, "train-labels-idx1-ubyte": idxBytes([5], classes) }],
    ["test", { "t10k-images.idx3-ubyte": idxBytes([5, 4, 3], pixels), "t10k-labels.idx1-ubyte.gz": labelFile }],
    ["test", { "test-images-idx3-ubyte": imageFile, "test-labels-idx1-ubyte": labelFile }],
  ] as const)("reads a folder's %s split", async (which, files) => {
    const dataset = await readDataDir(await folder(files), { split: which, name: "set" });
    expect(dataset).toEqual({ name: "set", shape: [4, 3, 1], count: 5, values: pixels, labels: classes });
  });

  it("says which files a folder lacks", async () => {
    const dir = await folder({ "train-images-idx3-ubyte": imageFile.subarray(0, 20) });
    await expect(readDataDir(dir, { split: "test" })).rejects.toEqual(
      fault(
        "INVALID_FILE",
        /webvae-.* has no test images; looked for t10k-images-idx3-ubyte, .*, test-images\.idx3-ubyte\.gz/,
      ),
    );
    await expect(readDataDir(dir, { split: "train" })).rejects.toEqual(
      fault("INVALID_FILE", /webvae-.* \(train-images-idx3-ubyte\): .* corrupt or truncated gzip/),
    );
    await expect(readDataDir(join(dir, "nowhere"), { split: "train" })).rejects.toEqual(
      fault("INVALID_FILE", /nowhere cannot be read.*ENOENT/),
    );
  });

  it("stores downloads in a folder, and downloads again on reload", async () => {
    const dir = join(await folder(), "deep", "cache");
    const { fetch, calls } = server();
    const cached = cachingFetch({ dir, fetch });
    await load({ fetch: cached });
    expect((await load({ fetch: cached })).values).toEqual(pixels);
    expect(calls).toHaveLength(2);
    expect(await readdir(dir)).toHaveLength(2);

    // A damaged file is replaced by the second attempt.
    await writeFile(cachePath(dir, "https://a.test/x/labels.gz"), "damaged");
    await load({ fetch: cached });
    expect(calls).toHaveLength(3);
    await load({ fetch: cached });
    expect(calls).toHaveLength(3);
  });

  it("stores nothing that failed, and works without a folder", async () => {
    const dir = await folder();
    const missing = server(() => new Response("no", { status: 404 }));
    await expect(load({ fetch: cachingFetch({ dir, fetch: missing.fetch }) })).rejects.toEqual(
      fault("DOWNLOAD_FAILED", /404/),
    );
    const broken = server(() => new Response(new ReadableStream({ pull: (out) => out.error(new Error("reset")) })));
    await expect(load({ fetch: cachingFetch({ dir, fetch: broken.fetch }) })).rejects.toEqual(
      fault("DOWNLOAD_FAILED", /reset/),
    );
    expect(await readdir(dir)).toEqual([]);

    await writeFile(join(dir, "file"), "");
    const errors: unknown[] = [];
    const cached = cachingFetch({
      dir: join(dir, "file", "sub"),
      fetch: server().fetch,
      onCacheError: (e) => errors.push(e),
    });
    expect((await load({ fetch: cached })).count).toBe(5);
    expect(errors).toHaveLength(2);
  });

  it("uses the user's cache folder", () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: "/var/c" })).toBe("/var/c/webvae");
    expect(defaultCacheDir({ XDG_CACHE_HOME: "relative" })).toMatch(/[/\\]\.cache[/\\]webvae$/);
  });

  const real = localMnist();
  // Only defined if the files exist: a skipped test would prove nothing.
  const withFiles = real ? it : () => {};
  withFiles("reads MNIST itself", async () => {
    const dataset = await readDataDir(real!, { split: "test", name: "mnist" });
    expect(dataset).toMatchObject({ shape: [28, 28, 1], count: 10_000 });
    expect([...dataset.labels!.subarray(0, 8)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9]);
  });
});
