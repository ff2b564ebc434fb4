// The parts of npm run bench:peers that need no browser: its arguments, disqualification, and its output.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { comparisonChart } from "../../bench/browser/chart.js";
import { Contestant, type PageSession } from "../../bench/browser/contestant.js";
import { comparisonMarkdown } from "../../bench/browser/markdown.js";
import { comparisonCommand, comparisonOptions } from "../../bench/browser/options.js";
import { knownPeers } from "../../bench/browser/peers.js";
import { TimeUp, type PageCalls } from "../../bench/browser/protocol.js";
import type { Comparison, PeerResult } from "../../bench/browser/results.js";
import { lossDifference, spreadOf } from "../../bench/browser/statistics.js";
import { resultLine, summary } from "../../bench/browser/summary.js";

describe("statistics", () => {
  it("medians and ends", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, fastest: 1, slowest: 3 });
    expect(spreadOf([4, 1, 2, 10])).toEqual({ median: 3, fastest: 1, slowest: 10 });
    expect(() => spreadOf([])).toThrow();
  });

  it("the largest relative difference of the losses that both have", () => {
    expect(lossDifference([100, 202, 5], [100, 200])).toBeCloseTo(0.01, 12);
    expect(lossDifference([100, NaN], [100, 200])).toBe(Infinity);
    expect(lossDifference([99], [100, 200])).toBeCloseTo(0.01, 12);
  });
});

/** A page with the given answers; all other calls fail. */
function fakeSession(answers: Partial<Record<keyof PageCalls, (given: unknown) => unknown>>): PageSession {
  return {
    version: "Chrome/1",
    call: (name: keyof PageCalls, _limit: number, ...given: unknown[]) =>
      Promise.resolve().then(() => {
        const answer = answers[name];
        if (!answer) throw new Error(`no ${name} here`);
        return answer(given[0]);
      }),
    heapBytes: () => Promise.resolve(1e6),
    close: () => Promise.resolve(),
  } as unknown as PageSession;
}

const files = new Map([["peer.js", new Uint8Array(100_000)]]);
const jax = knownPeers.find(({ name }) => name === "jaxjs-wasm")!;

async function contest(answers: Parameters<typeof fakeSession>[0], losses = [50, 40]): Promise<PeerResult> {
  const reference = new Contestant(jax, files, 100_000);
  const good = {
    start: () => ({ firstStepMs: 5, loss: losses[0], detail: "", fetched: ["page.js", "peer.js", "peer.js"] }),
  };
  let at = 1;
  const measured = { stepMs: 10, steps: 1, losses: [], kernels: 14, submits: 0.25 };
  const next = () => [losses[at++] ?? 1];
  await reference.start(() => Promise.resolve(fakeSession({ ...good, losses: next, measure: () => measured })));
  await reference.repeat();
  const peer = new Contestant(jax, files, 100_000);
  at = 1;
  await peer.start(() => Promise.resolve(fakeSession({ ...good, losses: next, ...answers })));
  peer.check(reference.losses);
  await peer.repeat();
  await peer.repeat();
  await peer.finish();
  return peer.result("mlp", 128, reference);
}

describe("a contestant", () => {
  it("is timed with the faster way of waiting, compared with webvae", async () => {
    const measure = (pace: unknown) => {
      const { every } = pace as { every: number };
      return { stepMs: every === 10 ? 20 : 30, steps: 1, losses: [], kernels: null, submits: null };
    };
    const memory = () => ({ gpuBytes: null, hostBytes: 2e6 });
    expect(await contest({ measure, memory })).toMatchObject({
      medianMs: 20,
      spreadMs: 0,
      repetitions: 2,
      every: 10,
      speedup: 2,
      kernels: null,
      comparedSteps: 10,
      lossDifference: 0,
      heapBytes: 1e6,
      hostBytes: 2e6,
      scriptBytes: gzipSync(new Uint8Array(100_000), { level: 9 }).length,
      wasmBytes: 0,
      error: null,
    });
  });

  it("is disqualified if its losses differ", async () => {
    let step = 0;
    const result = await contest({ losses: () => [++step === 1 ? 40.05 : 1] });
    expect(result).toMatchObject({ medianMs: null, speedup: null, comparedSteps: 10 });
    expect(result.error).toBe("losses differ: 40.05 at step 2, where webvae has 40");
  });

  it("is disqualified with its own message if it fails", async () => {
    const result = await contest({
      losses: () => {
        throw new Error("Kernel 'X' not registered");
      },
    });
    expect(result).toMatchObject({ medianMs: null, error: "Kernel 'X' not registered" });
  });

  it("is disqualified if it takes too long", async () => {
    const result = await contest({
      losses: () => {
        throw new TimeUp();
      },
    });
    expect(result.error).toMatch(/^too slow: 1 steps/);
  });
});

