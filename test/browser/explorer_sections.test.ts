// The explorer's sections, used like a visitor would: draw, between, map, traverse, and the tabs themselves.
import { describe, expect, test } from "vitest";
import { faultsOf } from "./axe.js";
import {
  drawThree,
  explored,
  explorerPages,
  inside,
  latentOf,
  openTab,
  seen,
  seenOther,
  settled,
  shoot,
  untilWords,
} from "./explorer_lab.js";
import { byRole, lacks } from "./harness.js";

const { open, troubles } = explorerPages();

describe("drawing", () => {
  test("a drawn three is recognized and judged, and its position can be visited", async () => {
    const page = await open("model=file");
    await openTab(page, "Draw");
    await drawThree(page);
    await untilWords(page, ".judged .hint", /nats/);
    await settled(page);
    const verdict = await (await inside(page, ".verdict")).evaluate((it) => it.textContent);
    expect(verdict).toMatch(/^(Typical|Ordinary|Unusual)$/);
    const place = await (await inside(page, ".place .hint")).evaluate((it) => it.textContent);
    expect(place).toMatch(/of the 15 nearest examples are labelled [358]\./);
    await shoot(page, "drawn");
    await (await byRole(page, "button", "Explore from here")).click();
    expect(Math.hypot(...(await latentOf(page)))).toBeGreaterThan(0.01);
    await openTab(page, "Draw");
    await (await byRole(page, "button", "Clear")).click();
    expect(await (await inside(page, ".verdict")).evaluate((it) => it.textContent)).toBe("Draw something");
    expect(troubles()).toEqual([]);
  });

  test("by keyboard, an example replaces the drawing; noise is unlike any example", async () => {
    const page = await open("model=file");
    await openTab(page, "Draw");
    const example = await byRole(page, "button", "Try an example");
    await example.focus();
    await page.keyboard.press("Enter");
    await untilWords(page, ".judged .hint", /nats/);
    const [usual, strange] = await explored(page, async ({ model, images }) => {
      const noise = Float32Array.from({ length: 784 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 31) & 1);
      return [
        (await model.elbo(images.subarray(0, 784 * 20))).reduce((a, b) => a + b) / 20,
        (await model.elbo(noise))[0]!,
      ];
    });
    expect(strange).toBeLessThan(usual - 200);
  });

  test("each example's ELBO matches the library's, within sampling noise", async () => {
    const page = await open("model=file");
    const { mine, theirs } = await explored(page, async ({ model, vae, images }) => {
      const each = await model.elbo(images);
      const shape = [28, 28, 1];
      const all = { name: "all", shape, count: images.length / 784, values: images };
      return { mine: each.reduce((a, b) => a + b) / each.length, theirs: (await vae!.elbo(all, { samples: 8 })).elbo };
    });
    expect(Math.abs(mine - theirs)).toBeLessThan(3);
  });
});

describe("sections", () => {
  test("between: choosing two examples by keyboard shows the path between them", async () => {
    const page = await open("model=file");
    await openTab(page, "Between");
    const steps = await seen(page, ".between > .picture-grid");
    const first = await page.evaluateHandle(() =>
      document.querySelector("#root > div")!.shadowRoot!.querySelector<HTMLElement>('.choice [tabindex="0"]')!,
    );
    await first.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await settled(page);
    const spherical = await seenOther(page, ".between > .picture-grid", steps);
    await (await byRole(page, "radio", "Linear")).evaluate((it) => it.click());
    await settled(page);
    await seenOther(page, ".between > .picture-grid", spherical);
    await (await byRole(page, "slider", "Position along the path")).focus();
    const one = await seen(page, ".one .picture");
    for (let i = 0; i < 30; i++) await page.keyboard.press("ArrowRight");
    await settled(page);
    await seenOther(page, ".one .picture", one);
    expect(troubles()).toEqual([]);
  });

  test("map: choosing a picture moves to its position", async () => {
    const page = await open("model=file");
    await openTab(page, "Map");
    const corner = await page.evaluateHandle(() =>
      document.querySelector("#root > div")!.shadowRoot!.querySelector<HTMLElement>(".map [role=gridcell]")!,
    );
    expect(await corner.evaluate((it) => it.getAttribute("aria-label"))).toBe("z₁ −1.73, z₂ 1.73");
    await corner.click();
    await settled(page);
    const [x, y] = await latentOf(page);
    expect(x).toBeCloseTo(-1.732, 2);
    expect(y).toBeCloseTo(1.732, 2);
    const tab = await byRole(page, "tab", "Explore");
    expect(await tab.evaluate((it) => it.getAttribute("aria-selected"))).toBe("true");
  });

  test("traverse: more rows on demand, and the same value in each column", async () => {
    const page = await open("model=mlp20");
    await openTab(page, "Traverse");
    const cells = () =>
      page.evaluate(
        () => document.querySelector("#root > div")!.shadowRoot!.querySelectorAll(".traversals [role=gridcell]").length,
      );
    expect(await cells()).toBe(66);
    await (await byRole(page, "button", "More of the 20 dimensions")).click();
    await settled(page);
    expect(await cells()).toBe(132);
    expect(troubles()).toEqual([]);
  });

  test("tabs: arrow keys cycle, and the section follows", async () => {
    const page = await open("model=file");
    await (await byRole(page, "tab", "Explore")).focus();
    for (const name of ["Between", "Map", "Draw", "Explore"]) {
      await page.keyboard.press("ArrowRight");
      const tab = await byRole(page, "tab", name);
      expect(await tab.evaluate((it) => it.getAttribute("aria-selected"))).toBe("true");
    }
    await page.keyboard.press("End");
    expect(await (await byRole(page, "tab", "Draw")).evaluate((it) => it.tabIndex)).toBe(0);
  });

  test("points in the plane are shown at their positions", async () => {
    const page = await open("model=points");
    const before = await seen(page, ".what .picture");
    await (await inside(page, ".pad")).focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowRight");
    await settled(page);
    await seenOther(page, ".what .picture", before);
    for (const name of ["Between", "Map"]) {
      await openTab(page, name);
      await shoot(page, `points-${name.toLowerCase()}`);
    }
    expect(await lacks(page, "tab", "Draw")).toBe(true);
    expect(troubles()).toEqual([]);
  });

  test("colour pictures are tried with examples instead of drawings", async () => {
    const page = await open("model=colour&count=40");
    await openTab(page, "Try");
    const heard = async () => (await inside(page, ".judged .hint")).evaluate((it) => it.textContent);
    await untilWords(page, ".judged .hint", /nats/);
    const first = await heard();
    await (await byRole(page, "button", "Another example")).click();
    await untilWords(page, ".judged .hint", /nats/, first);
    await shoot(page, "colour-try");
    expect(await faultsOf(page)).toEqual([]);
    expect(await lacks(page, "button", "Clear")).toBe(true);
    expect(troubles()).toEqual([]);
  });
});
