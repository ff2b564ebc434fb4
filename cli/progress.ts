// Training progress: one line that is redrawn on a terminal, plain lines elsewhere. It goes to stderr, so that stdout
// stays free for --json.

import { MultiBar } from "cli-progress";
import { formatLoss, formatNumber } from "./chart_style.js";
import { ownTerms, type Losses } from "./charts.js";

export interface StepProgress extends Losses {
  /** Counts from 1, as does `step`, which counts within the epoch. */
  epoch: number;
  step: number;
  stepsPerSecond: number;
}

export interface EpochProgress {
  epoch: number;
  train: Losses;
  test?: Losses | undefined;
  /** Duration of the epoch. */
  seconds: number;
}

export interface Progress {
  /** Call after each step. Cheap: draws at most ten times a second. */
  update(step: StepProgress): void;
  /** Prints a permanent line for the epoch. */
  epochEnd(epoch: EpochProgress): void;
  /** Prints a permanent line of text. */
  note(text: string): void;
  /** Removes the redrawn line. Must be called, even after an error: until then a timer keeps the process alive. */
  stop(): void;
}

export interface ProgressOptions {
  epochs: number;
  stepsPerEpoch: number;
  stream?: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
}

/** Minimum time between plain lines within an epoch. */
const plainInterval = 10_000;
const longestBar = 30;

/** Such as 8s, 1m 05s, 2h 03m. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
}

const formatRate = (rate: number): string => (rate >= 10 ? rate.toFixed(0) : formatNumber(Number(rate.toPrecision(2))));

/** The first variant that fits, else the last one, truncated. */
const fitting = (columns: number, variants: readonly string[]): string =>
  variants.find((text) => text.length <= columns) ?? variants.at(-1)!.slice(0, Math.max(0, columns));

/** The fraction of all steps that are done, in [0, 1], and the seconds left. */
function position({ epochs, stepsPerEpoch }: ProgressOptions, now: StepProgress): { part: number; left: number } {
  const total = Math.max(1, epochs * stepsPerEpoch);
  const done = Math.min(total, (now.epoch - 1) * stepsPerEpoch + now.step);
  return { part: done / total, left: now.stepsPerSecond > 0 ? (total - done) / now.stepsPerSecond : NaN };
}

/** Such as ", bound 103.20"; empty for the ELBO. */
const termsText = (losses: Losses): string =>
  ownTerms(losses)
    .map(([name, nats]) => `, ${name} ${formatLoss(nats)}`)
    .join("");

/** The redrawn line: shorter, with less detail, if the terminal is narrow. */
export function progressLine(options: ProgressOptions, now: StepProgress, columns: number): string {
  const { part, left } = position(options, now);
  const percent = `${String(Math.floor(part * 100)).padStart(3)}%`;
  const eta = formatDuration(left);
  const rate = formatRate(now.stepsPerSecond);
  const [loss, reconstruction, kl] = [-now.elbo, now.reconstruction, now.kl].map(formatLoss);
  const terms = termsText(now);
  const short = `${now.epoch}/${options.epochs}`;
  // Text before the bar, the minimum width of the bar, and text after it.
  const variants: [string, number, string][] = [
    [
      `epoch ${short}`,
      12,
      `ETA ${eta}  ${rate} steps/s  loss ${loss} = reconstruction ${reconstruction} + KL ${kl}${terms} nats`,
    ],
    [`epoch ${short}`, 12, `ETA ${eta}  ${rate} steps/s  loss ${loss} = rec ${reconstruction} + KL ${kl}${terms}`],
    [short, 8, `ETA ${eta}  ${rate}/s  loss ${loss} = rec ${reconstruction} + KL ${kl}${terms}`],
    [short, 6, `${eta}  ${rate}/s  loss ${loss} = ${reconstruction} + ${kl}${terms}`],
    [short, 6, `${eta}  ${rate}/s  loss ${loss}${terms}`],
    [short, 6, `${eta}  ${rate}/s  loss ${loss}`],
    [short, 6, `loss ${loss}`],
  ];
  const lines = variants.map(([before, shortestBar, after]) => {
    const room = columns - `${before}  ${percent}  ${after}`.length;
    const width = Math.max(shortestBar, Math.min(longestBar, room));
    const full = Math.floor(part * width);
    return `${before} ${"█".repeat(full)}${"░".repeat(width - full)} ${percent}  ${after}`;
  });
  return fitting(columns, lines);
}

