// Scatter charts as SVG: the latent means of a data set coloured by label, and two-dimensional data with its samples or
// reconstructions. Both axes have the same scale, because distances in the plane are meaningful here.

import { WebvaeError } from "../src/index.js";
import {
  ink,
  labelText,
  niceInterval,
  niceRange,
  pair,
  renderSvg,
  tenColours,
  textWidth,
  titleStyle,
  titleText,
  valueAxis,
  type ChartSize,
  type Range,
  type Series,
} from "./chart_style.js";
import { spread } from "./spread.js";

export interface LatentScatter extends ChartSize {
  /** [n, 2], row-major. Non-finite rows are left out, and counted in the subtitle. */
  means: Float32Array;
  /** [n]; without labels all points have the same colour. */
  labels?: Uint8Array | undefined;
  /** Names of the labels 0, 1, ...; by default the numbers. */
  classNames?: readonly string[] | undefined;
  /** Draws the circle that contains 95% of N(0, 1). Default true. */
  circle?: boolean;
}

export interface PointSet {
  name: string;
  /** [n, 2], as above. */
  points: Float32Array;
}

export interface PointsScatter extends ChartSize {
  /** One set, or two: the first is then drawn in grey behind the second. With `classes` any number. */
  sets: readonly [PointSet, ...PointSet[]];
  /** Draws each set in the colour of a class. */
  classes?: boolean;
  /** Joins point i of both sets, such as an original and its reconstruction. */
  linked?: boolean;
  axes?: readonly [string, string];
}

/** More dots would hide one another and make the SVG large. */
const maxDots = 10_000;
/** Classes after the tenth repeat the colours with the next shape. */
const shapes = ["circle", "triangle", "diamond", "rect"] as const;
/** Radius that contains 95% of a two-dimensional standard normal: sqrt(-2 ln 0.05). */
const priorRadius = Math.sqrt(-2 * Math.log(0.05));

interface Dot {
  x: number;
  y: number;
  row: number;
}

/** The dots to draw: every n-th finite row. */
function dotsOf(points: Float32Array, what: string, noun = "points"): { dots: Dot[]; note: string } {
  const rows = points.length / 2;
  if (rows < 1 || !Number.isInteger(rows)) {
    throw new WebvaeError("INVALID_DATA", `${what}: ${points.length} values do not form two-dimensional points.`);
  }
  const all = Array.from({ length: rows }, (_, row): Dot => ({ x: points[row * 2]!, y: points[row * 2 + 1]!, row }));
  const finite = all.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (finite.length === 0) throw new WebvaeError("NON_FINITE", `${what}: none of the ${rows} points is finite.`);
  const stride = Math.ceil(finite.length / maxDots);
  const dots = finite.filter((_, index) => index % stride === 0);
  const shown = dots.length < rows ? `${count(dots.length)} of ${count(rows)}` : count(rows);
  const dropped = finite.length < rows ? ` (${count(rows - finite.length)} not finite)` : "";
  return { dots, note: `${shown} ${noun}${dropped}` };
}

const count = (n: number): string => n.toLocaleString("en-GB");
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const dotSize = (dots: number): number => (dots > 3000 ? 4 : dots > 500 ? 5 : 7);

/** Ranges of equal length and interval that contain all the given points. */
function squareRanges(points: readonly { x: number; y: number }[]): [Range, Range] {
  const extent = (values: number[]): [number, number] =>
    values.reduce(([min, max], value) => [Math.min(min, value), Math.max(max, value)], [Infinity, -Infinity]);
  const both = [extent(points.map(({ x }) => x)), extent(points.map(({ y }) => y))] as const;
  const span = Math.max(...both.map(([min, max]) => max - min)) || Math.abs(both[0][0]) || 1;
  const interval = niceInterval(span / 6);
  const ranges = both.map(([min, max]) => niceRange(min, max, interval));
  // At least two intervals: a single point on a tick would give none.
  const steps = Math.max(2, ...ranges.map(({ min, max }) => Math.round((max - min) / interval)));
  return ranges.map(({ min, max }) => {
    const missing = steps - Math.round((max - min) / interval);
    const below = Math.floor(missing / 2);
    return { min: min - below * interval, max: max + (missing - below) * interval, interval };
  }) as [Range, Range];
}

