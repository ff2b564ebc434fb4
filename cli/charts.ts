// The loss chart: training and test loss over the epochs, with its two parts, as SVG.

import {
  formatLoss,
  ink,
  labelText,
  niceInterval,
  niceRange,
  pair,
  panelText,
  renderSvg,
  textWidth,
  titleStyle,
  valueAxis,
  type ChartSize,
  type Range,
  type Series,
} from "./chart_style.js";

/** Nats per example. `elbo` is at beta 1, so elbo = -(reconstruction + kl); the charts show -elbo as the loss. */
export interface Losses {
  elbo: number;
  reconstruction: number;
  kl: number;
  /** Means of further terms by name, such as an objective's "bound"; absent without any. */
  terms?: Readonly<Record<string, number>>;
}

/** Of further terms those that are no part of the KL divergence, which is drawn as a whole. */
export const ownTerms = ({ terms = {} }: Losses): [string, number][] =>
  Object.entries(terms).filter(([name]) => !name.startsWith("kl."));

export interface EpochLosses {
  /** 1 for the first. */
  epoch: number;
  /** Mean over the epoch's steps: drawn mid-epoch if the steps are drawn too, else at the epoch's end. */
  train: Losses;
  /** After the epoch. Absent if there was no test. */
  test?: Losses | undefined;
}

export interface LossHistory {
  epochs: readonly EpochLosses[];
  /** The training loss within the epochs, drawn faintly; `epoch` is a fraction, such as 0.25. */
  steps?: readonly (Losses & { epoch: number })[] | undefined;
}

interface Panel {
  readonly title: string;
  readonly value: (losses: Losses) => number;
  /** Further lines, by name: only of the epochs' means. */
  readonly more?: (losses: Losses) => [string, number][];
}

const panels = [
  { title: "Loss (negative ELBO)", value: (losses: Losses) => -losses.elbo, more: ownTerms },
  { title: "Reconstruction", value: (losses: Losses) => losses.reconstruction },
  { title: "KL divergence", value: (losses: Losses) => losses.kl },
] as const satisfies readonly Panel[];

const names = { steps: "Training, each step", train: "Training, epoch mean", test: "Test" } as const;
const nameOf = (term: string) => `Training, ${term}`;

/** The value below which a fraction `part` of the sorted values lies. */
const quantile = (sorted: number[], part: number): number[] =>
  sorted.slice(Math.round(part * (sorted.length - 1))).slice(0, 1);

/**
 * Range of a panel: all epochs' values, and all steps' values but the outermost, because the first steps of training
 * are so far off that they would flatten the rest.
 */
function panelRange(history: LossHistory, { value, more = () => [] }: Panel): Range {
  const finite = (values: number[]): number[] => values.filter(Number.isFinite).sort((a, b) => a - b);
  const steps = finite((history.steps ?? []).map(value));
  const values = finite(
    history.epochs.flatMap(({ train, test }) => [
      value(train),
      ...more(train).map(([, nats]) => nats),
      ...(test ? [value(test)] : []),
    ]),
  );
  values.push(...quantile(steps, 0.01), ...quantile(steps, 0.96));
  const min = values.length > 0 ? Math.min(...values) : 0;
  const max = values.length > 0 ? Math.max(...values) : 1;
  // At least one percent in total, so that a flat curve looks flat.
  const margin = Math.max((max - min) * 0.04, Math.abs(max) * 0.005) || 1;
  // No space below zero for values that cannot be negative.
  const bottom = min >= 0 ? Math.max(min - margin, 0) : min - margin;
  return niceRange(bottom, max + margin, niceInterval((max + margin - bottom) / 5));
}

/** Every n-th step: more points than the panel has pixels would only blacken it. */
function thinned({ steps = [] }: LossHistory, pixels: number): readonly (Losses & { epoch: number })[] {
  const stride = Math.ceil(steps.length / pixels);
  return steps.filter((_, index) => index % stride === 0);
}