/** The permanent line for an epoch. */
export function epochLine({ epochs }: ProgressOptions, done: EpochProgress, columns: number): string {
  const { train, test } = done;
  const epoch = `epoch ${String(done.epoch).padStart(String(epochs).length)}/${epochs}`;
  const time = done.seconds < 60 ? `${done.seconds.toFixed(1)}s` : formatDuration(done.seconds);
  const loss = ({ elbo }: Losses): string => formatLoss(-elbo);
  const [reconstruction, kl] = [train.reconstruction, train.kl].map(formatLoss);
  const terms = termsText(train);
  const testSum = test ? ` = ${formatLoss(test.reconstruction)} + ${formatLoss(test.kl)}` : "";
  const testLoss = test ? `, test ${loss(test)}` : "";
  const testLong = test ? `; test loss ${loss(test)}${testSum}` : "";
  return fitting(columns, [
    `${epoch}: training loss ${loss(train)} = reconstruction ${reconstruction} + KL ${kl}${terms}${testLong} nats; ${time}`,
    `${epoch}: loss ${loss(train)} = rec ${reconstruction} + KL ${kl}${terms}${testLoss}${testSum}, ${time}`,
    `${epoch}: loss ${loss(train)}${terms}${testLoss}, ${time}`,
    `${epoch}: loss ${loss(train)}${testLoss}, ${time}`,
  ]);
}

function plainProgress(options: ProgressOptions, write: (line: string) => void): Progress {
  let last = performance.now();
  const print = (line: string): void => {
    last = performance.now();
    write(line);
  };
  return {
    update(now) {
      if (performance.now() - last < plainInterval) return;
      const { part, left } = position(options, now);
      const [loss, reconstruction, kl] = [-now.elbo, now.reconstruction, now.kl].map(formatLoss);
      print(
        `epoch ${now.epoch}/${options.epochs}, step ${now.step}/${options.stepsPerEpoch} (${Math.floor(part * 100)}%): ` +
          `${formatRate(now.stepsPerSecond)} steps/s, ETA ${formatDuration(left)}, ` +
          `loss ${loss} = reconstruction ${reconstruction} + KL ${kl}${termsText(now)} nats`,
      );
    },
    epochEnd: (done) => print(epochLine(options, done, Infinity)),
    note: print,
    stop: () => undefined,
  };
}

function terminalProgress(options: ProgressOptions, stream: NonNullable<ProgressOptions["stream"]>): Progress {
  let bars: MultiBar | undefined;
  let now: StepProgress | undefined;
  // Leaves one column free, because a terminal wraps once the last one is written.
  const columns = (): number => (stream.columns || 80) - 1;
  const leave = (text: string): void => {
    if (!bars) return void stream.write(`${text}\n`);
    bars.log(`${text}\n`);
    // Draws immediately, because stop() drops what was not drawn.
    bars.update();
  };
  return {
    update(step) {
      now = step;
      if (bars) return;
      bars = new MultiBar({
        stream,
        format: () => (now ? progressLine(options, now, columns()) : ""),
        // A permanent line above moves this one, so it is redrawn even if its text is the same.
        forceRedraw: true,
        clearOnComplete: true,
        // Changes no terminal setting that a killed process could not restore; Ctrl-C is left to the caller.
        linewrap: true,
        hideCursor: false,
        gracefulExit: false,
      });
      bars.create(1, 0);
    },
    epochEnd: (done) => leave(epochLine(options, done, columns())),
    note: leave,
    stop() {
      bars?.stop();
      bars = undefined;
    },
  };
}

/** Shows the progress of `epochs` x `stepsPerEpoch` steps on `stream`, by default stderr. */
export function createProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr;
  const redraws = stream.isTTY === true && process.env.TERM !== "dumb";
  return redraws ? terminalProgress(options, stream) : plainProgress(options, (line) => void stream.write(`${line}\n`));
}
