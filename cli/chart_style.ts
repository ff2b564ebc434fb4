// What all charts share: colours, text, axes with round numbers, and echarts as a function from options to SVG.

import { LineChart, ScatterChart, type LineSeriesOption, type ScatterSeriesOption } from "echarts/charts";
import {
  GridComponent,
  LegendComponent,
  TitleComponent,
  type GridComponentOption,
  type LegendComponentOption,
  type TitleComponentOption,
} from "echarts/components";
import { init, use, type ComposeOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export type Series = LineSeriesOption | ScatterSeriesOption;
export type Option = ComposeOption<
  LineSeriesOption | ScatterSeriesOption | GridComponentOption | LegendComponentOption | TitleComponentOption
>;

export interface ChartSize {
  title?: string;
  /** In pixels. */
  width?: number;
  height?: number;
}

/** Blue and vermilion, safe for colour blindness: Okabe and Ito, "Color universal design" (2008). */
export const pair = { first: "#0072b2", second: "#d55e00" } as const;

/** Ten classes, safe for colour blindness: M. A. Petroff, "Accessible color sequences", arXiv 2107.02270. */
export const tenColours = [
  ...["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"],
  ...["#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"],
] as const;

export const ink = { strong: "#1f2328", soft: "#57606a", line: "#8c959f", grid: "#eaeef2" } as const;

const fontFamily = "Inter, Helvetica, Arial, sans-serif";
export const labelText = { fontFamily, fontSize: 12, color: ink.soft } as const;
export const titleText = { fontFamily, fontSize: 16, fontWeight: 600, color: ink.strong } as const;
export const panelText = { fontFamily, fontSize: 13, fontWeight: 600, color: ink.strong } as const;

/** A chart's title and the line below it. */
export const titleStyle = {
  left: 20,
  top: 14,
  padding: 0,
  itemGap: 6,
  textStyle: titleText,
  subtextStyle: labelText,
} as const;

/** A label's approximate width in pixels; echarts cannot measure fonts in Node either. */
export const textWidth = (label: string, fontSize = 12): number => label.length * fontSize * 0.56;

/** For axes and legends: at most six digits, powers of ten as e, and a real minus sign. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  const short =
    size >= 1e6 || (size > 0 && size < 1e-4) ? value.toExponential(2) : String(Number(value.toPrecision(6)));
  return short.replace(/\.?0*e\+?/, "e").replaceAll("-", "−");
}

/** A loss in text: two decimals, unless the number is too large for them to matter. */
export const formatLoss = (nats: number): string =>
  Math.abs(nats) < 1e5 ? nats.toFixed(2).replace("-", "−") : formatNumber(nats);

export interface Range {
  min: number;
  max: number;
  interval: number;
}

/** The next round number (1, 2 or 5 times a power of ten) above `rough`. */
export function niceInterval(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((step) => step * power >= rough * 0.999) ?? 10);
}

/** The range widened to whole intervals. */
export function niceRange(min: number, max: number, interval: number): Range {
  return { min: Math.floor(min / interval) * interval, max: Math.ceil(max / interval) * interval, interval };
}

/** A value axis with a centred title. */
export function valueAxis(name: string, nameGap: number, range: Range) {
  // Ticks are sums of intervals, so zero may come out as a rounding error.
  const formatter = (tick: number): string => formatNumber(Math.abs(tick) < range.interval * 1e-6 ? 0 : tick);
  return {
    type: "value" as const,
    ...range,
    name,
    nameLocation: "middle" as const,
    nameGap,
    nameTextStyle: labelText,
    axisLabel: { ...labelText, fontSize: 11, formatter },
    axisLine: { show: true, onZero: false, lineStyle: { color: ink.line } },
    axisTick: { show: true, lineStyle: { color: ink.line } },
    splitLine: { lineStyle: { color: ink.grid } },
  };
}

/** The drawing as SVG text, with the given size in pixels. */
export function renderSvg(option: Option, width: number, height: number): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ ...option, animation: false, backgroundColor: "#ffffff", textStyle: { fontFamily } });
    // Removes the hover rules, and the ids that count charts in the process, so that the same data gives the same file.
    return chart
      .renderToSVGString()
      .replace(/<style[^]*?<\/style>\s*/, "")
      .replaceAll(/ class="zr\d+-cls-\d+"/g, "")
      .replaceAll(/\bzr\d+-c(?=\d)/g, "clip-");
  } finally {
    chart.dispose();
  }
}
