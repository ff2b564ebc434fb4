// The explorer on wide and narrow screens, in light and dark mode, in every section: axe-core's findings, and whether
// it fits.
import { describe, expect, test } from "vitest";
import { inFirefox } from "../../node/browser.mjs";
import { faultsOf } from "./axe.js";
import {
  drawThree,
  explorerPages,
  openTab,
  settled,
  shoot,
  untilFits,
  untilTabsFit,
  untilWords,
  type View,
} from "./explorer_lab.js";

const { open, troubles } = explorerPages();

const views: [string, View][] = [
  ["wide, light", { width: 1280, height: 800 }],
  ["wide, dark", { width: 1280, height: 800, dark: true }],
  ["narrow, light", { width: 360, height: 740 }],
  ["narrow, dark", { width: 360, height: 740, dark: true }],
];
// Puppeteer cannot emulate dark mode in Firefox.
describe.each(views.filter(([, { dark }]) => !(inFirefox && dark)))("%s", (name, view) => {
  test.each(["file", "mlp20"])(
    "axe-core finds no problem in any section (%s), and nothing scrolls sideways",
    async (model) => {
      const page = await open(`model=${model}`, view);
      const tabs = model === "file" ? ["Explore", "Between", "Map", "Draw"] : ["Explore", "Traverse", "Map"];
      for (const tab of tabs) {
        await openTab(page, tab);
        if (tab === "Draw") {
          await drawThree(page);
          await untilWords(page, ".judged .hint", /nats/);
          await settled(page);
        }
        await shoot(page, `${model}-${tab.toLowerCase()}-${name.replace(/, by /, "-")}`);
        expect(await faultsOf(page), tab).toEqual([]);
        await untilFits(page, tab);
        await untilTabsFit(page, tab);
      }
      if (view.width === 360) {
        await page.setViewport({ width: 320, height: 640 });
        await page.waitForFunction(() => innerWidth === 320);
        for (const tab of tabs) {
          await openTab(page, tab);
          await untilFits(page, `${tab} at 320`);
          await untilTabsFit(page, `${tab} at 320`);
        }
      }
      expect(troubles()).toEqual([]);
    },
  );
});