interface LegendItem {
  name: string;
  color: string;
  icon?: string;
}

/** A square plot below its title, subtitle and legend. */
function squareChart(
  { width = 640, height: givenHeight, title = "" }: ChartSize,
  subtext: string,
  legend: readonly LegendItem[],
  axes: readonly [string, string],
  ranges: [Range, Range],
  series: (pixelsPerUnit: number) => Series[],
): string {
  // The number of rows that the legend will wrap to, estimated generously.
  let rows = 1;
  let used = 0;
  for (const { name } of legend) {
    const itemWidth = textWidth(name) + 36;
    if (used + itemWidth > width - 60 && used > 0) [rows, used] = [rows + 1, 0];
    used += itemWidth;
  }
  const top = legend.length > 0 ? 72 + rows * 24 : 64;
  // Space for the axes to the left of and below the plot. The height follows from the width unless it is given.
  const room = { left: 72, right: 28, bottom: 56 };
  const widest = width - room.left - room.right;
  const height = givenHeight ?? top + widest + room.bottom;
  const side = Math.max(80, Math.min(widest, height - top - room.bottom));
  const left = room.left + Math.max(0, (widest - side) / 2);
  const [x, y] = [valueAxis(axes[0], 32, ranges[0]), valueAxis(axes[1], 44, ranges[1])];
  return renderSvg(
    {
      title: {
        text: title,
        subtext,
        ...titleStyle,
      },
      legend: {
        data: legend.map(({ name, icon = "circle" }) => ({ name, icon })),
        left: 18,
        top: 60,
        width: width - 60,
        padding: 0,
        itemGap: 12,
        itemWidth: 12,
        itemHeight: 12,
        itemStyle: { opacity: 1 },
        textStyle: { ...labelText, color: ink.strong },
      },
      grid: { left, top, width: side, height: side, outerBoundsMode: "none" },
      xAxis: { ...x, splitLine: { show: true, lineStyle: { color: ink.grid } } },
      yAxis: y,
      series: series(side / (ranges[0].max - ranges[0].min)),
    },
    width,
    height,
  );
}

/** Dots of one series; `silent` because there is no pointer in a file. */
function dotSeries(
  name: string,
  dots: readonly Dot[],
  size: number,
  color: string,
  opacity: number,
  symbol = "circle",
): Series {
  const data = dots.map(({ x, y }) => [x, y]);
  return { type: "scatter", name, data, symbol, symbolSize: size, itemStyle: { color, opacity }, silent: true };
}

/** The class names at the medians of their dots, moved aside where two would overlap. */
function classLabels(classes: readonly { name: string; dots: Dot[] }[], pixelsPerUnit: number): Series {
  const medians = classes.map(({ dots }) => [median(dots.map(({ x }) => x)), median(dots.map(({ y }) => y))] as const);
  const widest = Math.max(...classes.map(({ name }) => textWidth(name, titleText.fontSize)));
  const places = spread(medians, Math.max(titleText.fontSize, widest + 6) / pixelsPerUnit);
  const data = classes.map(({ name }, i) => ({ value: places[i]!, label: { formatter: name } }));
  const label = {
    show: true,
    position: "inside" as const,
    ...titleText,
    textBorderColor: "#ffffff",
    textBorderWidth: 4,
  };
  return { type: "scatter", data, symbolSize: 0.01, label, silent: true, z: 5 };
}

/**
 * An SVG of two-dimensional latent means, coloured and marked by label, with the circle that contains 95% of the prior
 * where that is N(0, 1).
 * @throws WebvaeError INVALID_DATA if the sizes do not match, NON_FINITE if no point is finite.
 */
