// The parts of npm run bench:node that need no GPU: its arguments, its sessions, and its output.
import { describe, expect, it } from "vitest";
import type { GpuCounters } from "../../bench/browser/counters.js";
import { jobOf } from "../../bench/browser/job.js";
import type { OpenPeer, Peer } from "../../bench/browser/protocol.js";
import type { PeerResult } from "../../bench/browser/results.js";
import {
  casesOf,
  nodeBenchCommand,
  nodeBenchOptions,
  runnablePeers,
  sizesOf,
  type NodeBenchOptions,
} from "../../bench/node/options.js";
import { tfjs, webvae, webvaeHalf } from "../../bench/node/peers.js";
import { measureProducts, type ProductResult } from "../../bench/node/products.js";
import { nodeMarkdown, nodeSummary, productLine, type NodeReport } from "../../bench/node/results.js";
import { NodeSession } from "../../bench/node/session.js";
import { comparedModels } from "../../bench/browser/cases.js";
import { TimeUp } from "../../bench/browser/protocol.js";
import { openGpu } from "../../node/gpu.js";
import { withCopies } from "../support/copying.js";

/** The parsed arguments, or the error message. */
function parse(...given: string[]): NodeBenchOptions | string {
  let said = "";
  const command = nodeBenchCommand()
    .exitOverride()
    .configureOutput({ writeErr: (text) => (said += text) });
  try {
    return nodeBenchOptions(command.parse(given, { from: "user" }));
  } catch {
    return said;
  }
}

const parsed = (...given: string[]) => parse(...given) as NodeBenchOptions;
const namesOf = (cases: readonly { name: string; batch: number }[]) =>
  cases.map(({ name, batch }) => `${name} ${batch}`);

describe("arguments", () => {
  it("default to everything, in sizes that suit the adapter", () => {
    const options = parsed();
    expect(options).toMatchObject({ repeats: 5, seconds: 1.5, limitSeconds: 60, whole: true, json: false });
    expect(namesOf(casesOf(options, true))).toEqual(["mlp 128", "conv 32", "conv64 16"]);
    expect(namesOf(casesOf(options, false))).toEqual(["mlp 128", "conv 32", "conv 128", "conv64 16", "conv64 128"]);
    expect([sizesOf(options, true), sizesOf(options, false)]).toEqual([[512], [4096]]);
    expect(options.peers).toEqual([webvaeHalf, tfjs]);
  });

  it("can select a part", () => {
    const options = parsed("--models", "conv,mlp", "--batch", "32,128", "--seconds", "0.5", "--peak", "60e3");
    expect(options).toMatchObject({ seconds: 0.5, peak: 60000, whole: false });
    expect(namesOf(casesOf(options, true))).toEqual(["conv 32", "conv 128", "mlp 32", "mlp 128"]);
    const single = parsed("--precision", "f32", "--products", "256,1024", "--peers", "tfjs-webgpu");
    expect([single.peers, single.precisions, sizesOf(single, false)]).toEqual([[tfjs], ["f32"], [256, 1024]]);
    expect(parsed("--precision", "f32").peers).toEqual([tfjs]);
    expect(sizesOf(parsed("--no-products"), false)).toEqual([]);
    expect(parsed("--no-steps")).toMatchObject({ steps: false, whole: false });
    expect(parsed("--repeats", "9", "--peak", "5", "--json")).toMatchObject({ repeats: 9, whole: true, json: true });
  });

  it("leave out half precision if the adapter lacks it", () => {
    expect(runnablePeers(parsed().peers, false)).toEqual([tfjs]);
    expect(runnablePeers(parsed().peers, true)).toEqual([webvaeHalf, tfjs]);
  });

  it.each<[string[], RegExp]>([
    [["--models", "gan"], /"gan"; the choices are mlp, conv, conv64/],
    [["--models", ","], /at least one model/],
    [["--peers", "jaxjs"], /choices are webvae-f16, tfjs-webgpu/],
    [["--precision", "f64"], /choices are f32, f16/],
    [["--batch", "0"], /from 1 to 4096/],
    [["--products", "100000"], /from 4 to 16384/],
    [["--seconds", "0"], /above 0 and at most 60/],
    [["--peak", "-1"], /above 0\./],
    [["--no-steps", "--no-products"], /nothing to measure/],
  ])("reject %j", (given, message) => {
    expect(parse(...given)).toMatch(message);
  });
});