function panelSeries(history: LossHistory, panel: Panel, index: number, pixels: number): Series[] {
  const { value, more = () => [] } = panel;
  // A value that is not finite leaves a gap.
  const point = (epoch: number, y = NaN): [number, number | string] => [epoch, Number.isFinite(y) ? y : "-"];
  const at = (epoch: number, losses: Losses) => point(epoch, value(losses));
  const { epochs } = history;
  const steps = thinned(history, pixels);
  const line = { type: "line" as const, xAxisIndex: index, yAxisIndex: index, clip: true };
  // Dots if there is room for them: a value between two gaps is visible only as a dot.
  const curve = { ...line, showSymbol: epochs.length <= 30, symbol: "circle" };
  const series: Series[] = [];
  if (steps.length > 0) {
    series.push({
      ...line,
      name: names.steps,
      data: steps.map((step) => at(step.epoch, step)),
      symbol: "none",
      lineStyle: { width: 1, opacity: 0.4 },
      itemStyle: { color: pair.first },
    });
  }
  const shift = steps.length > 0 ? 0.5 : 0;
  // The wider line is drawn below the narrower one, so that both are visible where they coincide.
  series.push({
    ...curve,
    name: names.train,
    data: epochs.map(({ epoch, train }) => at(epoch - shift, train)),
    symbolSize: 7,
    lineStyle: { width: 4 },
    itemStyle: { color: pair.first },
  });
  for (const term of new Set(epochs.flatMap(({ train }) => more(train).map(([name]) => name)))) {
    series.push({
      ...curve,
      name: nameOf(term),
      data: epochs.map(({ epoch, train }) => point(epoch - shift, new Map(more(train)).get(term))),
      symbolSize: 5,
      lineStyle: { width: 2, type: "dashed" },
      itemStyle: { color: pair.first },
    });
  }
  const test = epochs.flatMap(({ epoch, test }) => (test ? [at(epoch, test)] : []));
  if (test.length > 0) {
    const color = pair.second;
    series.push({
      ...curve,
      name: names.test,
      data: test,
      symbolSize: 5,
      lineStyle: { width: 2 },
      itemStyle: { color },
    });
  }
  return series;
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Space for the axis labels and titles around a panel, and for its own title above. */
const margin = { left: 80, right: 24, top: 30, bottom: 48 };

/** Wide charts: the loss on top, its two parts side by side below. Narrow ones: all in one column. */
function layOut(width: number, height: number, top: number): Box[] {
  const inner = (left: number, y: number, w: number, h: number): Box => ({
    left: left + margin.left,
    top: y + margin.top,
    width: w - margin.left - margin.right,
    height: h - margin.top - margin.bottom,
  });
  const room = height - top;
  if (width < 640) return panels.map((_, i) => inner(0, top + (i * room) / 3, width, room / 3));
  const upper = room * 0.56;
  return [
    inner(0, top, width, upper),
    inner(0, top + upper, width / 2, room - upper),
    inner(width / 2, top + upper, width / 2, room - upper),
  ];
}

/** The last epoch's losses, such as "Loss after epoch 10: training 104.21, test 105.70 nats". */
function lastEpoch({ epochs }: LossHistory): string {
  const last = epochs.at(-1);
  if (!last) return "No epoch was completed";
  const show = (nats: number): string => (Number.isFinite(nats) ? formatLoss(nats) : "not finite");
  const terms = ownTerms(last.train).map(([name, nats]) => ` (${name} ${show(nats)})`);
  const test = last.test ? `, test ${show(-last.test.elbo)}` : "";
  return `Loss after epoch ${last.epoch}: training ${show(-last.train.elbo)}${terms.join("")}${test} nats`;
}

/**
 * An SVG of the training and test losses by epoch, in nats per example, with a panel each for the loss and its parts.
 * Values that are not finite leave gaps.
 */
export function lossChart(history: LossHistory, size: ChartSize = {}): string {
  const { title = "Training", width = 900, height = width < 640 ? 900 : 640 } = size;
  const last = Math.max(1, history.epochs.at(-1)?.epoch ?? 1, history.steps?.at(-1)?.epoch ?? 0);
  const drawn = { steps: history.steps?.length, train: true, test: history.epochs.some(({ test }) => test) };
  const terms = new Set(history.epochs.flatMap(({ train }) => ownTerms(train).map(([name]) => nameOf(name))));
  const legend: string[] = (["steps", "train", "test"] as const).filter((key) => drawn[key]).map((key) => names[key]);
  legend.splice(legend.indexOf(names.train) + 1, 0, ...terms);
  // echarts puts a dot on a line's legend entry, but the steps have none.
  const bareLine = { name: names.steps, icon: "path://M0 5.4H24V6.6H0Z", itemStyle: { opacity: 0.6 } };
  const dashed = { icon: "path://M0 5H9V7H0ZM15 5H24V7H15Z" };
  const entry = (name: string) => (name === names.steps ? bareLine : terms.has(name) ? { name, ...dashed } : { name });
  const legendWidth = legend.reduce((sum, name) => sum + textWidth(name) + 49, 0);
  const boxes = layOut(width, height, legendWidth > width - 60 ? 116 : 84);
  const series = panels.flatMap((panel, index) => panelSeries(history, panel, index, boxes[index]!.width));

  const titles = panels.map((panel, index) => {
    const { left, top } = boxes[index]!;
    return { text: panel.title, left, top: top - 26, padding: 0, textStyle: panelText };
  });
  const xAxis = boxes.map(({ width }, gridIndex) => {
    const interval = Math.max(1, niceInterval(last / Math.max(2, width / 60)));
    const axis = valueAxis("Epoch", 28, { min: 0, max: last, interval });
    // A last label that is not round would overlap the one before.
    const axisLabel = { ...axis.axisLabel, showMaxLabel: last % interval === 0 };
    return { ...axis, axisLabel, gridIndex, splitLine: { show: false } };
  });
  const yAxis = panels.map((panel, gridIndex) => ({
    ...valueAxis("nats per example", 52, panelRange(history, panel)),
    gridIndex,
  }));
  return renderSvg(
    {
      title: [
        {
          text: title,
          subtext: lastEpoch(history),
          ...titleStyle,
        },
        ...titles,
      ],
      legend: {
        data: legend.map(entry),
        width: width - 60,
        left: 18,
        top: 58,
        padding: 0,
        itemGap: 20,
        itemWidth: 24,
        textStyle: { ...labelText, color: ink.strong },
      },
      grid: boxes.map((box) => ({ ...box, outerBoundsMode: "none" as const })),
      xAxis,
      yAxis,
      series,
    },
    width,
    height,
  );
}
