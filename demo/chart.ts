// The loss over epochs as SVG: training after every report, the test set after every epoch. Its scale is logarithmic,
// for most of the fall happens in the first steps and most of the training after it.

export interface Point {
  readonly epoch: number;
  readonly loss: number;
}

export interface Losses {
  readonly train: readonly Point[];
  readonly test: readonly Point[];
  /** Length of the axis. */
  readonly epochs: number;
}

const margin = { left: 40, right: 12, top: 8, bottom: 36 };
/** Pixels between two labels of the loss. */
const tickGap = 26;
/** Round numbers between the powers of ten, the roundest first. */
const rounds = [
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9],
];

/** A loss in few characters: 104.2, 179k, 4.6e15. */
export function shortLoss(nats: number, decimals = 1): string {
  const size = Math.abs(nats);
  if (size >= 999_500) return nats.toExponential(1).replace(/(\.0)?e\+/, "e");
  return size >= 9999.5 ? `${(nats / 1000).toFixed(0)}k` : nats.toFixed(decimals);
}

export class LossChart {
  #losses: Losses = { train: [], test: [], epochs: 10 };

  constructor(private readonly svg: SVGSVGElement) {
    new ResizeObserver(() => this.#draw()).observe(svg);
  }

  show(losses: Losses): void {
    this.#losses = losses;
    this.#draw();
  }

  #draw(): void {
    const { width, height } = this.svg.getBoundingClientRect();
    if (width === 0) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const { train, test, epochs } = this.#losses;
    const losses = [...train, ...test].map(({ loss }) => loss).filter((loss) => loss > 0 && loss < Infinity);
    const low = losses.length > 0 ? Math.min(...losses) * 0.96 : 100;
    const high = Math.max(losses.length > 0 ? Math.max(...losses) * 1.04 : 600, low * 1.2);
    const right = width - margin.right;
    const bottom = height - margin.bottom;
    const x = (epoch: number) => margin.left + (epoch / epochs) * (right - margin.left);
    const y = (loss: number) =>
      bottom - (Math.log(Math.min(loss, high) / low) / Math.log(high / low)) * (bottom - margin.top);

    const parts: SVGElement[] = [];
    for (const tick of ticks(low, high, y)) {
      parts.push(line("grid", margin.left, y(tick), right, y(tick)));
      parts.push(text("tick end", margin.left - 8, y(tick) + 4, shortLoss(tick, Number.isInteger(tick) ? 0 : 1)));
    }
    parts.push(line("axis", margin.left, bottom, right, bottom));
    const stride = Math.ceil(epochs / Math.max(1, Math.floor((right - margin.left) / 34)));
    for (let epoch = 0; epoch <= epochs; epoch += stride) {
      parts.push(text("tick middle", x(epoch), bottom + 16, String(epoch)));
    }
    parts.push(text("tick end", right, bottom + 31, "epochs"));
    const place = ({ epoch, loss }: Point) => `${x(epoch).toFixed(1)},${y(loss).toFixed(1)}`;
    parts.push(element("polyline", { class: "train", points: thinned(train, width).map(place).join(" ") }));
    parts.push(element("polyline", { class: "test", points: test.map(place).join(" ") }));
    for (const point of test)
      parts.push(element("circle", { class: "test", cx: x(point.epoch), cy: y(point.loss), r: 3.5 }));
    this.svg.replaceChildren(...parts);
  }
}

/** Powers of ten, and where they are fewer than three the next rounder numbers, all of them `tickGap` pixels apart. */
function ticks(low: number, high: number, y: (loss: number) => number): number[] {
  const powers: number[] = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) powers.push(e);
  const stride = Math.ceil(tickGap / Math.abs(y(low) - y(low * 10)));
  const kept: number[] = [];
  for (const digits of [[1], ...rounds]) {
    for (const power of powers) {
      if (digits.length === 1 && power % stride !== 0) continue;
      for (const digit of digits) {
        const tick = Number(`${digit}e${power}`);
        const apart = kept.every((other) => Math.abs(y(other) - y(tick)) >= tickGap);
        if (tick >= low && tick <= high && apart) kept.push(tick);
      }
    }
    if (kept.length >= 3) break;
  }
  return kept;
}

/** Means of neighbours where there are more points than pixels. */
function thinned(points: readonly Point[], width: number): Point[] {
  const run = Math.ceil(points.length / width);
  if (run <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / run) }, (_, i) => {
    const part = points.slice(i * run, (i + 1) * run);
    return { epoch: part.at(-1)!.epoch, loss: part.reduce((sum, { loss }) => sum + loss, 0) / part.length };
  });
}

function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function line(kind: string, x1: number, y1: number, x2: number, y2: number): SVGElement {
  return element("line", { class: kind, x1, y1, x2, y2 });
}

function text(kind: string, x: number, y: number, content: string): SVGElement {
  const made = element("text", { class: kind, x, y });
  made.textContent = content;
  return made;
}