describe("a session in this process", () => {
  const counts: GpuCounters = { dispatches: 0, submits: 0, bytes: 0, peakBytes: 0 };

  async function session(peer: Partial<Peer>) {
    const job = jobOf({ ...comparedModels["mlp"]!, batch: 2 }, 1);
    const gpu = await openGpu({ backend: "null" });
    const shared = { gpu, counts, job, images: new Uint8Array(2 * 784), noise: [], weights: new Map() };
    const open: OpenPeer = (material) => {
      expect(material).toMatchObject({ precision: "f16", backend: "webgpu", job: { batch: 2 } });
      return Promise.resolve({
        detail: "",
        dataBytes: 0,
        losses: (count) => Promise.resolve(new Array<number>(count).fill(7)),
        measure: () => Promise.resolve({ stepMs: 1, steps: 2, losses: [] }),
        ...peer,
      });
    };
    return new NodeSession(shared, webvaeHalf, open);
  }

  it("makes the same calls as a page, and counts what the library does", async () => {
    const measure = () => {
      counts.dispatches += 28;
      counts.submits += 3;
      return Promise.resolve({ stepMs: 1, steps: 2, losses: [] });
    };
    const one = await session({ measure });
    expect(await one.call("start", 1000)).toMatchObject({ loss: 7, fetched: [] });
    expect(await one.call("losses", 1000, 2)).toEqual([7, 7]);
    const counted = await one.call("measure", 1000, { every: 1, steps: 2, seconds: 1 });
    expect(counted).toMatchObject({ kernels: 14, submits: 1.5 });
    expect(await one.call("memory", 1000)).toEqual({ gpuBytes: null, hostBytes: null });
    await one.close();
    await expect(one.call("losses", 1000, 1)).rejects.toThrow(/closed/);
  });

  it("that exceeds its time limit is awaited before its memory is freed, once", async () => {
    const order: string[] = [];
    const slow = () => new Promise<number[]>((done) => setTimeout(() => (order.push("computed"), done([1])), 60));
    const one = await session({ dispose: () => order.push("freed") });
    await one.call("start", 1000);
    const other = await session({ losses: slow, dispose: () => order.push("freed") });
    await expect(other.call("start", 5)).rejects.toBeInstanceOf(TimeUp);
    await other.close();
    await other.close();
    expect(order).toEqual(["computed", "freed"]);
    await one.close();
    expect(order).toEqual(["computed", "freed", "freed"]);
  });
});

/** A null-backend GPU whose devices do perform copies. */
async function copyingGpu(): Promise<GPU> {
  const gpu = await openGpu({ backend: "null" });
  const requestAdapter = async () => {
    const adapter = (await gpu.requestAdapter())!;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => withCopies(await requestDevice(descriptor));
    return adapter;
  };
  return { requestAdapter } as GPU;
}

describe("products", () => {
  it("are measured in every op and schedule, with the right number of operations", async () => {
    const told: ProductResult[] = [];
    const gpu = await copyingGpu();
    const options = { gpu, sizes: [8], precisions: ["f32"] as const, repeats: 2, peak: 2 };
    const results = await measureProducts({ ...options, progress: (result) => told.push(result) });
    expect(told).toEqual(results);
    const ops = ["linear", "linear_grad_input", "linear_grad_weight", "linear_grad"];
    expect([...new Set(results.map(({ op }) => op))]).toEqual(ops);
    expect(new Set(results.map(({ schedule }) => schedule)).size).toBeGreaterThan(1);
    for (const { op, error, medianMs, gflops, share, fastestMs, slowestMs } of results) {
      expect(error).toBeNull();
      const flop = (op === "linear_grad" ? 2 : 1) * 2 * 8 ** 3;
      expect(gflops).toBeCloseTo(flop / medianMs! / 1e6, 12);
      expect(share).toBe(gflops! / 2);
      expect(fastestMs).toBeLessThanOrEqual(slowestMs!);
    }
  });
});

