// The comparison as a chart: one panel per case, one row per library, milliseconds per step on a logarithmic axis.
import {
  ink,
  labelText,
  pair,
  panelText,
  renderSvg,
  textWidth,
  titleStyle,
  type Series,
} from "../../cli/chart_style.js";
import { significant } from "./markdown.js";
import type { Comparison, PeerResult } from "./results.js";

const WIDTH = 900;
const ROW = 26;
const LEFT = 120;
const RIGHT = 190;
const TOP = 92;
/** Space from a panel's last row to the next one's first, for the axis and a title. */
const BETWEEN = 66;

export function comparisonChart({ adapter, browser, results }: Comparison): string {
  const panels = panelsOf(results);
  const [min, max] = decades(results);
  let top = TOP;
  const boxes = panels.map(({ rows }) => {
    const box = { left: LEFT, width: WIDTH - LEFT - RIGHT, top, height: ROW * rows.length };
    top += box.height + BETWEEN;
    return box;
  });
  const height = top - BETWEEN + 42;
  const series = panels.flatMap(({ rows }, panel) => rows.flatMap((row, index) => rowSeries(row, index, panel, min)));
  return renderSvg(
    {
      title: [
        {
          text: "Milliseconds per training step",
          subtext: `${adapter}, ${browser}. Dot: median; line: fastest to slowest repetition; logarithmic`,
          ...titleStyle,
        },
        ...panels.map(({ title }, panel) => ({
          text: title,
          left: LEFT,
          top: boxes[panel]!.top - 22,
          padding: 0,
          textStyle: panelText,
        })),
      ],
      grid: boxes.map((box) => ({ ...box, outerBoundsMode: "none" as const })),
      xAxis: panels.map((_, gridIndex) => ({
        type: "log" as const,
        gridIndex,
        min,
        max,
        axisLabel: { ...labelText, fontSize: 11, formatter: (tick: number) => duration(tick) },
        axisLine: { show: true, lineStyle: { color: ink.line } },
        axisTick: { show: true, lineStyle: { color: ink.line } },
        splitLine: { lineStyle: { color: ink.grid } },
      })),
      yAxis: panels.map(({ rows }, gridIndex) => ({
        type: "category" as const,
        gridIndex,
        inverse: true,
        data: rows.map(({ peer }) => peer),
        axisLabel: { ...labelText, color: ink.strong, interval: 0 },
        axisLine: { show: true, lineStyle: { color: ink.line } },
        axisTick: { show: false },
      })),
      series,
    },
    WIDTH,
    height,
  );
}

interface Panel {
  readonly title: string;
  readonly rows: readonly PeerResult[];
}

function panelsOf(results: readonly PeerResult[]): Panel[] {
  const titles = [...new Set(results.map(titleOf))];
  return titles.map((title) => ({ title, rows: results.filter((row) => titleOf(row) === title) }));
}

const titleOf = ({ model, batch }: PeerResult) => `${model}, batch ${batch}`;

/** The powers of ten that enclose all medians, at least one decade. */
function decades(results: readonly PeerResult[]): [number, number] {
  const values = results.flatMap(({ fastestMs, slowestMs }) => [fastestMs, slowestMs]).filter((one) => one !== null);
  if (values.length === 0) return [1, 10];
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  return [low, high > low ? high : 10 * low];
}

function duration(ms: number): string {
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return ms >= 1 ? `${Number(ms.toPrecision(3))} ms` : `${Number((1000 * ms).toPrecision(3))} µs`;
}

function rowSeries(row: PeerResult, index: number, panel: number, min: number): Series[] {
  const axes = { xAxisIndex: panel, yAxisIndex: panel };
  const color = row.peer === "webvae" ? pair.first : pair.second;
  if (row.medianMs === null) {
    const text = shortened(row.error ?? "not measured", WIDTH - LEFT - 16);
    return [
      {
        ...axes,
        type: "scatter",
        data: [[min, index]],
        symbolSize: 0,
        label: { show: true, position: "right", distance: 6, formatter: () => text, ...labelText, fontSize: 11 },
      },
    ];
  }
  const factor = row.speedup === null || row.peer === "webvae" ? "" : `   ${significant(row.speedup)} x webvae`;
  const text = `${row.medianMs >= 1000 ? duration(row.medianMs) : `${significant(row.medianMs)} ms`}${factor}`;
  return [
    {
      ...axes,
      type: "line",
      data: [
        [row.fastestMs ?? row.medianMs, index],
        [row.slowestMs ?? row.medianMs, index],
      ],
      symbol: "none",
      lineStyle: { width: 3, opacity: 0.45, color },
      itemStyle: { color },
    },
    {
      ...axes,
      type: "scatter",
      data: [[row.medianMs, index]],
      symbolSize: 11,
      itemStyle: { color, opacity: 1 },
    },
    {
      ...axes,
      type: "scatter",
      data: [[row.slowestMs ?? row.medianMs, index]],
      symbolSize: 0,
      label: {
        show: true,
        position: "right",
        distance: 10,
        formatter: () => text,
        ...labelText,
        color: ink.strong,
      },
    },
  ];
}

function shortened(text: string, pixels: number): string {
  if (textWidth(text, 11) <= pixels) return text;
  return `${text.slice(0, Math.floor((text.length * pixels) / textWidth(text, 11)) - 1)}…`;
}
