// The loss over the steps, drawn by uPlot in the page's colours: training after every report, the test set after every
// epoch. The scale is logarithmic if possible, because most of the drop happens in the first steps.
import uPlot from "uplot";
import type { History } from "../protocol.js";
import { find } from "./dom.js";
import { shortLoss } from "./figures.js";

/** Minimum time between redraws; the curve moves little in that time. */
const EVERY_MS = 250;
/** Pixels between two labels of the loss. */
const TICK_GAP = 26;
export class LossChart {
  #history: History = { train: [], test: [] };
  #plot: uPlot | undefined;
  #logarithmic = true;
  #timer: number | undefined;
  readonly #frame = find("chart");

  constructor() {
    new ResizeObserver(() => this.#resize()).observe(this.#frame);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#make());
  }

  show(history: History): void {
    this.#history = history;
    if (this.#timer === undefined) this.#timer = window.setTimeout(() => this.#draw(), this.#plot ? EVERY_MS : 0);
  }

  #draw(): void {
    this.#timer = undefined;
    const logarithmic = [...this.#history.train, ...this.#history.test].every(({ loss }) => loss > 0);
    if (!this.#plot || logarithmic !== this.#logarithmic) {
      this.#logarithmic = logarithmic;
      this.#make();
    } else this.#plot.setData(columns(this.#history));
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#frame;
    if (this.#plot && width > 0) this.#plot.setSize({ width, height });
  }

  #make(): void {
    const { clientWidth: width, clientHeight: height } = this.#frame;
    if (width === 0) return;
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: of("--muted"),
      grid: { stroke: of("--line"), width: 1 },
      ticks: { show: false },
      font: "12px Inter, system-ui, sans-serif",
    };
    const logarithmic = this.#logarithmic;
    this.#plot?.destroy();
    this.#plot = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        scales: {
          x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 1, (low ?? 0) + 1)] },
          loss: { distr: logarithmic ? 3 : 1, range: (_, low, high) => roomy(low, high, logarithmic) },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 26, gap: 4, values: (_, steps) => steps.map(stepLabel) },
          {
            ...axis,
            scale: "loss",
            size: 46,
            gap: 6,
            filter: (_, splits) => splits,
            splits: (plot, _axis, low, high) =>
              logarithmic ? ticks(low, high, plot.bbox.height / devicePixelRatio) : linear(low, high),
            values: (_, losses) => losses.map((loss) => shortLoss(loss, Number.isInteger(loss) ? 0 : 1)),
          },
        ],
        series: [
          {},
          { scale: "loss", stroke: of("--accent"), width: 1.75, points: { show: false }, spanGaps: true },
          {
            scale: "loss",
            stroke: of("--test"),
            width: 2,
            spanGaps: true,
            points: { show: true, size: 6, fill: of("--test"), stroke: of("--raised"), width: 1 },
          },
        ],
      },
      columns(this.#history),
      this.#frame,
    );
    // The summary and the table describe what it draws.
    this.#plot.root.setAttribute("aria-hidden", "true");
  }
}

/** Steps, training losses, test losses: one entry per step at which either is known. */
function columns({ train, test }: History): uPlot.AlignedData {
  const points = thinned(train);
  const steps: number[] = [];
  const rows: [(number | null)[], (number | null)[]] = [[], []];
  let at = 0;
  const addTest = (before: number) => {
    for (; at < test.length && test[at]!.step <= before; at++) {
      steps.push(test[at]!.step);
      rows[0].push(null);
      rows[1].push(test[at]!.loss);
    }
  };
  for (const { step, loss } of points) {
    addTest(step - 1);
    steps.push(step);
    rows[0].push(loss);
    const same = test[at]?.step === step;
    rows[1].push(same ? test[at++]!.loss : null);
  }
  addTest(Infinity);
  return [steps, ...rows];
}

/** Averages neighbours if there are more points than pixels. */
function thinned(points: History["train"]): { step: number; loss: number }[] {
  const run = Math.ceil(points.length / 600);
  if (run <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / run) }, (_, i) => {
    const part = points.slice(i * run, (i + 1) * run);
    return { step: part.at(-1)!.step, loss: part.reduce((sum, { loss }) => sum + loss, 0) / part.length };
  });
}

function roomy(low: number | null, high: number | null, logarithmic: boolean): [number, number] {
  if (low === null || high === null || !Number.isFinite(low + high)) return logarithmic ? [100, 600] : [0, 1];
  if (!logarithmic) return [low - 0.06 * (high - low || 1), high + 0.06 * (high - low || 1)];
  return [low * 0.97, Math.max(high * 1.03, low * 1.15)];
}

/** Round numbers about TICK_GAP pixels apart: powers of ten, or equal steps if the range is small. */
function ticks(low: number, high: number, height: number): number[] {
  const y = (loss: number) => (Math.log(loss / low) / Math.log(high / low)) * height;
  const many = high / low > 30 ? decades(low, high) : linear(low, high);
  // From the low end, where the curve spends most of its time.
  return many.reduce<number[]>((kept, tick) => {
    const previous = kept.at(-1);
    return previous !== undefined && y(tick) - y(previous) < TICK_GAP ? kept : [...kept, tick];
  }, []);
}

function decades(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))];
  const digits = last - first > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: last - first + 1 }, (_, i) =>
    digits.map((digit) => Number(`${digit}e${first + i}`)),
  );
  return all.flat().filter((tick) => tick >= low && tick <= high);
}

function linear(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough) ?? rough;
  const first = Math.ceil(low / by);
  return Array.from({ length: Math.floor(high / by) - first + 1 }, (_, i) =>
    Number(((first + i) * by).toPrecision(12)),
  );
}

const stepLabel = (step: number) => (!Number.isInteger(step) ? "" : step >= 10_000 ? `${step / 1000}k` : String(step));