describe("arguments", () => {
  const parse = (...given: string[]) => {
    const said: string[] = [];
    const command = comparisonCommand()
      .exitOverride()
      .configureOutput({ writeErr: (text) => said.push(text) });
    try {
      return comparisonOptions(command.parse(given, { from: "user" }));
    } catch {
      return said.join("");
    }
  };

  it("default to every model and peer", () => {
    const options = parse();
    expect(options).toMatchObject({ repeats: 5, headful: false, adapter: undefined, json: false, whole: true });
    if (typeof options === "string") throw new Error(options);
    expect(options.cases.map(({ name, batch }) => [name, batch])).toEqual([
      ["mlp", 128],
      ["conv", 32],
      ["conv64", 16],
    ]);
    expect(options.peers).toEqual(knownPeers);
  });

  it("make one case per model and batch", () => {
    const options = parse("--models", "conv,mlp", "--batch", "32, 128", "--peers", "jaxjs-wasm");
    if (typeof options === "string") throw new Error(options);
    expect(options.cases.map(({ name, batch }) => `${name} ${batch}`)).toEqual([
      "conv 32",
      "conv 128",
      "mlp 32",
      "mlp 128",
    ]);
    expect(options.peers.map(({ name }) => name)).toEqual(["jaxjs-wasm"]);
    expect(options.whole).toBe(false);
  });

  it.each([
    [["--peers", "tfjs"], /no peer "tfjs"; the choices are tfjs-webgpu, .*jaxjs-wasm/],
    [["--models", "mlp,resnet"], /no model "resnet"; the choices are mlp, conv, conv64/],
    [["--models", "toString"], /no model "toString"/],
    [["--peers", ","], /at least one peer/],
    [["--batch", "32,0"], /whole number from 1/],
    [["--batch", "many"], /whole number/],
    [["--repeats", "0"], /whole number from 1/],
    [["--adapter", "cuda"], /no adapter "cuda"; the choices are swiftshader and default/],
    [["--limit", "500"], /whole number from 5 to/],
    [["--peer", "tfjs-cpu"], /unknown option '--peer'/],
  ] as const)("refuse %j", (given, message) => {
    expect(parse(...given)).toMatch(message);
  });
});

describe("results", () => {
  const row: PeerResult = {
    model: "mlp",
    batch: 128,
    peer: "webvae",
    medianMs: 100.25,
    spreadMs: 20,
    fastestMs: 90,
    slowestMs: 110,
    repetitions: 5,
    firstStepMs: 1800,
    kernels: 14,
    submits: 0.25,
    speedup: 1,
    every: null,
    lossDifference: 0,
    comparedSteps: 10,
    heapBytes: 2e6,
    hostBytes: null,
    gpuBytes: 1.8e7,
    scriptBytes: 40_000,
    wasmBytes: 0,
    detail: "",
    error: null,
  };
  const failed: PeerResult = {
    ...row,
    peer: "tfjs-wasm",
    ...{ medianMs: null, spreadMs: null, fastestMs: null, slowestMs: null, repetitions: 0, firstStepMs: null },
    ...{ kernels: null, submits: null, speedup: null, lossDifference: null, heapBytes: null, gpuBytes: null },
    error: "no <kernel> | here",
  };
  const comparison: Comparison = {
    adapter: "google swiftshader",
    commit: "abc1234",
    date: "2026-11-20T12:00:00.000Z",
    browser: "Chrome/150",
    versions: { "@tensorflow/tfjs": "4.22.0" },
    processors: 2,
    repeats: 5,
    limitSeconds: 75,
    results: [row, { ...row, peer: "jaxjs-wasm", medianMs: 30.06, speedup: 0.3, model: "conv" }, failed],
  };

  it("the JSON line has the documented keys, null if there is no value", () => {
    const { adapter, commit, results } = summary(comparison);
    expect([adapter, commit]).toEqual(["google swiftshader", "abc1234"]);
    const keys = [
      ...["model", "batch", "peer", "medianMs", "spreadMs", "firstStepMs", "kernels", "submits", "speedup", "error"],
    ];
    for (const result of results) expect(Object.keys(result)).toEqual(keys);
    expect(results[2]).toMatchObject({ peer: "tfjs-wasm", medianMs: null, kernels: null, error: "no <kernel> | here" });
  });

  it("the Markdown has one table per case, every row as wide as its heading, and the errors below", () => {
    const text = comparisonMarkdown(comparison, "chart.svg");
    expect(text).toContain("commit abc1234, @tensorflow/tfjs 4.22.0, Chrome/150, 2 processor cores.");
    expect(text).toContain("![Milliseconds per step](chart.svg)");
    expect(text.match(/^## .*/gm)).toEqual(
      ["## mlp, batch 128", "## conv, batch 32", "## How this was measured"].map((t) => t.replace("32", "128")),
    );
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    const widths = new Set(rows.map((line) => line.split("|").length));
    expect(rows.length).toBe(2 + 2 + 2 + 1);
    expect(widths.size).toBe(1);
    expect(text).toContain("| **webvae** | 100 | 90 to 110 | 1.00 | 1.8 | 14 | 0.25 | 2.0 | 18.0 | 40 |  |");
    expect(text).toContain("tfjs-wasm: no &lt;kernel> \\| here");
  });

  it("a line on the terminal has the median, the range and the ratio, or the error", () => {
    expect(resultLine(comparison.results[1]!)).toMatch(
      /^conv 128 jaxjs-wasm +30\.1 ms \(90 to 110, 5 repetitions\), 0\.3 x/,
    );
    expect(resultLine(failed)).toMatch(/no <kernel> \| here$/);
  });

  it("the chart names every library with its time or error", () => {
    const svg = comparisonChart(comparison);
    for (const text of ["mlp, batch 128", "webvae", "100 ms", "30.1 ms", "0.3 x webvae", "no &lt;kernel&gt; | here"]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