export function latentScatter({
  means,
  labels,
  classNames = [],
  circle: circled = true,
  ...size
}: LatentScatter): string {
  const { dots, note } = dotsOf(means, "Latent means", "encoded examples");
  if (labels && labels.length * 2 !== means.length) {
    throw new WebvaeError("INVALID_DATA", `${labels.length} labels do not match ${means.length / 2} latent means.`);
  }
  const byLabel = new Map<number, Dot[]>();
  for (const dot of dots) {
    const label = labels?.[dot.row] ?? 0;
    const own = byLabel.get(label);
    if (own) own.push(dot);
    else byLabel.set(label, [dot]);
  }
  const classes = [...byLabel]
    .sort(([a], [b]) => a - b)
    .map(([label, dots]) => ({
      name: classNames[label] ?? String(label),
      color: labels ? tenColours[label % 10]! : pair.first,
      icon: shapes[Math.floor(label / 10) % shapes.length]!,
      dots,
    }));
  const circle = Array.from({ length: circled ? 121 : 0 }, (_, i): [number, number] => [
    priorRadius * Math.cos((i * Math.PI) / 60),
    priorRadius * Math.sin((i * Math.PI) / 60),
  ]);
  const series: Series[] = [];
  // Drawn in turn, so that no class covers the ones before it.
  const turns = 10;
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, color, icon, dots: own } of classes) {
      const part = own.filter((_, index) => index % turns === turn);
      series.push(dotSeries(name, part, dotSize(dots.length), color, 0.7, icon));
    }
  }
  const dashes = { type: "dashed" as const, width: 1.5, color: ink.strong, opacity: 0.7 };
  if (circled) series.push({ type: "line", data: circle, symbol: "none", lineStyle: dashes, silent: true, z: 4 });
  // Short names only, since long ones would hide the dots and one another.
  const named = labels && classes.length <= 10 && classes.every(({ name }) => name.length <= 2);
  const ranges = squareRanges([...dots, ...circle.map(([x, y]) => ({ x, y }))]);
  const subtext = circled ? `${note}; dashed circle: 95% of the prior` : note;
  const shown = { title: "Latent means", ...size };
  return squareChart(
    shown,
    subtext,
    labels ? classes : [],
    ["Latent dimension 1", "Latent dimension 2"],
    ranges,
    (pixelsPerUnit) => (named ? [...series, classLabels(classes, pixelsPerUnit)] : series),
  );
}

/**
 * An SVG of two-dimensional data: one set, or two to compare.
 * @throws WebvaeError as latentScatter, and INVALID_DATA if linked sets differ in length.
 */
export function pointsScatter({
  sets,
  linked = false,
  classes = false,
  axes = ["x1", "x2"],
  ...size
}: PointsScatter): string {
  const [first, second] = sets;
  const drawn = sets.map(({ name, points }) => ({ name, ...dotsOf(points, name) }));
  const series: Series[] = [];
  if (linked && second) {
    if (first.points.length !== second.points.length) {
      throw new WebvaeError(
        "INVALID_DATA",
        `${first.points.length / 2} points cannot be linked to ${second.points.length / 2}.`,
      );
    }
    const at = ({ points }: PointSet, row: number): (number | string)[] => [points[row * 2]!, points[row * 2 + 1]!];
    const data = drawn[0]!.dots.flatMap(({ row }) => [at(first, row), at(second, row), ["-", "-"]]);
    // A single path, so that crossing lines do not add up in opacity.
    const opacity = drawn[0]!.dots.length > 500 ? 0.15 : 0.5;
    const lineStyle = { width: 1, color: ink.line, opacity };
    series.push({ type: "line", data, symbol: "none", lineStyle, silent: true, z: 1 });
  }
  const compared = second ? [ink.line, pair.first] : [pair.first];
  const colours = classes ? sets.map((_, i) => tenColours[i % 10]!) : compared;
  const icons = sets.map((_, i) => shapes[classes ? Math.floor(i / 10) % shapes.length : 0]!);
  // From back to front: links, the background set, and the set compared with it.
  drawn.forEach(({ name, dots }, i) =>
    series.push({
      ...dotSeries(name, dots, dotSize(dots.length), colours[i]!, i === 1 && !classes ? 0.5 : 0.7, icons[i]),
      z: 2 + i,
    }),
  );
  const legend = second ? drawn.map(({ name }, i) => ({ name, color: colours[i]!, icon: icons[i]! })) : [];
  const each = `${drawn.length} classes, ${drawn[0]!.note} each`;
  const subtext = classes ? each : drawn.map(({ name, note }) => `${name}: ${note}`).join("; ");
  return squareChart(size, subtext, legend, axes, squareRanges(drawn.flatMap(({ dots }) => dots)), () => series);
}
