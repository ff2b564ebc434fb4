import { Writable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createProgress, epochLine, formatDuration, progressLine, type StepProgress } from "../../cli/progress.js";

const losses = { elbo: -105.714, reconstruction: 80.314, kl: 25.4 };
const options = { epochs: 10, stepsPerEpoch: 468 };
const at = (epoch: number, step: number): StepProgress => ({ epoch, step, stepsPerSecond: 153.2, ...losses });

/** Records what is written to it; a terminal if columns are given. */
function fakeStream(columns?: number): Writable & { isTTY?: boolean; columns?: number; text: () => string } {
  const parts: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      parts.push(String(chunk));
      done();
    },
  });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return Object.assign(stream, terminal, { text: () => parts.join("") });
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe("progress line", () => {
  it("shows everything if there is room", () => {
    const line = progressLine(options, at(3, 234), 140);
    expect(line).toContain("epoch 3/10");
    expect(line).toContain(" 25%");
    expect(line).toContain("ETA 23s");
    expect(line).toContain("153 steps/s");
    expect(line).toContain("loss 105.71 = reconstruction 80.31 + KL 25.40 nats");
  });

  const bounded = { ...losses, terms: { "kl.posterior": -4, "kl.prior": 29.4, bound: 103.2 } };

  it("shows an objective's bound where there is room, and no parts of the KL", () => {
    const line = (columns: number) => progressLine(options, { ...at(3, 234), ...bounded }, columns);
    expect(line(140)).toContain("loss 105.71 = reconstruction 80.31 + KL 25.40, bound 103.20 nats");
    expect(line(79)).toMatch(/loss 105\.71 = .*bound 103\.20/);
    expect(line(40)).toMatch(/loss 105\.71$/);
    const done = { epoch: 3, train: bounded, test: losses, seconds: 2 };
    expect(epochLine(options, done, Infinity)).toContain("+ KL 25.40, bound 103.20; test loss 105.71");
    expect(epochLine(options, done, 79)).toBe("epoch  3/10: loss 105.71, bound 103.20, test 105.71, 2.0s");
    expect(epochLine(options, done, 45)).toBe("epoch  3/10: loss 105.71, test 105.71, 2.0s");
  });

  it("never exceeds its columns, whatever the numbers", () => {
    const numbers = [-105.71, -1e12, 3.5, NaN, -Infinity, -1e-9];
    for (let columns = 1; columns <= 160; columns++) {
      for (const elbo of numbers) {
        const now = {
          epoch: 9999,
          step: 468,
          stepsPerSecond: 0.0123,
          elbo,
          reconstruction: -elbo,
          kl: elbo,
          terms: { bound: elbo },
        };
        const wide = { epochs: 10000, stepsPerEpoch: 468 };
        expect(progressLine(wide, now, columns).length).toBeLessThanOrEqual(columns);
        const done = { epoch: 9999, train: now, test: now, seconds: 12345 };
        expect(epochLine(wide, done, columns).length).toBeLessThanOrEqual(columns);
      }
    }
  });

  it("shows the loss and its parts at 60 columns", () => {
    expect(progressLine(options, at(3, 234), 59)).toContain("loss 105.71 = 80.31 + 25.40");
  });

  it("fills the bar from start to end, and no further", () => {
    const bar = (now: StepProgress): string => progressLine(options, now, 140).replaceAll(/[^█░]/g, "");
    expect(bar(at(1, 0))).toMatch(/^░{30}$/);
    expect(bar(at(10, 468))).toMatch(/^█{30}$/);
    expect(bar(at(10, 500))).toMatch(/^█{30}$/);
  });

  it.each([
    [0.4, "0s"],
    [59.6, "1m 00s"],
    [65, "1m 05s"],
    [3599.6, "1h 00m"],
    [7380, "2h 03m"],
    [NaN, "?"],
    [Infinity, "?"],
  ])("shows %d seconds as %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe("progress on a stream", () => {
  it("writes one line per epoch, and one every ten seconds, if it cannot redraw", () => {
    vi.useFakeTimers();
    const stream = fakeStream();
    const progress = createProgress({ ...options, stream });
    progress.note("a note");
    for (let step = 1; step <= 468; step++) {
      vi.advanceTimersByTime(50);
      progress.update(at(1, step));
    }
    progress.epochEnd({ epoch: 1, train: losses, test: losses, seconds: 23.4 });
    progress.stop();
    const lines = stream.text().trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe("a note");
    expect(lines[1]).toMatch(/^epoch 1\/10, step 200\/468 \(4%\): 153 steps\/s, ETA 29s, loss 105.71/);
    expect(lines[3]).toBe(
      "epoch  1/10: training loss 105.71 = reconstruction 80.31 + KL 25.40; test loss 105.71 = 80.31 + 25.40 nats; 23.4s",
    );
    // eslint-disable-next-line no-control-regex
    expect(stream.text()).not.toMatch(/\x1b|\r/);
  });

  it("redraws one line on a terminal, leaves lines for epochs and notes, and cleans up", () => {
    vi.useFakeTimers();
    vi.stubEnv("TERM", "xterm");
    const stream = fakeStream(60);
    const progress = createProgress({ ...options, stream });
    for (let step = 1; step <= 200; step++) {
      progress.update(at(1, step));
      vi.advanceTimersByTime(20);
    }
    progress.note("a note");
    progress.epochEnd({ epoch: 1, train: losses, seconds: 23.4 });
    progress.stop();
    progress.stop();
    const text = stream.text();
    expect(text.split("\n").filter((line) => line.includes("epoch  1/10: loss 105.71"))).toHaveLength(1);
    expect(text).toContain("a note\n");
    expect(text.split("\n")).toHaveLength(3);
    // Finally erases to the end of the screen, and leaves no timer that keeps the process alive.
    expect(text.endsWith("\x1b[0J")).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("writes plain lines on a terminal that cannot redraw", () => {
    vi.stubEnv("TERM", "dumb");
    const stream = fakeStream(80);
    const progress = createProgress({ ...options, stream });
    progress.update(at(1, 1));
    progress.epochEnd({ epoch: 1, train: losses, seconds: 1 });
    progress.stop();
    // eslint-disable-next-line no-control-regex
    expect(stream.text()).not.toMatch(/\x1b|\r/);
  });
});