describe("results", () => {
  const row: PeerResult = {
    ...{
      model: "conv",
      batch: 32,
      peer: webvae.known.name,
      medianMs: 2,
      spreadMs: 0.5,
      fastestMs: 1.75,
      slowestMs: 2.25,
    },
    ...{ repetitions: 5, firstStepMs: 900, kernels: 24, submits: 0.1, speedup: 1, every: null, lossDifference: 0 },
    ...{ comparedSteps: 10, heapBytes: null, hostBytes: null, gpuBytes: null, scriptBytes: null, wasmBytes: 0 },
    ...{ detail: "", error: null },
  };
  const product: ProductResult = {
    ...{ op: "linear", size: 4096, precision: "f32", schedule: "tiled", medianMs: 4, fastestMs: 3.9, slowestMs: 5 },
    ...{ gflops: 34_360, share: 0.572_66, error: null },
  };
  const failed: ProductResult = {
    ...product,
    ...{ schedule: "subgroups", medianMs: null, fastestMs: null, slowestMs: null, gflops: null, share: null },
    error: "too\nlarge",
  };
  const report: NodeReport = {
    ...{ adapter: "nvidia hopper (X, driver 1)", software: false, commit: "abc1234", date: "2026-11-20T12:00:00.000Z" },
    ...{ node: "v20.20.2", versions: { webgpu: "0.6.2" }, processors: 16, repeats: 5, seconds: 1.5, limitSeconds: 60 },
    ...{ peak: 60_000, products: [product, failed] },
    results: [row, { ...row, peer: "tfjs-webgpu", medianMs: 20, speedup: 10, lossDifference: 2e-5 }],
  };

  it("as JSON have the keys of bench:peers, plus the products", () => {
    const { adapter, commit, results, products } = nodeSummary(report);
    expect([adapter, commit, products.length]).toEqual([report.adapter, "abc1234", 2]);
    const keys = ["model", "batch", "peer", "medianMs", "spreadMs", "firstStepMs", "kernels", "submits", "speedup"];
    for (const result of results) expect(Object.keys(result)).toEqual([...keys, "error"]);
  });

  it("as Markdown: a table per case and one of products, each row as wide as its heading", () => {
    const text = nodeMarkdown(report);
    expect(text).toContain("# webvae and tfjs in Node on nvidia hopper (X, driver 1)\n");
    expect(text.match(/^## .*/gm)).toEqual(["## conv, batch 32", "## Products", "## How this was measured"]);
    expect(text).toContain("| tfjs-webgpu | 20 | 1.75 to 2.25 | 10.0 | 0.9 | 24 | 0.1 | 2e-5, 10 steps |");
    expect(text).toContain("| linear, 4096 cubed | f32 | tiled | 4 | 34360 | 57.3 % |");
    expect(text).toContain("linear, f32, subgroups: too large");
    const tables = text.split("\n\n").filter((part) => part.startsWith("|"));
    expect(tables).toHaveLength(2);
    for (const table of tables) {
      const widths = table.split("\n").map((line) => line.split("|").length);
      expect(new Set(widths).size).toBe(1);
    }
    const bare = nodeMarkdown({ ...report, peak: null, products: [{ ...product, share: null }] });
    expect(bare).toContain("| linear, 4096 cubed | f32 | tiled | 4 | 34360 |\n");
    expect(nodeMarkdown({ ...report, products: [] })).not.toContain("## Products");
  });

  it("on the terminal a product has its share of the peak, or its error", () => {
    expect(productLine(product)).toMatch(/4096 cubed, f32, tiled .* 4 ms, 34360 GFLOP\/s, 57\.3 % of the peak$/);
    expect(productLine({ ...product, share: null })).toMatch(/34360 GFLOP\/s$/);
    expect(productLine(failed)).toContain("too");
  });
});
